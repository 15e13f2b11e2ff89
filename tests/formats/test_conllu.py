"""CoNLL-U: words, multiword tokens, empty nodes, offsets; the `conllu` library as the oracle on a real sample."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import conllu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, FormatError
from gatewise.formats import read_conllu, write_conllu
from gatewise.text import Sentence, Token, gaps, sentence_from_forms, tokenize

SAMPLE = Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample" / "sample.conllu"


def rows(*words: tuple[str, str, str, str]) -> str:
    """ID, FORM, UPOS and MISC of each line, the other columns empty; XPOS is the tag in lower case."""
    return "".join(f"{i}\t{form}\t_\t{tag}\t{tag.lower()}\t_\t_\t_\t_\t{misc}\n" for i, form, tag, misc in words)


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_real_sentences_are_those_of_the_conllu_library() -> None:
    expected = conllu.parse(SAMPLE.read_text(encoding="utf-8"))
    found = list(read_conllu(SAMPLE))
    assert len(found) == len(expected) == 20
    for sentence, theirs in zip(found, expected, strict=True):
        assert sentence.text == theirs.metadata["text"]
        assert list(sentence.forms) == [token["form"] for token in theirs]
        assert list(sentence.tags or ()) == [token["upos"] for token in theirs]
        assert all(sentence.text[token.start : token.end] == token.text for token in sentence)
    assert next(read_conllu(SAMPLE, column="xpos")).tags[:2] == ("RB", ",")


def test_what_we_write_is_what_the_conllu_library_reads(tmp_path: Path) -> None:
    sentences = [replace(sentence, layer=None) for sentence in read_conllu(SAMPLE)]
    stream = io.StringIO()
    write_conllu(sentences, stream)
    for sentence, theirs in zip(sentences, conllu.parse(stream.getvalue()), strict=True):
        assert theirs.metadata["text"] == sentence.text
        assert [(token["id"], token["form"], token["upos"]) for token in theirs] == [
            (index, *pair) for index, pair in enumerate(zip(sentence.forms, sentence.tags, strict=True), start=1)
        ]
        glued = [bool(token["misc"]) for token in theirs][:-1]
        assert glued == [gap == "" for gap in gaps(sentence)[1:-1]]
    assert list(read_conllu(written(tmp_path / "a.conllu", stream.getvalue()))) == sentences


MULTIWORD = "# text = Je n'y vais pas au 8e.\n" + rows(
    ("1", "Je", "PRON", "_"),
    ("2-3", "n'y", "_", "_"),
    ("2", "n'", "ADV", "_"),
    ("3", "y", "PRON", "_"),
    ("4", "vais", "VERB", "_"),
    ("4.1", "vais", "VERB", "_"),
    ("5", "pas", "ADV", "_"),
    ("6-7", "au", "_", "_"),
    ("6", "à", "ADP", "_"),
    ("7", "le", "DET", "_"),
    ("8", "8e", "ADJ", "SpaceAfter=No"),
    ("9", ".", "PUNCT", "_"),
)


@pytest.mark.parametrize("with_text", [True, False])
def test_multiword_tokens_and_empty_nodes(tmp_path: Path, with_text: bool) -> None:
    content = MULTIWORD if with_text else MULTIWORD.split("\n", 1)[1]
    (sentence,) = read_conllu(written(tmp_path / "a.conllu", content))
    assert sentence.text == "Je n'y vais pas au 8e."
    assert sentence.forms == ("Je", "n'", "y", "vais", "pas", "au", "8e", ".")
    assert sentence.tags == ("PRON", "ADV", "PRON", "VERB", "ADV", "ADP+DET", "ADJ", "PUNCT")
    assert [token.start for token in sentence] == [0, 3, 5, 7, 12, 16, 19, 21]


def test_without_a_text_chinese_words_are_joined(tmp_path: Path) -> None:
    content = rows(("1", "我", "P", "_"), ("2", "叫", "V", "_"), ("3", "Tom", "N", "_"), ("4", "Lee", "N", "_"))
    (sentence,) = read_conllu(written(tmp_path / "a.conllu", content))
    assert sentence.text == "我叫Tom Lee"


def test_spaces_of_the_text_are_kept_as_they_are(tmp_path: Path) -> None:
    content = "# text =  a\u3000 b c  \r\n" + rows(("1", "a", "X", "_"), ("2", "b c", "Y", "_")).replace("\n", "\r\n")
    (sentence,) = read_conllu(written(tmp_path / "a.conllu", content))
    assert gaps(sentence) == [" ", "\u3000 ", "  "]


def test_no_tags_at_all(tmp_path: Path) -> None:
    content = "# a file\n\n# text = \n\n" + rows(("1", "a", "_", "_"), ("2", "b", "_", "_"))
    empty, untagged = read_conllu(written(tmp_path / "a.conllu", content))
    assert empty == Sentence(text="", tokens=())
    assert (untagged.forms, untagged.tags) == (("a", "b"), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rows(("1", "a", "X", "_")) + "2 b X\n", ':2: expected 10 columns separated by tabs, found 1 ("2 b X"); write'),
        (rows(("x", "a", "X", "_")), ':1: expected an ID (3, 3-4 or 3.1) in the first column, found "x"; number'),
        (rows(("9" * 5000, "a", "X", "_")), ":1: expected an ID (3, 3-4 or 3.1) in the first column, found"),
        (rows(("_", "a", "X", "_")), ':1: expected an ID (3, 3-4 or 3.1) in the first column, found "_"; number'),
        (rows(("1", "a", "X", "_"), ("3", "b", "X", "_")), ":2: expected the ID 2, found 3; number the words 1, 2, 3"),
        (
            rows(("1-2", "ab", "_", "_"), ("1", "a", "X", "_")),
            ":2: expected words up to 2, where a multiword token ends",
        ),
        (
            "# text = a c\n" + rows(("1", "a", "X", "_"), ("2", "b", "X", "_")),
            ':3: expected "b" at character 2 of "# text", found "c"; mend the form or the text',
        ),
        (
            "# text = a c\n" + rows(("1", "a", "X", "_")),
            ':2: expected the end after the last word at character 1 of "# text", found " c"; mend',
        ),
        (
            rows(("1", "a", "X", "_"), ("2", "b", "_", "_")),
            ':2: expected a tag for "b", found _; tag every word, or none',
        ),
        (rows(("1", "", "X", "_")), ":1: expected a form and a tag, found an empty column; write _ in it"),
    ],
)
def test_what_is_said_of_a_broken_line(tmp_path: Path, content: str, message: str) -> None:
    path = written(tmp_path / "dev.conllu", content)
    with pytest.raises(FormatError) as caught:
        list(read_conllu(path))
    assert str(caught.value).startswith(f"{path}{message}")


def test_the_line_of_a_broken_tag_counts_comments_and_sentences(tmp_path: Path) -> None:
    content = "# c\n" + rows(("1", "a", "B-X", "_")) + "\n# d\n# e\n" + rows(("1", "b", "I-X", "_"))
    path = written(tmp_path / "a.conllu", content)
    with pytest.raises(FormatError, match=r"a\.conllu:6: expected .* at the start of the sentence \(BIO\), found"):
        list(read_conllu(path, scheme="BIO"))


def test_unknown_column() -> None:
    with pytest.raises(ConfigError, match='column: expected "upos" or "xpos", found "lemma"; choose one of these'):
        read_conllu(SAMPLE, column="lemma")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t"))


@given(texts=st.lists(TEXTS), tokenizer=st.sampled_from(["characters", "words", "whitespace"]))
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, texts: list[str], tokenizer: str) -> None:
    sentences = [tokenize(text, tokenizer) for text in texts]
    sentences += [
        sentence.with_tags("XYZ"[len(token) % 3] for token in sentence.forms) for sentence in sentences if len(sentence)
    ]
    stream = io.StringIO()
    write_conllu(sentences, stream)
    path = written(tmp_path_factory.getbasetemp() / "round.conllu", stream.getvalue())
    assert list(read_conllu(path)) == sentences


def test_written_text() -> None:
    stream = io.StringIO()
    write_conllu([sentence_from_forms(["我", "x", "y"], ["A", "B", "C"])], stream)
    assert stream.getvalue() == (
        "# text = 我x y\n1\t我\t_\tA\t_\t_\t_\t_\t_\tSpaceAfter=No\n"
        "2\tx\t_\tB\t_\t_\t_\t_\t_\t_\n3\ty\t_\tC\t_\t_\t_\t_\t_\t_\n\n"
    )


def test_what_cannot_be_written() -> None:
    with pytest.raises(FormatError, match=r"^sentence 1: expected a text on one line, found a line break in 'a"):
        write_conllu([tokenize("a\nb", "words")], io.StringIO())
    with pytest.raises(FormatError, match=r"^sentence 1: expected a token without tabs and line breaks, found 'a\\tb'"):
        write_conllu([sentence_from_forms(["a\tb"])], io.StringIO())
    with pytest.raises(FormatError, match=r'^sentence 1: expected a tag, found "_", which stands for none in CoNLL-U'):
        write_conllu([sentence_from_forms(["a", "b"], ["X", "_"])], io.StringIO())
    with pytest.raises(FormatError, match=r"^sentence 1: expected tokens with only white space between them, found"):
        write_conllu([Sentence(text="a b c", tokens=(Token(text="b", start=2, end=3),))], io.StringIO())
    with pytest.raises(FormatError, match=r"^sentence 1: expected tokens with only white space between them, found"):
        write_conllu([Sentence(text="  a", tokens=(Token(text=" ", start=1, end=2),))], io.StringIO())
    with pytest.raises(ConfigError, match='column: expected "upos" or "xpos", found "lemma"'):
        write_conllu([], io.StringIO(), column="lemma")
