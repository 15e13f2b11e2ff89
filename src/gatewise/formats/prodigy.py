"""Prodigy's annotations: `{"text", "tokens": [{"text", "start", "end", "id", "ws"}], "spans": [{"start", "end",
"label", "token_start", "token_end"}], "answer": "accept"}`, one object a line.

Offsets count characters (code points), half-open; `token_start` and `token_end` count tokens and are INCLUSIVE both.
Its own tokens are taken, without those that are white space alone, unless a tokenizer is asked for. Examples that are
rejected, ignored, or yes/no answers about one span (`_is_binary`) do not say what the whole text holds: they are
counted and left out. The format holds no scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import OnBroken
from gatewise.formats.json_fields import JsonObject, edges, get, objects, tokens_in
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment, LabeledText, locate_labeled
from gatewise.formats.source import Located, Source, checked
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Span
from gatewise.text.align import align_spans, character_spans


def read_prodigy(path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT) -> Iterator[Sentence]:
    """The accepted examples of a file that Prodigy wrote (`db-out`), tagged as `alignment` says."""
    return checked(path, locate_prodigy(path, alignment=alignment), None)


def locate_prodigy(
    path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_prodigy`, with the line of each token.

    With `broken`, which is told of them, records that cannot be read are left out.
    """
    tally = Tally()
    return locate_labeled(path, partial(_record, tally), alignment, tally, broken)


def write_prodigy(sentences: Iterable[Sentence], stream: TextIO, scheme: str | None = None) -> None:
    """Write each sentence as one line of JSON, an accepted answer where it is tagged."""
    for sentence in sentences:
        value: JsonObject = {"text": sentence.text, "tokens": _tokens(sentence)}
        if sentence.tags is not None or sentence.spans:
            value |= {"spans": _spans(sentence, scheme), "answer": "accept"}
        stream.write(json.dumps(value, ensure_ascii=False) + "\n")


def _tokens(sentence: Sentence) -> list[JsonObject]:
    text = sentence.text
    return [
        {"text": token.text, "start": token.start, "end": token.end, "id": i, "ws": text[token.end :][:1].isspace()}
        for i, token in enumerate(sentence.tokens)
    ]


def _spans(sentence: Sentence, scheme: str | None) -> list[JsonObject]:
    spans = []
    for span in character_spans(sentence, scheme):
        value: JsonObject = {"start": span.start, "end": span.end}
        if fitting := align_spans(sentence, [span]).spans:
            value |= {"token_start": fitting[0].start, "token_end": fitting[0].end - 1}
        spans.append(value | {"label": span.label})
    return spans


def _is_kept(where: str, value: JsonObject, tally: Tally) -> bool:
    answer = get(where, value, "answer", str) if "answer" in value else "accept"
    if answer not in ("accept", "reject", "ignore"):
        raise FormatError(f'{where}: expected the answer accept, reject or ignore, found "{answer}"; mend the answer')
    if answer != "accept":
        tally.add(f'examples with the answer "{answer}", left out')
    elif value.get("_is_binary") is True:
        tally.add("examples with a yes/no answer about one span, left out")
        return False
    return answer == "accept"


def _record(tally: Tally, where: str, line: int, value: JsonObject) -> LabeledText | None:
    if not _is_kept(where, value, tally):
        return None
    text = get(where, value, "text", str)
    tokens = None
    if "tokens" in value:
        found = tokens_in(where, objects(where, value, "tokens"), text)
        tokens = tuple(token for token in found if not token.text.isspace())
    entries = enumerate(objects(where, value, "spans"))
    spans = tuple(_span(f"{where}: spans[{i}]", entry, text) for i, entry in entries)
    is_labeled = "spans" in value or "answer" in value
    return LabeledText(line=line, text=text, spans=spans if is_labeled else None, tokens=tokens)


def _span(where: str, entry: JsonObject, text: str) -> Span:
    start, end = edges(where, entry, text)
    return Span(start=start, end=end, label=get(where, entry, "label", str))
