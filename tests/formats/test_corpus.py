"""Any format: detection by name and content, reading, scheme of a file, plain lines, the inline view."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gatewise.errors import FormatError
from gatewise.formats import (
    FORMATS,
    OUTPUT_FORMATS,
    detect_file_scheme,
    detect_format,
    format_inline,
    read_lines,
    read_sentences,
    write_sentences,
)
from gatewise.text import TextSpan, sentence_from_forms, tokenize

CONLLU = "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        *((f"a{end}", "", "conll") for end in (".conll", ".tsv", ".bio", ".BMES", ".iob2")),
        ("a.conllu", "", "conllu"),
        ("a.jsonl", "", "jsonl"),
        ("a.txt", "我叫小明\n他在北京\n", "text"),
        ("a.txt", "", "text"),
        ("a.txt", "小 B-PER\n明 I-PER\n\n", "conll"),
        ("a.train", "-DOCSTART- -X- O\n\nEU NNP B-ORG\nsays VBZ O\n", "conll"),
        ("a.txt", "# text = a\n" + CONLLU, "conllu"),
        ("a.out", '\n{"text": "我"}\n', "jsonl"),
    ],
)
def test_detect_format(tmp_path: Path, name: str, content: str, expected: str) -> None:
    assert detect_format(written(tmp_path / name, content)) == expected
    assert expected in FORMATS


def test_a_format_that_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"found neither; name the format: conll, .*, text$"):
        detect_format(written(tmp_path / "a.dat", "Call me Ishmael.\n"))
    with pytest.raises(FormatError, match="<standard input>: expected the name of a format, found none"):
        detect_format("-")
    with pytest.raises(FormatError, match="found nothing under this name"):
        detect_format(tmp_path / "none.conll")


def test_read_sentences_takes_every_labeled_format(tmp_path: Path) -> None:
    by_name = [
        written(tmp_path / "a.conll", "a X\n"),
        written(tmp_path / "a.conllu", CONLLU),
        written(tmp_path / "a.jsonl", '{"text": "a", "tokens": [{"start": 0, "end": 1, "tag": "X"}]}'),
    ]
    for path in by_name:
        assert list(read_sentences(path)) == [sentence_from_forms(["a"], ["X"])]
    odd = written(tmp_path / "a.dat", "a X B\n")
    assert next(read_sentences(odd, "conll", ("token", "_", "tag"))).tags == ("B",)


def test_formats_that_read_sentences_refuses(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "我叫小明\n")
    with pytest.raises(FormatError, match=r"a\.txt: expected labeled sentences, found plain text; name the format"):
        read_sentences(path)
    with pytest.raises(FormatError, match=r'expected a format \(conll, .*, text\), found "xml"; choose'):
        read_sentences(path, "xml")
    with pytest.raises(FormatError, match=r'expected a format \(inline, .*, cluener\), found "text"; choose'):
        write_sentences([], io.StringIO(), "text")


def test_the_scheme_of_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "小 B-PER\n明 E-PER\n\n我 O\n")
    assert detect_file_scheme(path).scheme == "BIOES"
    broken = written(tmp_path / "b.conll", "小 B-PER\n明 E-PER\n\n\n我 O\n明 E-PER\n")
    with pytest.raises(FormatError) as caught:
        detect_file_scheme(broken)
    assert str(caught.value).startswith(f'{broken}:6: expected "O", "B-…" or "S-…" after "O" (BIOES), found "E-PER"; ')


def test_lines_come_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = "\ufeff我 叫\u2028x\r\n\n  y \x0c\nlast".encode()
    expected = ["我 叫\u2028x", "", "  y \x0c", "last"]
    assert list(read_lines(written(tmp_path / "a.txt", raw))) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert list(read_lines("-")) == expected


def span(start: int, end: int, label: str, text: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, text=text, score=0.5)


def test_inline() -> None:
    characters = tokenize("我叫 小明", "characters")
    words = replace(characters, spans=(span(0, 1, "PRON", "我"), span(1, 2, "VERB", "叫"), span(3, 5, "PROPN", "小明")))
    assert format_inline(words) == "我/PRON 叫/VERB 小明/PROPN"
    names = replace(characters, spans=(span(3, 5, "NAME", "小明"),))
    assert format_inline(names) == "我叫 [小明 NAME]"
    assert format_inline(characters) == "我叫 小明"
    assert format_inline(characters.with_tags("OOOO")) == "我叫 小明"
    assert format_inline(sentence_from_forms(["EU", "says"], ["PROPN", "VERB"])) == "EU/PROPN says/VERB"
    assert format_inline(tokenize("", "words")) == ""


def test_every_output_format_writes_a_tagged_sentence() -> None:
    sentence = sentence_from_forms(["我"], ["S-X"])
    for format in OUTPUT_FORMATS:
        stream = io.StringIO()
        write_sentences([sentence], stream, format)
        assert stream.getvalue().endswith("\n")
        assert "我" in stream.getvalue()
