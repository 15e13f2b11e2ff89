"""CLUENER 2020's files: `{"text": "叶老桂说", "label": {"name": {"叶老桂": [[0, 2]]}}}`, one object a line.

Under each label stand the strings that bear it, and under each string where it stands: characters (code points), the
end INCLUSIVE, so that [0, 2] covers three. A record without `label` (the test split) is untagged. The format holds
neither tokens nor scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import OnBroken
from gatewise.formats.json_fields import JsonObject, check_edges, check_quote, get, kind_of
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment, LabeledText, locate_labeled
from gatewise.formats.source import Located, Source, checked
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Span
from gatewise.text.align import character_spans


def read_cluener(path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT) -> Iterator[Sentence]:
    """The sentences of a file in CLUENER's form, tagged as `alignment` says."""
    return checked(path, locate_cluener(path, alignment=alignment), None)


def locate_cluener(
    path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_cluener`, with the line of each token.

    With `broken`, which is told of them, records that cannot be read are left out.
    """
    tally = Tally()
    return locate_labeled(path, partial(_record, tally), alignment, tally, broken)


def write_cluener(sentences: Iterable[Sentence], stream: TextIO, scheme: str | None = None) -> None:
    """Write text and spans of each sentence as one line of JSON; `label` is left out where there are no tags."""
    for sentence in sentences:
        value: JsonObject = {"text": sentence.text}
        if sentence.tags is not None or sentence.spans:
            labels: dict[str, dict[str, list[list[int]]]] = {}
            for span in character_spans(sentence, scheme):
                places = labels.setdefault(span.label, {}).setdefault(sentence.text[span.start : span.end], [])
                places.append([span.start, span.end - 1])
            value["label"] = labels
        stream.write(json.dumps(value, ensure_ascii=False) + "\n")


def _record(tally: Tally, where: str, line: int, value: JsonObject) -> LabeledText:
    text = get(where, value, "text", str)
    if "label" not in value:
        tally.add("records without labels, read as untagged")
        return LabeledText(line=line, text=text, spans=None)
    spans = tuple(
        _span(f'{where}: "{label}" "{quote}"', label, quote, place, text)
        for label, quotes in get(where, value, "label", dict).items()
        for quote in _object(f'{where}: "{label}"', quotes)
        for place in get(f'{where}: "{label}"', quotes, quote, list)
    )
    return LabeledText(line=line, text=text, spans=spans)


def _object(where: str, value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise FormatError(
            f'{where}: expected {{"string": [[start, end]]}}, found {kind_of(value)}; see CLUENER\'s files'
        )
    return value


def _span(where: str, label: str, quote: str, place: Any, text: str) -> Span:
    is_pair = isinstance(place, list) and len(place) == 2 and all(type(edge) is int for edge in place)
    if not is_pair:
        raise FormatError(f"{where}: expected [start, end], found {json.dumps(place)[:60]}; write two whole numbers")
    start, end = place[0], place[1] + 1
    check_edges(where, start, end, text)
    if quote == text[start : end - 1]:
        raise FormatError(
            f"{where}: expected an inclusive end, {end - 2}, found {end - 1}; "
            "the end of a span in CLUENER's form is its last character"
        )
    check_quote(where, start, end, text, quote)
    return Span(start=start, end=end, label=label)
