"""What readers and writers tell to `notify`: lines no sentence holds, columns that are not kept, bytes that go."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gatewise.formats import write_conll, write_conllu, write_sentences
from gatewise.formats.conll import locate_conll, read_conll
from gatewise.formats.conllu import locate_conllu, read_conllu
from gatewise.formats.line_ends import say_line_ends
from gatewise.formats.losses import Losses
from gatewise.text import Sentence, Token, sentence_from_forms

# French "au" is one token of two words
AU = (
    "# sent_id = s1\n# text = au lac\n1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tà\tà\tADP\tP\t_\t_\t_\t_\t_\n2\tle\tle\tDET\tD\t_\t_\t_\t_\t_\n3\tlac\tlac\tNOUN\tN\t_\t_\t_\t_\t_\n\n"
)


@pytest.fixture
def conllu(tmp_path: Path) -> list[Sentence]:
    (tmp_path / "a.conllu").write_text(AU * 3, encoding="utf-8")
    return list(read_conllu(tmp_path / "a.conllu"))


def test_conllu_tells_of_sentences_written_anew(conllu: list[Sentence]) -> None:
    first, second, third = conllu
    glued = Token(text="au lac", start=0, end=6)
    changed = [
        first.with_tags(["ADP+X", "NOUN"]),
        second.with_tags(["X", "NOUN"]),
        third.with_tags(["X", "Y"]),
        replace(first, tokens=(glued,), tags=("Z",)),
        sentence_from_forms(["new"], ["X"]),
        replace(first, layer="of another format", tags=("A", "B")),
    ]
    said: list[str] = []
    stream = io.StringIO()
    write_conllu(changed, stream, notify=said.append)
    assert stream.getvalue().count("sent_id") == 1
    assert said == [
        "conllu: 2 sentences whose other columns and comments could not be kept: the tag of a multiword token does not "
        "name one tag for each of its words",
        "conllu: 1 sentences whose other columns and comments could not be kept: they have another text or other "
        "tokens than in their file",
    ]


def test_nothing_is_told_when_nothing_is_lost(conllu: list[Sentence], caplog: pytest.LogCaptureFixture) -> None:
    write_conllu([*conllu, conllu[0].with_tags(["A+B", "C"]), sentence_from_forms(["x"])], io.StringIO())
    assert told(caplog) == []
    write_sentences([conllu[0].with_tags(["A", "C"])], io.StringIO(), "conllu")
    assert [message.partition(":")[0] for message in told(caplog)] == ["conllu"]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What gatewise logged; a library that another test has used may log on, from a thread of its own."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("gatewise")]


@pytest.mark.parametrize(
    ("lines", "has_more"),
    [
        ("# text = a b\n1\ta\t_\tX\t_\t_\t_\t_\t_\tSpaceAfter=No\n2\tb\t_\tY\t_\t_\t_\t_\t_\t_\n", False),
        ("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", False),
        ("# id = 1\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", True),
        ("1\ta\t_\tX\tZ\t_\t_\t_\t_\t_\n", True),
        ("1\ta\tb\tX\t_\t_\t_\t_\t_\t_\n", True),
        ("1\ta\t_\tX\t_\t_\t_\t_\t_\tGloss=b\n", True),
        ("0.1\tb\t_\t_\t_\t_\t_\t_\t_\t_\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", True),
        ("1-2\tab\t_\t_\t_\t_\t_\t_\t_\t_\n" + "1\ta" + "\t_" * 8 + "\n2\tb" + "\t_" * 8 + "\n", True),
    ],
)
def test_only_what_there_is_in_conllu_is_lost(tmp_path: Path, lines: str, has_more: bool) -> None:
    (tmp_path / "a.conllu").write_text(lines + "\n", encoding="utf-8")
    [sentence] = read_conllu(tmp_path / "a.conllu")
    losses = Losses("jsonl")
    assert list(losses.passing([sentence])) == [sentence]
    told = "jsonl cannot hold what else CoNLL-U says (comments, lemmas, features, heads): lost in 1 sentence"
    assert losses.lines() == [told] * has_more


def test_tokens_that_may_be_comments_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("# title\n# next\n小 B-PER\n\n# O\n明 O\n\n# title\n天 O\n", encoding="utf-8")
    said: list[str] = []
    assert len(list(locate_conll(path, notify=said.append))) == 3
    assert said == [
        f"{path}:1: 3 lines are read as the token # with a tag that no other token has; if they are comments, leave "
        "them out, or write them with another number of words"
    ]
    said.clear()
    path.write_text("# O\n小 O\n\n# title\n小\tO\n\n", encoding="utf-8")
    assert len(list(locate_conll(path, notify=said.append))) == 2
    assert len(list(locate_conll(path, columns=("token", "_"), notify=said.append))) == 2
    assert said == []


def test_columns_tell_of_sentences_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a\tNN\n\n# id 1 x\nb\tNN\n\nc\tNN\n\n", encoding="utf-8")
    bare = list(read_conll(path, columns=("token", "_")))
    said: list[str] = []
    stream = io.StringIO()
    write_conll([sentence.with_tags("X") for sentence in bare], stream, notify=said.append)
    assert stream.getvalue() == "a\tX\n\nb\tX\n\nc\tX\n\n"
    assert said == [
        "conll: 3 sentences whose other columns and comments could not be kept: they have other tokens than in their "
        "file, or tags where it has no column for them"
    ]
    said = []
    whole = read_conll(path)
    write_conll([sentence.with_tags("X") for sentence in whole], io.StringIO(), notify=said.append)
    assert said == []


@pytest.mark.parametrize(
    ("after", "count"),
    [("", 0), ("\n\n \n", 0), ("# the end x\n\n-DOCSTART- O\n", 2), ("\n# the end x\n# of it all\n\n# bye bye x", 3)],
)
def test_lines_after_the_last_sentence_of_columns(tmp_path: Path, after: str, count: int) -> None:
    path = tmp_path / "a.conll"
    path.write_text("# not this x\na O\n\nb O\n\n" + after, encoding="utf-8")
    said: list[str] = []
    assert [located.sentence.text for located in locate_conll(path, notify=said.append)] == ["a", "b"]
    told = f"{path}: {count} lines after the last sentence (comments, document marks), left out"
    assert said == [told] * (count > 0)


@pytest.mark.parametrize(("after", "count"), [("", 0), ("\n\n", 0), ("# the end\n#\n\n", 2), ("\n# a\n\n# b\n", 2)])
def test_comments_after_the_last_sentence_of_conllu(tmp_path: Path, after: str, count: int) -> None:
    path = tmp_path / "a.conllu"
    path.write_text("# of the file\n\n" + AU + after, encoding="utf-8")
    said: list[str] = []
    assert len(list(locate_conllu(path, notify=said.append))) == 1
    assert said == [f"{path}: {count} comments after the last sentence, left out"] * (count > 0)


MARK = "a byte order mark at the beginning, left out"
RETURNS = "lines that end in CR LF, read as LF"


@pytest.mark.parametrize("size", [3, 5, 11, 1 << 16])  # 5 and 11 cut a CR LF in two
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", []),
        (b"a\nb\rc\n\r", []),
        (b"a\nbc\r\nd\n", [RETURNS]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbf", [MARK]),
        (b"\xef\xbb\xbfabcdefg\r\n\r\n", [MARK, RETURNS]),
    ],
)
def test_bytes_that_go(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    told: list[str],
    pack: Callable[[bytes], bytes],
    size: int,
) -> None:
    monkeypatch.setattr("gatewise.formats.line_ends.CHUNK", size)
    path = tmp_path / "a.conll"
    path.write_bytes(pack(content))
    said: list[str] = []
    say_line_ends(path, said.append)
    assert said == [f"{path}: {what}" for what in told]
