"""spaCy's DocBin in and out, with spaCy itself as the oracle."""

from __future__ import annotations

import builtins
import random
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, FormatError, MissingExtraError, SchemeError
from gatewise.formats.docbin import locate_docbin, read_docbin, write_docbin
from gatewise.text import (
    Sentence,
    Span,
    TextSpan,
    Token,
    convert_tags,
    sentence_from_forms,
    tags_from_spans,
    tokenize,
)

spacy = pytest.importorskip("spacy")
tokens = pytest.importorskip("spacy.tokens")


def docs_in(path: Path) -> list:
    return list(tokens.DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def test_what_we_write_is_what_spacy_reads(tmp_path: Path) -> None:
    sentence = tokenize("Ann  Lee\nsaw New York.", "words").with_tags(["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"])
    write_docbin(
        [sentence, sentence_from_forms(["我", "叫"], ["O", "O"]), tokenize(" x", "words")], tmp_path / "a.spacy"
    )
    first, second, third = docs_in(tmp_path / "a.spacy")
    assert [doc.text for doc in (first, second, third)] == [sentence.text, "我叫", " x"]
    assert [token.text for token in first] == ["Ann", " ", "Lee", "\n", "saw", "New", "York", "."]
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Ann  Lee", "PER"), ("New York", "LOC")]
    assert [doc.has_annotation("ENT_IOB") for doc in (first, second, third)] == [True, True, False]


def test_we_read_what_spacy_writes(tmp_path: Path) -> None:
    doc = spacy.blank("en")("Ms. O'Neil doesn't like  New\n York  ")
    doc.set_ents([tokens.Span(doc, 0, 2, label="PER"), doc.char_span(25, 34, label="GPE")])
    for token in doc:
        token.tag_, token.pos_ = f"t{token.i}", "X"
    tokens.DocBin(docs=[doc, spacy.blank("zh")("我叫")], attrs=["ENT_IOB", "ENT_TYPE", "TAG", "POS"]).to_disk(
        tmp_path / "a.spacy"
    )
    first, second = read_docbin(tmp_path / "a.spacy", scheme=None)
    assert first.text == doc.text
    assert [(token.text, token.start) for token in first] == [(t.text, t.idx) for t in doc if not t.is_space]
    assert first.tags == ("B-PER", "I-PER", "O", "O", "O", "B-GPE", "I-GPE")
    assert second == tokenize("我叫", "characters")
    (by_tag, _) = read_docbin(tmp_path / "a.spacy", column="tag")
    assert by_tag.tags == tuple(f"t{token.i}" for token in doc if not token.is_space)
    assert next(read_docbin(tmp_path / "a.spacy", column="pos")).tags == ("X",) * 7
    assert [located.lines for located in locate_docbin(tmp_path / "a.spacy")] == [(1,) * 7, (2, 2)]


def test_spans_come_before_tags(tmp_path: Path) -> None:
    sentence = tokenize("Ann Lee", "words").with_tags(["O", "O"])
    spans = (TextSpan(start=4, end=7, label="PER", text="Lee", score=0.5),)
    write_docbin(
        [Sentence(text=sentence.text, tokens=sentence.tokens, tags=sentence.tags, spans=spans)], tmp_path / "a.spacy"
    )
    assert next(read_docbin(tmp_path / "a.spacy")).tags == ("O", "B-PER")


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES", "IOB1"])
def test_any_scheme_becomes_the_same_entities(tmp_path: Path, scheme: str) -> None:
    tags = ["B-A", "I-A", "B-A", "O", "B-B", "O"]
    sentence = sentence_from_forms("abcdef").with_tags(convert_tags(tags, "BIO", scheme))
    for named in (scheme, None):
        write_docbin([sentence], tmp_path / "a.spacy", scheme=named)
        assert next(read_docbin(tmp_path / "a.spacy")).tags == tuple(tags)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    texts=st.lists(TEXTS, max_size=4),
    tokenizer=st.sampled_from(["characters", "words"]),
    seed=st.integers(0, 2**16),
    column=st.sampled_from(["ents", "tag"]),
)
def test_write_then_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], tokenizer: str, seed: int, column: str
) -> None:
    draw = random.Random(seed)
    sentences = [tokenize(text, tokenizer) for text in texts]
    sentences = [sentence for sentence in sentences if not any(form.isspace() for form in sentence.forms)]
    tagged = [sentence.with_tags(tags_of(draw, len(sentence))) for sentence in sentences if len(sentence)]
    path = tmp_path_factory.getbasetemp() / "round.spacy"
    write_docbin([*sentences, *tagged], path, column=column)
    assert list(read_docbin(path, column=column)) == [*sentences, *tagged]


