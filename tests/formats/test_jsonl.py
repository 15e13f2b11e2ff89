"""JSON lines: the object by hand, round trips of any text, and what is said of a broken line."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import FormatError
from gatewise.formats import read_jsonl, write_jsonl
from gatewise.text import Sentence, TextSpan, sentence_from_forms, tokenize


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_the_object() -> None:
    sentence = replace(
        sentence_from_forms(["叫", "小明"], ["O", "S-PER"]),
        scores=(0.75, 0.5),
        spans=(TextSpan(start=1, end=3, label="PER", text="小明", score=0.25),),
    )
    stream = io.StringIO()
    write_jsonl([sentence, tokenize("x", "words")], stream)
    first, second = stream.getvalue().splitlines()
    assert "小明" in first
    assert json.loads(first) == {
        "text": "叫小明",
        "tokens": [
            {"text": "叫", "start": 0, "end": 1, "tag": "O", "score": 0.75},
            {"text": "小明", "start": 1, "end": 3, "tag": "S-PER", "score": 0.5},
        ],
        "spans": [{"start": 1, "end": 3, "label": "PER", "text": "小明", "score": 0.25}],
    }
    assert json.loads(second)["tokens"] == [{"text": "x", "start": 0, "end": 1, "tag": None, "score": None}]


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    text = draw(st.text(st.characters(exclude_categories=["Cs"])))
    sentence = tokenize(text, draw(st.sampled_from(["characters", "words", "whitespace"])))
    if not len(sentence) or draw(st.booleans()):
        return sentence
    first = sentence.tokens[0]
    span = TextSpan(start=first.start, end=first.end, label="人", text=first.text, score=draw(st.floats(0, 1)))
    scores = tuple(draw(st.floats(0, 1)) for _ in sentence)
    return replace(sentence.with_tags("T" for _ in sentence), scores=scores, spans=(span,))


@given(corpus=st.lists(sentences()))
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, corpus: list[Sentence]) -> None:
    stream = io.StringIO()
    write_jsonl(corpus, stream)
    assert list(read_jsonl(written(tmp_path_factory.getbasetemp() / "round.jsonl", stream.getvalue()))) == corpus


def test_the_text_is_enough_and_blank_lines_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "我"}\r\n\n{"text": "", "tokens": []}')
    assert list(read_jsonl(path)) == [Sentence(text="我", tokens=()), Sentence(text="", tokens=())]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "expected a JSON object, found broken JSON ("),
        ('["我"]', 'expected a JSON object with "text", found a list; write one object a line'),
        ('{"Text": "我"}', 'expected a string under "text", found nothing; see the format'),
        ('{"text": 3}', 'expected a string under "text", found 3; see the format'),
        ('{"text": "我", "tokens": "我"}', 'expected a list under "tokens", found "我"; see the format'),
        ('{"text": "我", "tokens": [4]}', "tokens[0]: expected an object, found 4; write {…}"),
        ('{"text": "我", "tokens": [{"start": 0}]}', 'tokens[0]: expected a whole number under "end", found nothing;'),
        ('{"text": "我", "tokens": [{"start": true, "end": 1}]}', 'expected a whole number under "start", found true;'),
        ('{"text": "我", "tokens": [{"start": 0, "end": 3}]}', "tokens[0]: expected 0 ≤ start < end ≤ 1 (the length"),
        (
            '{"text": "我叫", "tokens": [{"start": 1, "end": 2, "text": "我"}]}',
            'tokens[0]: expected "叫", which stands at 1…2 of the text, found "我"; count characters',
        ),
        (
            '{"text": "我叫", "tokens": [{"start": 0, "end": 2}, {"start": 1, "end": 2}]}',
            "tokens[1]: expected a start from 2 on, where the token before ends, found 1; sort the tokens",
        ),
        (
            '{"text": "我叫", "tokens": [{"start": 0, "end": 1, "tag": "X"}, {"start": 1, "end": 2}]}',
            "tokens[1]: expected a tag, found none; give every token one, or none of them",
        ),
        ('{"text": "我", "spans": [{"start": 0, "end": 1, "label": 1}]}', 'spans[0]: expected a string under "label"'),
    ],
)
def test_what_is_said_of_a_broken_line(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "x"}\n' + line + "\n")
    with pytest.raises(FormatError) as caught:
        list(read_jsonl(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)
