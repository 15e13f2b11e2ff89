"""docs/formats.md, held against the code: its table names every format, its examples are read as it says."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from gatewise.formats import (
    BINARY_FORMATS,
    FORMATS,
    OUTPUT_FORMATS,
    detect_format,
    format_of_name,
    read_sentences,
    write_sentences,
)
from gatewise.text import sentence_from_forms

pytestmark = pytest.mark.source

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "formats.md"
DOCUMENT = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""  # beside the wheel alone these tests do not run
EXAMPLES = re.findall(r"```([\w-]+)\n(.*?)```", DOCUMENT, flags=re.DOTALL)
ROWS = re.findall(r"^\| `([\w-]+)` \|(.*?)\|(.*?)\|(.*?)\|", DOCUMENT, flags=re.MULTILINE)
SENTENCE = sentence_from_forms(["小", "明", "来", "了"], ["B-PER", "I-PER", "O", "O"])


def test_the_table_names_every_format() -> None:
    assert {name for name, _, read, _ in ROWS if "●" in read} == set(FORMATS)
    assert {name for name, _, _, written in ROWS if "●" in written} == {*OUTPUT_FORMATS, *BINARY_FORMATS}


def test_the_names_in_the_table_are_known() -> None:
    for format, names, _, _ in ROWS:
        for name in re.findall(r"`(\.\w+)`", names):
            assert format_of_name(f"a{name}") in (format, "jsonl", None)
            assert format_of_name(f"a{name}.gz") == format_of_name(f"a{name}")


@pytest.mark.parametrize(("format", "content"), EXAMPLES, ids=[format for format, _ in EXAMPLES])
def test_each_example_is_read_as_it_says(tmp_path: Path, format: str, content: str) -> None:
    path = tmp_path / "example.dat"
    path.write_text(content, encoding="utf-8")
    assert detect_format(path) == format
    assert list(read_sentences(path)) == [SENTENCE]
    stream = io.StringIO()
    write_sentences(read_sentences(path), stream, format)
    if '"id"' not in content:
        assert stream.getvalue() == content


def test_there_is_an_example_of_each_format_of_text() -> None:
    assert {format for format, _ in EXAMPLES} == set(OUTPUT_FORMATS) - {"conllu", "inline"}