def tags_of(draw: random.Random, length: int) -> Iterable[str]:
    edges = sorted(draw.sample(range(length + 1), k=min(length + 1, 2 * draw.randint(0, 3))))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tags_from_spans([Span(start=a, end=b, label=draw.choice("AB")) for a, b in pairs], length, "BIO")


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "E1014"), (b"not zlib", "E1014"), (zlib.compress(b"\x81\xa5attrs\x90"), "KeyError")],
)
def test_a_file_that_is_no_docbin(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "a.spacy").write_bytes(content)
    with pytest.raises(FormatError, match=rf"a\.spacy: expected a DocBin as spaCy 3 writes it, found .*{kind}"):
        list(read_docbin(tmp_path / "a.spacy"))
    with pytest.raises(FormatError, match=r"none\.spacy: expected a file, found nothing under this name"):
        list(read_docbin(tmp_path / "none.spacy"))


def test_a_docbin_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    write_docbin([sentence_from_forms(["a", "b"], ["B-X", "O"])], path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(FormatError, match="expected a DocBin"):
            list(read_docbin(path))


def test_what_is_wrong_is_said_with_its_place(tmp_path: Path) -> None:
    doc = spacy.blank("xx")("a b c")
    doc[0].tag_ = "T"
    tokens.DocBin(docs=[doc], attrs=["TAG", "ENT_IOB"]).to_disk(tmp_path / "a.spacy")
    with pytest.raises(FormatError, match=r'a\.spacy:1: expected TAG on every token, found none on "b" at 2; annotate'):
        list(read_docbin(tmp_path / "a.spacy", column="tag"))
    with pytest.raises(ConfigError, match='expected "ents", "tag" or "pos", found "lemma"'):
        read_docbin(tmp_path / "a.spacy", column="lemma")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    path.write_text("as it was")
    good = sentence_from_forms(["ab", "c"], ["B-X", "I-X"])
    gap = Sentence(text="a-b", tokens=(Token(text="a", start=0, end=1), Token(text="b", start=2, end=3)))
    with pytest.raises(
        FormatError, match=r'^sentence 2: expected tokens with only white .* found others at "a-"; write'
    ):
        write_docbin([good, gap], path)
    with pytest.raises(FormatError, match=r"^sentence 1: .*expected .*I-X"):
        write_docbin([good.with_tags(["O", "I-X"])], path, scheme="BIO")
    cut = (TextSpan(start=0, end=1, label="X", text="a", score=1.0),)
    with pytest.raises(
        FormatError, match=r'^sentence 1: expected spans of whole tokens, found X on "a" at 0; tokenize'
    ):
        write_docbin([Sentence(text=good.text, tokens=good.tokens, spans=cut)], path)
    with pytest.raises(FormatError, match=r"^sentence 1: expected labels, found spans without one"):
        write_docbin([good.with_tags(["B", "I"])], path, scheme="BIO")
    with pytest.raises(FormatError, match=r'^sentence 1: expected a tag that spaCy knows as POS, found "B-X"; write'):
        write_docbin([good], path, column="pos")
    assert path.read_text() == "as it was"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.spacy"]


def test_without_spacy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("spacy"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    for call in (lambda: locate_docbin(tmp_path / "a"), lambda: write_docbin([], tmp_path / "a")):
        with pytest.raises(MissingExtraError, match=r'^DocBin needs spaCy: pip install "gatewise\[spacy\]"$'):
            call()


def test_verified_scheme(tmp_path: Path) -> None:
    write_docbin([sentence_from_forms(["a"], ["B-X"]), sentence_from_forms(["a"])], tmp_path / "a.spacy")
    with pytest.raises((FormatError, SchemeError), match=r"a\.spacy:2: expected a tag for every token, found none"):
        list(read_docbin(tmp_path / "a.spacy", scheme="BIO"))
