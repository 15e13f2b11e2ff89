"""Which format a file is in: from its name, and for JSON, `.txt` and unknown names from how it begins.

In: a path. Out: the name of a format. A name settles it where it can; JSON is looked into, for tools name their
exports alike.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from gatewise.errors import FormatError
from gatewise.formats.json_fields import JsonObject
from gatewise.formats.json_items import json_objects
from gatewise.formats.remarks import split_columns
from gatewise.formats.source import STANDARD_INPUT, Source, source_name, text_chunks

FORMATS = (
    *("conll", "conllu", "jsonl", "doccano", "label-studio", "prodigy", "cluener"),
    *("parquet", "docbin", "segmented", "text"),
)
JSON_FORMATS = ("jsonl", "doccano", "label-studio", "prodigy", "cluener")

_BY_EXTENSION = {
    ".conllu": "conllu",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    **dict.fromkeys((".conll", ".tsv", ".bio", ".bioes", ".bmes", ".iob", ".iob2"), "conll"),
    ".parquet": "parquet",
    ".spacy": "docbin",
}
_BINARY = ("parquet", "docbin")
_TAG = re.compile(r"O|[BIMESLU](-\S+)?")
_ID = re.compile(r"[0-9]+([-.][0-9]+)?")


def detect_format(path: Source) -> str:
    """The format of a file, one of `FORMATS`.

    Raises FormatError when neither its name nor its beginning tells, and when it cannot be read.
    """
    if str(path) == STANDARD_INPUT:
        raise FormatError(f"{source_name(path)}: expected the name of a format, found none; say it, for example text")
    named = format_of_name(path)
    if named in _BINARY:
        return named
    beginning = _beginning(path)
    if beginning.lstrip()[:1] in ("{", "[") and named in (None, "jsonl"):
        return _json_format(path) or named or _from_lines(path, beginning)
    return named or _from_lines(path, beginning)


def format_of_name(path: Source) -> str | None:
    """The format that a file's name tells, or None; the file need not exist."""
    return _BY_EXTENSION.get(_suffix(path))


def _suffix(path: Source) -> str:
    return Path(str(path).removesuffix(".gz")).suffix.lower()


def _beginning(path: Source) -> str:
    with closing(text_chunks(path)) as chunks:
        return next(chunks, "")


def _json_format(path: Source) -> str | None:
    """The tool that writes objects such as the first one; None when it is no object."""
    try:
        with closing(json_objects(path)) as objects:
            value = next(objects, (0, None))[1]
    except FormatError:
        return None
    if value is None or _is_label_studio(value):
        return "label-studio" if value is not None or _suffix(path) == ".json" else None
    if isinstance(value.get("label"), dict):
        return "cluener"
    if _is_prodigy(value):
        return "prodigy"
    if any(isinstance(value.get(key), list) for key in ("label", "labels", "entities", "annotations")):
        return "doccano"
    return "jsonl"


def _is_label_studio(value: JsonObject) -> bool:
    """A task has its text under `data`; in JSON-MIN, it names an annotation, or its spans have lists of labels."""
    if isinstance(value.get("data"), dict) or {"annotator", "annotation_id"} <= value.keys():
        return True
    lists = [entry for entry in value.values() if isinstance(entry, list) and entry]
    return any(isinstance(entries[0], dict) and isinstance(entries[0].get("labels"), list) for entries in lists)


def _is_prodigy(value: JsonObject) -> bool:
    lists = [entry for key in ("spans", "tokens") if isinstance(entry := value.get(key), list) and entry]
    marks = {key for entries in lists if isinstance(entries[0], dict) for key in entries[0]}
    return bool({"token_start", "ws", "id"} & marks or {"answer", "_input_hash", "_task_hash"} & value.keys())


def _from_lines(path: Source, beginning: str) -> str:
    *lines, last = beginning.split("\n")  # the last line may be cut
    filled = [line.removesuffix("\r") for line in (lines or [last]) if line.strip()]
    filled = filled or [last] * bool(last.strip())
    if filled and all(_is_conllu(line) for line in filled):
        return "conllu"
    rows = [line for line in filled if not line.startswith("# ")]
    if rows and all(_is_conll(line) for line in rows):
        return "conll"
    if _suffix(path) in (".txt", ".text"):
        return "text"
    raise FormatError(
        f"{source_name(path)}: expected a name or a content that tells the format, found neither; "
        f"name the format: {', '.join(FORMATS)}"
    )


def _is_conllu(line: str) -> bool:
    fields = line.split("\t")
    return line.startswith("#") or (len(fields) == 10 and _ID.fullmatch(fields[0]) is not None)


def _is_conll(line: str) -> bool:
    columns = split_columns(line)
    return line.startswith("-DOCSTART-") or (len(columns) > 1 and _TAG.fullmatch(columns[-1]) is not None)
