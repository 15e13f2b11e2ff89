"""Segmented text: words apart by any white space, whose text has none beside Chinese; broken lines are told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gatewise.errors import FormatError
from gatewise.formats import locate_sentences, read_sentences

CONTENT = "迈向  充满　希望 的\t新  世纪\n\n  Python 3 很  好 \r\n"


def test_words_and_the_text_they_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "train.utf8"
    path.write_bytes(gzip.compress(CONTENT.encode()))
    first, empty, last = read_sentences(path, "segmented")
    assert first.forms == ("迈向", "充满", "希望", "的", "新", "世纪")
    assert (first.text, first.tags) == ("迈向充满希望的新世纪", None)
    assert [first.text[token.start : token.end] for token in first.tokens] == list(first.forms)
    assert len(empty) == 0
    assert (last.text, last.forms) == ("Python 3很好", ("Python", "3", "很", "好"))


def test_each_token_knows_its_line(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(CONTENT, encoding="utf-8")
    assert [found.lines for found in locate_sentences(path, "segmented")] == [(1,) * 6, (2,), (3,) * 4]


def test_a_line_that_is_no_text_is_named_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes("我 来\n".encode() + b"\xff\xfe\n" + "你 也 来\n".encode())
    with pytest.raises(FormatError, match=r"train\.txt:2: "):
        list(read_sentences(path, "segmented"))
    told = []
    kept = [found.sentence.forms for found in locate_sentences(path, "segmented", broken=told.append)]
    assert kept == [("我", "来"), ("你", "也", "来")]
    assert [(broken.line, broken.raw) for broken in told] == [(2, b"\xff\xfe")]
