"""doccano's export of sequence labeling: `{"text": "小明来了", "label": [[0, 2, "PER"]]}`, one object a line.

Offsets count characters (code points), half-open. The list stands under `label` (since 1.0), `labels` or `entities`
(before), the text under `text` or `data` (1.5); projects with relations write objects, `{"start_offset", "end_offset",
"label"}`. Relations, categories of the whole text and comments are left out, counted. A record without a list of
labels is untagged. The format holds neither tokens nor scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import OnBroken
from gatewise.formats.json_fields import JsonObject, check_edges, get, kind_of
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment, LabeledText, locate_labeled
from gatewise.formats.source import Located, Source, checked
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Span
from gatewise.text.align import character_spans

LABEL_KEYS = ("label", "labels", "entities", "annotations")
_LEFT_OUT = {"relations": "relations", "cats": "categories", "Comments": "comments"}


def read_doccano(path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT) -> Iterator[Sentence]:
    """The sentences of a file that doccano exported, tagged as `alignment` says."""
    return checked(path, locate_doccano(path, alignment=alignment), None)


def locate_doccano(
    path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_doccano`, with the line of each token.

    With `broken`, which is told of them, records that cannot be read are left out.
    """
    tally = Tally()
    return locate_labeled(path, partial(_record, tally), alignment, tally, broken)


def write_doccano(sentences: Iterable[Sentence], stream: TextIO, scheme: str | None = None) -> None:
    """Write text and spans of each sentence as one line of JSON; `label` is left out where there are no tags."""
    for sentence in sentences:
        value: JsonObject = {"text": sentence.text}
        if sentence.tags is not None or sentence.spans:
            value["label"] = [[span.start, span.end, span.label] for span in character_spans(sentence, scheme)]
        stream.write(json.dumps(value, ensure_ascii=False) + "\n")


def _record(tally: Tally, where: str, line: int, value: JsonObject) -> LabeledText:
    text = get(where, value, "text" if "text" in value or "data" not in value else "data", str)
    for field, what in _LEFT_OUT.items():
        if value.get(field):
            tally.add(f"records with {what}, which tags cannot hold; the {what} are left out")
    key = next((key for key in LABEL_KEYS if key in value), None)
    if key is None:
        tally.add("records without labels, read as untagged")
        return LabeledText(line=line, text=text, spans=None)
    spans = tuple(_span(f"{where}: {key}[{i}]", entry, text) for i, entry in enumerate(get(where, value, key, list)))
    return LabeledText(line=line, text=text, spans=spans)


def _span(where: str, entry: Any, text: str) -> Span:
    if isinstance(entry, list) and len(entry) == 3:
        entry = dict(zip(("start_offset", "end_offset", "label"), entry, strict=True))
    if not isinstance(entry, dict):
        raise FormatError(f'{where}: expected [start, end, "label"], found {kind_of(entry)}; export sequence labels')
    start, end = get(where, entry, "start_offset", int), get(where, entry, "end_offset", int)
    check_edges(where, start, end, text)
    return Span(start=start, end=end, label=get(where, entry, "label", str))
