"""Word segmentation as tagging: between tagged words and tagged characters of the same text.

In: a sentence of words tagged `NOUN`, `VERB`, … Out: the same text as grapheme clusters tagged `B-NOUN`, `I-NOUN`, …,
and back. Words without tags give bare prefixes (`B`, `I`): segmentation alone. White space inside a word has no
token.
"""

from __future__ import annotations

from itertools import pairwise

from gatewise.errors import SchemeError, TextError
from gatewise.text.schemes import spans_from_tags, tags_from_spans
from gatewise.text.sentence import Sentence, Span, Token
from gatewise.text.tokenize import check_text, cluster_edges


def characters_from_words(sentence: Sentence, scheme: str) -> Sentence:
    """The sentence cut into characters, each word a span labeled with its tag; text and offsets stay as they are.

    Where a word boundary cuts a character (grapheme cluster), so does the result: the words of the corpus count.
    Raises TextError when a word holds white space only.
    """
    check_text(sentence.text)
    words = [_trimmed(word, index) for index, word in enumerate(sentence.tokens)]
    characters = _cut_at(sentence.text, {edge for word in words for edge in word})
    first_at = {token.start: index for index, token in enumerate(characters.tokens)}
    last_at = {token.end: index for index, token in enumerate(characters.tokens)}
    labels = sentence.tags if sentence.tags is not None else ("",) * len(words)
    spans = [
        Span(start=first_at[start], end=last_at[end] + 1, label=label)
        for (start, end), label in zip(words, labels, strict=True)
    ]
    return characters.with_tags(tags_from_spans(spans, len(characters), scheme))


def words_from_characters(sentence: Sentence, scheme: str) -> Sentence:
    """The inverse: one token a span, its tag the label; characters outside spans fall into the gaps.

    Raises SchemeError when there are no tags or they break the scheme.
    """
    if sentence.tags is None:
        raise SchemeError("expected tagged characters, found a sentence without tags; tag it first")
    spans = spans_from_tags(sentence.tags, scheme)
    words = tuple(_word(sentence, span) for span in spans)
    tags = tuple(span.label for span in spans)
    return Sentence(text=sentence.text, tokens=words, tags=tags if any(tags) else None)


def word_spans(sentence: Sentence) -> list[Span]:
    """The tokens as spans of the text, in characters, labeled with their tags: what segmentation is scored on."""
    tags = sentence.tags if sentence.tags is not None else ("",) * len(sentence)
    return [Span(start=token.start, end=token.end, label=tag) for token, tag in zip(sentence.tokens, tags, strict=True)]


def _word(sentence: Sentence, span: Span) -> Token:
    start, end = sentence.tokens[span.start].start, sentence.tokens[span.end - 1].end
    return Token(text=sentence.text[start:end], start=start, end=end)


def _trimmed(word: Token, index: int) -> tuple[int, int]:
    inner = word.text.strip()
    if not inner:
        raise TextError(
            f"word {index + 1} at character {word.start}: expected at least one visible character, "
            "found white space only; leave white space between the words"
        )
    start = word.start + word.text.index(inner)
    return start, start + len(inner)


def _cut_at(text: str, edges: set[int]) -> Sentence:
    """The characters of a text, none of which reaches across one of these edges."""
    cuts = sorted(edges | {0, len(text)})
    tokens = [
        Token(text=text[a + start : a + end], start=a + start, end=a + end)
        for a, b in pairwise(cuts)
        for start, end in cluster_edges(text[a:b])
    ]
    return Sentence(text=text, tokens=tuple(tokens))
