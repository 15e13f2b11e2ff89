"""Which format a file is in: from its name, and for `.txt` and unknown names from its first lines.

In: a path. Out: the name of a format. A name settles it; the content is looked at only when the name says nothing.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path

from gatewise.errors import FormatError
from gatewise.formats.conll import split_columns
from gatewise.formats.source import STANDARD_INPUT, Source, numbered_lines, source_name

FORMATS = ("conll", "conllu", "jsonl", "text")

_BY_EXTENSION = {
    ".conllu": "conllu",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    **dict.fromkeys((".conll", ".tsv", ".bio", ".bioes", ".bmes", ".iob", ".iob2"), "conll"),
}
_LOOK_AT = 200  # lines
_TAG = re.compile(r"O|[BIMES](-\S+)?")
_ID = re.compile(r"[0-9]+([-.][0-9]+)?")


def detect_format(path: Source) -> str:
    """The format of a file, one of `FORMATS`.

    Raises FormatError when neither its name nor its first lines tell, and when it cannot be read.
    """
    if str(path) == STANDARD_INPUT:
        raise FormatError(f"{source_name(path)}: expected the name of a format, found none; say it, for example text")
    lines = [line for _, line in islice(numbered_lines(path), _LOOK_AT)]
    return format_of_name(path) or _from_lines(path, _suffix(path), lines)


def format_of_name(path: Source) -> str | None:
    """The format that a file's name tells, or None; the file need not exist."""
    return _BY_EXTENSION.get(_suffix(path))


def _suffix(path: Source) -> str:
    return Path(str(path).removesuffix(".gz")).suffix.lower()


def _from_lines(path: Source, suffix: str, lines: list[str]) -> str:
    filled = [line for line in lines if line.strip()]
    if filled and _is_json(filled[0]):
        return "jsonl"
    if filled and all(_is_conllu(line) for line in filled):
        return "conllu"
    if filled and all(_is_conll(line) for line in filled):
        return "conll"
    if suffix in (".txt", ".text"):
        return "text"
    raise FormatError(
        f"{source_name(path)}: expected a name or a content that tells the format, found neither; "
        f"name the format: {', '.join(FORMATS)}"
    )


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_conllu(line: str) -> bool:
    fields = line.split("\t")
    return line.startswith("#") or (len(fields) == 10 and _ID.fullmatch(fields[0]) is not None)


def _is_conll(line: str) -> bool:
    columns = split_columns(line)
    return line.startswith("-DOCSTART-") or (len(columns) > 1 and _TAG.fullmatch(columns[-1]) is not None)
