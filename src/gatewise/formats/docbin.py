"""spaCy's DocBin (`.spacy`), the format of its training data (https://spacy.io/api/docbin): tokens and entities.

Out: a Doc for each sentence: its tokens, white space between them as spaCy keeps it, and the tags as entities, or in
TAG or POS. In: the text of each Doc; tokens of white space alone become gaps; entities become BIO tags, and a Doc that
nobody has annotated has no tags. Scores are not kept. The "line" of messages is the number of the Doc.
Needs spaCy, the extra `spacy`. A DocBin is read and written whole: memory grows with the file here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.errors import ConfigError, FormatError, GatewiseError, MissingExtraError
from gatewise.formats.source import Located, Source, checked, reading_failed, rereadable, source_name
from gatewise.formats.target import appearing
from gatewise.text import Sentence, Span, Token, gaps, tags_from_spans
from gatewise.text.align import align_spans, character_spans

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin
    from spacy.vocab import Vocab

COLUMNS = ("ents", "tag", "pos")


def read_docbin(path: Source, *, column: str = "ents", scheme: str | None = None) -> Iterator[Sentence]:
    """The Docs of a `.spacy` file as sentences; tags from `ents` (as BIO), `tag` or `pos`. Memory is not constant.

    With a `scheme`, tags that break it raise FormatError with the number of their Doc.
    """
    return checked(path, locate_docbin(path, column=column), scheme)


def locate_docbin(path: Source, *, column: str = "ents") -> Iterator[Located]:
    """As `read_docbin`, unchecked, with the number of its Doc, from 1, for each token.

    Raises MissingExtraError without spaCy.
    """
    _check_column(column)
    _require_spacy()
    return _locate(path, column)


def write_docbin(
    sentences: Iterable[Sentence], path: Source, *, column: str = "ents", scheme: str | None = None
) -> None:
    """Write a `.spacy` file that appears under its name only when it is complete. Memory is not constant.

    Spans go to `ents`, without them what the tags say, in `scheme` or else in the one each sentence's tags tell; with
    `column` `tag` or `pos` the tags themselves go there.
    Raises MissingExtraError without spaCy, FormatError for a sentence that spaCy's tokens cannot hold.
    """
    _check_column(column)
    _require_spacy()
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    vocab = Vocab()
    docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "TAG", "POS"])
    for number, sentence in enumerate(sentences, start=1):
        docs.add(_doc(number, sentence, vocab, column, scheme))
    with appearing(path) as stream:
        stream.write(docs.to_bytes())


def _require_spacy() -> None:
    try:
        import spacy.tokens  # noqa: F401
    except ImportError as error:
        raise MissingExtraError('DocBin needs spaCy: pip install "gatewise[spacy]"') from error


def _check_column(column: str) -> None:
    if column not in COLUMNS:
        raise ConfigError(f'column: expected "ents", "tag" or "pos", found "{column}"; choose one of these')


def _locate(path: Source, column: str) -> Iterator[Located]:
    from spacy.vocab import Vocab

    docs = _load(path)
    try:
        for number, doc in enumerate(docs.get_docs(Vocab()), start=1):
            sentence = _sentence(f"{source_name(path)}:{number}", doc, column)
            yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))
    except GatewiseError:
        raise
    except Exception as error:  # arrays that do not fit each other end in whatever spaCy meets first
        raise FormatError(_broken(path, error)) from error


def _load(path: Source) -> DocBin:
    from spacy.tokens import DocBin

    try:
        with rereadable(path) as copy:
            packed = Path(os.fspath(copy)).read_bytes()
    except OSError as error:
        raise FormatError(reading_failed(path, error)) from error
    try:
        return DocBin().from_bytes(packed)
    except Exception as error:  # zlib, msgpack and NumPy each have their own
        raise FormatError(_broken(path, error)) from error


def _broken(path: Source, error: Exception) -> str:
    return (
        f"{source_name(path)}: expected a DocBin as spaCy 3 writes it, found a file that cannot be read "
        f"({type(error).__name__}: {str(error).partition(chr(10))[0]}); write it again with DocBin.to_disk"
    )


def _sentence(where: str, doc: Doc, column: str) -> Sentence:
    kept = [token for token in doc if not token.text.isspace()]
    tokens = tuple(Token(text=token.text, start=token.idx, end=token.idx + len(token.text)) for token in kept)
    sentence = Sentence(text=doc.text, tokens=tokens)
    if not tokens or not doc.has_annotation({"ents": "ENT_IOB", "tag": "TAG", "pos": "POS"}[column]):
        return sentence
    if column == "ents":
        spans = [Span(start=ent.start_char, end=ent.end_char, label=ent.label_) for ent in doc.ents]
        return sentence.with_tags(tags_from_spans(align_spans(sentence, spans).spans, len(tokens), "BIO"))
    tags = [token.tag_ if column == "tag" else token.pos_ for token in kept]
    if "" in tags:
        missing = kept[tags.index("")]
        raise FormatError(
            f'{where}: expected {column.upper()} on every token, found none on "{missing.text}" at {missing.idx}; '
            "annotate it, or read another column"
        )
    return sentence.with_tags(tags)


def _doc(number: int, sentence: Sentence, vocab: Vocab, column: str, scheme: str | None) -> Doc:
    from spacy.tokens import Doc

    words, spaces, places = _words(number, sentence)
    doc = Doc(vocab, words=words, spaces=spaces)
    if column == "ents":
        _set_entities(number, sentence, doc, places, scheme)
    elif sentence.tags is not None:
        for place, tag in zip(places, sentence.tags, strict=True):
            try:
                setattr(doc[place], f"{column}_", tag)
            except ValueError as error:
                raise FormatError(
                    f'sentence {number}: expected a tag that spaCy knows as {column.upper()}, found "{tag}"; '
                    "write it to the column tag"
                ) from error
    return doc


def _words(number: int, sentence: Sentence) -> tuple[list[str], list[bool], list[int]]:
    """spaCy's tokens, which of them a space follows, and where among them ours stand.

    A gap of one space is a flag of the token before it; what else there is becomes a token of white space.
    """
    before, *after = gaps(sentence)
    words, spaces = ([before], [False]) if before else ([], [])
    places = []
    for token, gap in zip(sentence.tokens, after, strict=True):
        if token.text.isspace() or gap.strip():
            raise FormatError(
                f"sentence {number}: expected tokens with only white space between them and more than that in them, "
                f'found others at "{sentence.text[token.start : token.end + len(gap)][:20]}"; '
                "write JSON lines (jsonl), which hold any text"
            )
        places.append(len(words))
        words.append(token.text)
        spaces.append(gap.startswith(" "))
        if rest := gap.removeprefix(" "):
            words.append(rest)
            spaces.append(False)
    return words, spaces, places


def _set_entities(number: int, sentence: Sentence, doc: Doc, places: list[int], scheme: str | None) -> None:
    from spacy.tokens import Span as Entity

    if sentence.tags is None and not sentence.spans:
        return
    try:
        found = align_spans(sentence, character_spans(sentence, scheme))
        ents = [Entity(doc, places[span.start], places[span.end - 1] + 1, label=span.label) for span in found.spans]
        doc.set_ents(ents, default="outside")
    except (GatewiseError, ValueError) as error:  # tags that break the scheme; spans that overlap
        raise FormatError(f"sentence {number}: {error}") from error
    for cut in (misfit.span for misfit in found.misfits):
        raise FormatError(
            f"sentence {number}: expected spans of whole tokens, found {cut.label} on "
            f'"{sentence.text[cut.start : cut.end]}" at {cut.start}; tokenize at its ends, or write JSON lines (jsonl)'
        )
    if not all(span.label for span in found.spans):
        raise FormatError(
            f"sentence {number}: expected labels, found spans without one, which spaCy cannot hold; "
            "write them to the column tag"
        )
