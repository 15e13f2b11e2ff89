"""docs/text.md: its examples run, and every tokenizer and scheme is on it."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from gatewise.text import SPAN_SCHEMES, TOKENIZERS, Span, tags_from_spans

PAGE = Path(__file__).parents[2] / "docs" / "text.md"
pytestmark = pytest.mark.source


def test_the_examples_of_the_page_run() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8", verbose=False)
    assert (failed, tried > 15) == (0, True)


def test_every_tokenizer_and_scheme_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{tokenizer}` |" in page for tokenizer in TOKENIZERS)
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\| `([^`]+)` \|", page, re.MULTILINE))
    spans = [Span(start=0, end=3, label="A"), Span(start=3, end=4, label="A"), Span(start=4, end=5, label="B")]
    for scheme in SPAN_SCHEMES:
        assert rows[scheme].split() == tags_from_spans(spans, 5, scheme)
