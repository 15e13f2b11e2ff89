"""Files in columns: what is read, what is written, and what is said of a broken line."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, FormatError
from gatewise.formats import read_conll, write_conll
from gatewise.formats.conll import locate_conll
from gatewise.formats.source import blocks
from gatewise.text import Sentence, sentence_from_forms


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "\n\n"])
def test_tabs_or_spaces_and_every_kind_of_line_end(tmp_path: Path, end: str, mark: str, last: str) -> None:
    lines = ["-DOCSTART- O", "", "EU   B-ORG", "New York\tB-LOC", " ", "", "小\tB-PER", "明\tI-PER"]
    path = written(tmp_path / "a.conll", mark + end.join(lines) + last.replace("\n", end))
    first, second = read_conll(path)
    assert (first.forms, first.tags) == (("EU", "New York"), ("B-ORG", "B-LOC"))
    assert (second.text, second.forms, second.tags) == ("小明", ("小", "明"), ("B-PER", "I-PER"))


def test_named_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "EU NNP B-ORG\nsays VBZ O\n")
    assert next(read_conll(path, columns=("token", "_", "tag"))).tags == ("B-ORG", "O")
    assert next(read_conll(path, columns=("_", "tag", "token"))).forms == ("B-ORG", "O")
    untagged = next(read_conll(path, columns=("token", "_", "_")))
    assert (untagged.forms, untagged.tags) == (("EU", "says"), None)


def test_unusual_line_separators_stay_in_the_token(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", "a\u2028b\tX\n\x85\tY\n")
    assert next(read_conll(path)).forms == ("a\u2028b", "\x85")


def test_gzip(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll.gz", gzip.compress("我\tX\n".encode()))
    assert [sentence.forms for sentence in read_conll(path)] == [("我",)]
    cut = written(tmp_path / "cut.conll.gz", gzip.compress(b"a\tX\n" * 9)[:-9])
    with pytest.raises(FormatError, match=r"cut\.conll\.gz: expected a complete gzip file, found a broken one"):
        list(read_conll(cut))


def test_sentences_come_before_the_end_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", b"a\tX\n\nb\tY\n\n" + b"broken\n" + b"\xff\n")
    sentences = read_conll(path)
    assert [next(sentences).forms, next(sentences).forms] == [("a",), ("b",)]
    with pytest.raises(FormatError):
        next(sentences)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a X\n\nEU NNP B-ORG\n", ':3: expected 2 columns, found 3 ("EU NNP B-ORG"); set --columns token,_,tag'),
        (b"a X\nEU\n", ':2: expected 2 columns, found 1 ("EU"); separate token and tag by a tab or a space, or set'),
        (b"a\tX\nb\t\n", ':2: expected a tag, found an empty one ("b "); write the tag, or leave the line out'),
        (b"\tX\n", ':1: expected a token, found an empty one (" X"); write the token, or leave the line out'),
        (b"a X\n\nb\xff Y\n", ":3: expected UTF-8, found the byte 0xFF after 1 good bytes; save the file as UTF-8"),
        ("a X\n".encode("utf-16"), ":1: expected UTF-8, found the byte 0xFF after 0 good bytes; save the file as"),
    ],
)
def test_what_is_said_of_a_broken_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path / "train.conll", content)
    with pytest.raises(FormatError) as caught:
        list(read_conll(path))
    assert str(caught.value).startswith(f"{path}{message}")


def test_a_tag_that_breaks_the_scheme_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a B-X\n\n\nb O\nc I-X\n")
    with pytest.raises(FormatError) as caught:
        list(read_conll(path, scheme="BIO"))
    expected = f'{path}:5: expected "O" or "B-…" after "O" (BIO), found "I-X"; mend the tag, or name another scheme'
    assert str(caught.value) == expected
    with pytest.raises(FormatError, match=r"a\.conll:1: expected a tag for every token, found none in this sentence"):
        list(read_conll(path, columns=("token", "_"), scheme="BIO"))


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"none\.conll: expected a file, found nothing under this name; check the path"
    ):
        list(read_conll(tmp_path / "none.conll"))
    with pytest.raises(FormatError, match="expected a file, found a directory; name a file in it"):
        list(read_conll(tmp_path))


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FormatError, match="found one that may not be read; change its permissions"):
        list(read_conll(tmp_path / "a.conll"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("token", "pos"), 'columns: expected "token", "tag" or "_", found "pos"; write "_" for what is not read'),
        (("tag", "_"), 'columns: expected "token" once and "tag" at most once, found "tag,_"; write'),
        (
            ("token", "tag", "tag"),
            'columns: expected "token" once and "tag" at most once, found "token,tag,tag"; write',
        ),
    ],
)
def test_wrong_columns_are_refused_before_reading(columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_conll("no such file", columns=columns)
    assert str(caught.value).startswith(message)


FORMS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r\ufeff"), min_size=1).filter(
    lambda form: form.strip(" ") != "" and not form.startswith("-DOCSTART-")
)
TAGGED = st.lists(st.tuples(FORMS, FORMS), min_size=1)


@given(corpus=st.lists(TAGGED))
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, corpus: list[list[tuple[str, str]]]) -> None:
    sentences = [sentence_from_forms([form for form, _ in rows], [tag for _, tag in rows]) for rows in corpus]
    stream = io.StringIO()
    write_conll([*sentences, Sentence(text="", tokens=())], stream)
    path = written(tmp_path_factory.getbasetemp() / "round.conll", stream.getvalue())
    assert list(read_conll(path)) == sentences


def test_written_text() -> None:
    stream = io.StringIO()
    write_conll([sentence_from_forms(["小明", "x y"], ["A", "B"]), sentence_from_forms(["z"])], stream)
    assert stream.getvalue() == "小明\tA\nx y\tB\n\nz\n\n"


@pytest.mark.parametrize("form", ["a\tb", "a\nb", "\r", "", " ", "-DOCSTART-"])
def test_a_token_that_would_not_read_back_is_refused(form: str) -> None:
    with pytest.raises(FormatError, match=r"^sentence 2: expected a token .*; write JSON lines \(jsonl\)"):
        write_conll([sentence_from_forms(["a"], ["X"]), sentence_from_forms([form], ["X"])], io.StringIO())


def test_a_token_with_a_space_needs_a_tag_beside_it() -> None:
    with pytest.raises(FormatError, match="expected a token that reads back from columns, found 'a b'"):
        write_conll([sentence_from_forms(["a b"])], io.StringIO())


def test_blocks_keep_line_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a", "\n\na\nb\n \t\n\nc")
    assert list(blocks(path)) == [[(3, "a"), (4, "b")], [(7, "c")]]


REMARKS = "-DOCSTART- -X- O O\n\n# id 3  domain x\n#\tB-X\nEU  B-ORG\n\n\n\n# O\n# O\nso\tO\n"


def test_comments_and_the_token_that_looks_like_one(tmp_path: Path) -> None:
    first, second = read_conll(written(tmp_path / "a.conll", REMARKS))
    assert (first.forms, first.tags) == (("#", "EU"), ("B-X", "B-ORG"))
    assert (second.forms, second.tags) == (("#", "#", "so"), ("O", "O", "O"))
    with pytest.raises(FormatError, match=r'b\.conll:2: expected 2 columns, found 3 \("# a comment"\)'):
        list(read_conll(written(tmp_path / "b.conll", "a O\n# a comment\n")))


@pytest.mark.parametrize(
    ("content", "forms", "comments"),
    [
        ("# title\n小\tO\n明\tO\n", "小明", 1),
        ("# title\n# part\n小\tO\n", "小", 2),
        ("# title\n#\tO\n小\tO\n", "#小", 1),
        ("# title\n小 O\n明 O\n", "#小明", 0),  # nothing tells it from a token
        ("# O\n小\tO\n", "#小", 0),
        ("# I-PER\n# x\n小\tO\n", "##小", 0),
        ("# title\n\n小\tO\n", "#", 0),
        ("#\ttitle\n小\tO\n", "#小", 0),
    ],
)
def test_comments_with_the_columns_of_a_token(tmp_path: Path, content: str, forms: str, comments: int) -> None:
    path = written(tmp_path / "a.conll", content)
    first, *rest = locate_conll(path)
    assert first.sentence.forms == tuple(forms)
    assert first.lines[0] == comments + 1
    stream = io.StringIO()
    write_conll([one.sentence for one in (first, *rest)], stream)
    assert stream.getvalue() == content


def test_a_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    sentences = list(read_conll(written(tmp_path / "a.conll", REMARKS)))
    stream = io.StringIO()
    write_conll(sentences, stream)
    assert stream.getvalue() == REMARKS
    stream = io.StringIO()
    write_conll([sentence.with_tags("Y" for _ in sentence) for sentence in sentences], stream)
    assert stream.getvalue() == REMARKS.replace("B-X", "Y").replace("B-ORG", "Y").replace("# O\n", "# Y\n").replace(
        "so\tO", "so\tY"
    )
    stream = io.StringIO()
    write_conll([sentences[1], sentences[0]], stream)  # the last sentence of a file is not closed by a blank line
    assert stream.getvalue().startswith("\n\n# Y\n".replace("Y", "O") + "# O\nso\tO\n\n-DOCSTART-")


def test_a_document_mark_right_after_a_token_ends_the_sentence(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a O\n-DOCSTART- O\nb O\n")
    assert [sentence.forms for sentence in read_conll(path)] == [("a",), ("b",)]


def test_other_tokens_are_written_anew(tmp_path: Path) -> None:
    [sentence] = read_conll(written(tmp_path / "a.conll", "a X B\n\n"), columns=("token", "_", "tag"))
    stream = io.StringIO()
    write_conll([replace(sentence, tokens=(), tags=()), replace(sentence, tags=None)], stream)
    assert stream.getvalue() == "a\n\n"
