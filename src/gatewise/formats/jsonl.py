"""JSON lines: one sentence a line, with offsets, tags and probabilities; it holds any text.

A line is `{"text", "tokens": [{"text", "start", "end", "tag", "score"}], "spans": [{"start", "end", "label", "text",
"score"}]}`; offsets count characters of the text, half-open; `tag` of a token and every `score` are null when unknown.
Reading needs `text` only; a token's `text`, `tag` and `score`, and `spans`, may be absent. Where a model has further
heads, `heads` maps the name of each to its `{"tags", "scores", "spans"}`, a tag and a score for each of the tokens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import ESCAPE, OnBroken, attempt
from gatewise.formats.json_fields import JsonObject, edges, get, objects, tokens_in
from gatewise.formats.json_items import parse_object
from gatewise.formats.source import Located, Source, checked, numbered_lines, source_name
from gatewise.text import NO_HEADS, Heads, Sentence, TextSpan


def write_jsonl(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write each sentence as one line of JSON; Chinese stays readable."""
    for sentence in sentences:
        stream.write(json.dumps(_object(sentence), ensure_ascii=False, allow_nan=False) + "\n")


def write_n_best(rankings: Iterable[tuple[Sentence, Sequence[Sentence]]], stream: TextIO) -> None:
    """Write sentences with their n best taggings, the most probable first.

    A line is that of `write_jsonl` for the best one, and has all of them under `n_best`: a list of `{"probability",
    "tags", "spans"}`.
    """
    for sentence, ranked in rankings:
        entries = [
            {"probability": entry.path_probability, "tags": entry.tags, "spans": _object(entry)["spans"]}
            for entry in ranked
        ]
        line = _object(ranked[0] if ranked else sentence) | {"n_best": entries}
        stream.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def read_jsonl(path: Source, *, scheme: str | None = None) -> Iterator[Sentence]:
    """The sentences of a file of JSON lines, read as they are asked for; blank lines are left out.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_jsonl(path), scheme)


def locate_jsonl(path: Source, *, broken: OnBroken | None = None) -> Iterator[Located]:
    """As `read_jsonl`, unchecked, with the line of each token.

    With `broken`, which is told of them, lines that cannot be read are left out.
    """
    for number, line in numbered_lines(path, errors="strict" if broken is None else ESCAPE):
        if line.strip(" \t"):
            parse = partial(parse_sentence, f"{source_name(path)}:{number}", line)
            sentence = attempt(path, [(number, line)], parse, broken)
            if sentence is not None:
                yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))


def _object(sentence: Sentence) -> JsonObject:
    nothing = (None,) * len(sentence)
    tags: tuple[str | None, ...] = nothing if sentence.tags is None else sentence.tags
    scores: tuple[float | None, ...] = nothing if sentence.scores is None else sentence.scores
    tokens = [
        {"text": token.text, "start": token.start, "end": token.end, "tag": tag, "score": _known(score)}
        for token, tag, score in zip(sentence.tokens, tags, scores, strict=True)
    ]
    written: JsonObject = {"text": sentence.text, "tokens": tokens, "spans": _spans(sentence)}
    if sentence.heads:
        written["heads"] = {name: _head_object(said) for name, said in sentence.heads.items()}
    return written


def _spans(sentence: Sentence) -> list[JsonObject]:
    return [
        {
            "start": span.start,
            "end": span.end,
            "label": span.label,
            "text": span.text,
            "score": _known(span.score),
        }
        for span in sentence.spans
    ]


def _head_object(said: Sentence) -> JsonObject:
    tags = None if said.tags is None else list(said.tags)
    scores = None if said.scores is None else [_known(score) for score in said.scores]
    return {"tags": tags, "scores": scores, "spans": _spans(said)}


def _known(score: float | None) -> float | None:
    return None if score is None or math.isnan(score) else score


def parse_sentence(where: str, line: str) -> Sentence:
    """The sentence of one line. Raises FormatError with its place."""
    value = parse_object(where, line)
    text = get(where, value, "text", str)
    entries = objects(where, value, "tokens")
    bare = Sentence(text=text, tokens=tokens_in(where, entries, text))
    return replace(
        bare,
        tags=_all_or_none(where, entries, "tag", str),
        scores=_all_or_none(where, entries, "score", float),
        spans=_read_spans(where, value, text),
        heads=_heads(where, value, bare),
    )


def _heads(where: str, value: JsonObject, bare: Sentence) -> Heads:
    """What further heads say of these tokens."""
    if "heads" not in value:
        return NO_HEADS
    found = {}
    for name in get(where, value, "heads", dict):
        place, said = f"{where}: heads.{name}", get(f"{where}: heads", value["heads"], name, dict)
        found[name] = replace(
            bare,
            tags=_values(place, said, "tags", str, len(bare)),
            scores=_values(place, said, "scores", float, len(bare)),
            spans=_read_spans(place, said, bare.text),
        )
    return Heads(found)


def _values(where: str, said: JsonObject, key: str, kind: type, count: int) -> tuple[Any, ...] | None:
    """One value of this kind for each of `count` tokens, or none at all."""
    if said.get(key) is None:
        return None
    values = get(where, said, key, list)
    if len(values) != count:
        raise FormatError(
            f"{where}: {key}: expected one for each of {count} tokens, found {len(values)}; mend the line"
        )
    return tuple(
        math.nan if kind is float and found is None else get(f"{where}: {key}", {str(i): found}, str(i), kind)
        for i, found in enumerate(values)
    )


def _read_spans(where: str, value: JsonObject, text: str) -> tuple[TextSpan, ...]:
    return tuple(_span(f"{where}: spans[{i}]", e, text) for i, e in enumerate(objects(where, value, "spans")))


def _span(where: str, entry: JsonObject, text: str) -> TextSpan:
    start, end = edges(where, entry, text)
    label = get(where, entry, "label", str)
    score = math.nan if entry.get("score", 0) is None else get(where, entry, "score", float)
    return TextSpan(start=start, end=end, label=label, text=text[start:end], score=score)


def _all_or_none(where: str, entries: list[JsonObject], key: str, kind: type) -> tuple[Any, ...] | None:
    known = [index for index, entry in enumerate(entries) if entry.get(key) is not None]
    if not known:
        return None
    if kind is float and all(key in entry for entry in entries):  # null: the score of this token is not known
        known = list(range(len(entries)))
    if len(known) < len(entries):
        index = next(i for i, entry in enumerate(entries) if entry.get(key) is None)
        raise FormatError(
            f"{where}: tokens[{index}]: expected a {key}, found none; give every token one, or none of them"
        )
    return tuple(
        math.nan if kind is float and entry[key] is None else get(f"{where}: tokens[{i}]", entry, key, kind)
        for i, entry in enumerate(entries)
    )
