"""A sentence: the text as it came in, its tokens with offsets into it, and, when known, one tag a token.

In: a string. Out: frozen `Sentence` objects that every other room passes along. Offsets are half-open and count
characters (code points) of the original string; tokens and the gaps between them join to exactly that string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from gatewise.errors import TextError
from gatewise.text.uncut import Uncut

# CJK punctuation, kana, bopomofo, compatibility signs, Han, full-width forms, Han beyond the BMP
_WIDE = re.compile(
    "[\u3000-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Token:
    """One token: its surface form and where it stands, half-open, in characters of the sentence's text."""

    text: str
    start: int
    end: int

    def __init__(self, *, text: str, start: int, end: int) -> None:
        # what the decorator would write, through the slots themselves: readers spend most of their time here
        _set_text(self, text)
        _set_start(self, start)
        _set_end(self, end)


_set_text, _set_start, _set_end = (vars(Token)[name].__set__ for name in ("text", "start", "end"))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A labeled stretch of tokens, half-open: `Span(start=2, end=4, label="PER")` covers tokens 2 and 3."""

    start: int
    end: int
    label: str


class TextSpan(NamedTuple):
    """A labeled stretch of the text, half-open, in characters, with the probability that it is exactly there.

    `score` is math.nan where a tagger was told to give none. A named tuple, of which Python makes a row at once: a
    segmenter makes one for every word.
    """

    start: int
    end: int
    label: str
    text: str
    score: float


class Heads(Mapping[str, "Sentence"]):
    """What further heads say of the same tokens, by the name of the head; it cannot be changed, and can be hashed."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: Mapping[str, Sentence] | None = None) -> None:
        self._by_name = dict(by_name or {})

    def __getitem__(self, name: str) -> Sentence:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __hash__(self) -> int:
        return hash(frozenset(self._by_name.items()))

    def __repr__(self) -> str:
        return f"Heads({self._by_name!r})"


NO_HEADS = Heads()


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Sentence:
    """A text with its tokens; `tags` holds one tag a token, or is None when nobody has tagged it yet.

    `spans` and `scores` (the probability of each tag) are there when a tagger made the tags. `layer` is what the
    file held beyond all this (docs/adr/0006): only the format that set it looks inside, and sentences that differ
    in it alone are equal. `path_probability`: that of all tags together, where a tagger was asked; it is not compared.
    `heads` has what the further heads of a model say: for each the same text and tokens, with tags, spans and scores of
    its own (docs/heads.md).
    """

    text: str
    tokens: tuple[Token, ...]
    tags: tuple[str, ...] | None = None
    spans: tuple[TextSpan, ...] = ()
    scores: tuple[float, ...] | None = None
    layer: object | None = field(default=None, compare=False, repr=False)
    path_probability: float | None = field(default=None, compare=False)
    heads: Mapping[str, Sentence] = field(default=NO_HEADS, repr=False)

    def __init__(
        self,
        *,
        text: str,
        tokens: tuple[Token, ...],
        tags: tuple[str, ...] | None = None,
        spans: tuple[TextSpan, ...] = (),
        scores: tuple[float, ...] | None = None,
        layer: object | None = None,
        path_probability: float | None = None,
        heads: Mapping[str, Sentence] = NO_HEADS,
    ) -> None:
        # as for Token: a tagger makes two for every text
        _set_sentence_text(self, text)
        _store_tokens(self, tokens)
        _set_sentence_tags(self, tags)
        _set_sentence_spans(self, spans)
        _set_sentence_scores(self, scores)
        _set_sentence_layer(self, layer)
        _set_sentence_path_probability(self, path_probability)
        _set_sentence_heads(self, heads)

    def __len__(self) -> int:
        return len(_stored_tokens(self))

    def __iter__(self) -> Iterator[Token]:
        return iter(self.tokens)

    @property
    def forms(self) -> tuple[str, ...]:
        """The surface forms of the tokens."""
        tokens = _stored_tokens(self)
        return tokens.forms if isinstance(tokens, Uncut) else tuple([token.text for token in tokens])

    @property
    def characters(self) -> str:
        """The forms as one string, where it is known that each is one character; otherwise nothing."""
        tokens = _stored_tokens(self)
        return tokens.characters if isinstance(tokens, Uncut) else ""

    @property
    def edges(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where the tokens start and where they end, in characters of the text."""
        tokens = _stored_tokens(self)
        if isinstance(tokens, Uncut):
            return tokens.edges()
        return [token.start for token in tokens], [token.end for token in tokens]

    def with_tags(self, tags: Iterable[str]) -> Sentence:
        """The same sentence with these tags, one a token.

        Raises TextError when the number of tags is not the number of tokens.
        """
        given = tuple(tags)
        if len(given) != len(self.tokens):
            raise TextError(f"expected one tag for each of {len(self.tokens)} tokens, found {len(given)} tags")
        return replace(self, tags=given)

    def decoded(
        self,
        *,
        tags: tuple[str, ...],
        spans: tuple[TextSpan, ...],
        scores: tuple[float, ...] | None,
        path_probability: float | None,
    ) -> Sentence:
        """The same sentence as a tagger has read it; there is one tag a token, which is not looked at again."""
        return Sentence(
            text=self.text,
            tokens=_stored_tokens(self),  # type: ignore[arg-type]
            tags=tags,
            spans=spans,
            scores=scores,
            layer=self.layer,
            path_probability=path_probability,
            heads=self.heads,
        )


(
    _set_sentence_text,
    _set_sentence_tags,
    _set_sentence_spans,
    _set_sentence_scores,
    _set_sentence_layer,
    _set_sentence_path_probability,
    _set_sentence_heads,
) = (vars(Sentence)[name].__set__ for name in ("text", "tags", "spans", "scores", "layer", "path_probability", "heads"))
_stored_tokens: Callable[[Sentence], tuple[Token, ...] | Uncut] = vars(Sentence)["tokens"].__get__
_store_tokens: Callable[[Sentence, tuple[Token, ...] | Uncut], None] = vars(Sentence)["tokens"].__set__


def _tokens(sentence: Sentence) -> tuple[Token, ...]:
    tokens = _stored_tokens(sentence)
    if isinstance(tokens, Uncut):
        tokens = tuple(map(_token, tokens.forms, *tokens.edges()))
        _store_tokens(sentence, tokens)
    return tokens


def _token(form: str, start: int, end: int) -> Token:
    return Token(text=form, start=start, end=end)


# the slot holds what stands for the tokens until they are asked for
Sentence.tokens = property(_tokens, _store_tokens)  # type: ignore[assignment, misc]


def sentence_of_characters(text: str) -> Sentence:
    """A sentence of a text in which every character that is no white space is a token."""
    return Sentence(text=text, tokens=Uncut(text))  # type: ignore[arg-type]


def sentence_from_forms(
    forms: Sequence[str], tags: Sequence[str] | None = None, *, separator: str | None = None
) -> Sentence:
    """A sentence whose text is the forms joined by `separator`, or by the rule of `joint` when none is given.

    >>> sentence_from_forms(["我", "在", "New", "York", "。"]).text
    '我在New York。'
    """
    parts: list[str] = []
    tokens = []
    position = 0
    parted = False  # whether the token before lets white space stand after it
    for form in forms:
        before, after = (True, True) if separator is not None else _parted(form)
        if parts and before and parted:
            gap = " " if separator is None else separator
            parts.append(gap)
            position += len(gap)
        end = position + len(form)
        tokens.append(Token(text=form, start=position, end=end))
        parts.append(form)
        position, parted = end, after
    sentence = Sentence(text="".join(parts), tokens=tuple(tokens))
    return sentence if tags is None else sentence.with_tags(tags)


def joint(left: str, right: str) -> str:
    """What stands between two tokens of a file that holds no text: one space, but nothing beside a Chinese character.

    Nothing when either neighbor is a Han character, kana, or a full-width sign; Korean is written with spaces.
    """
    return " " if _parted(left)[1] and _parted(right)[0] else ""


@lru_cache(maxsize=1 << 16)
def _parted(form: str) -> tuple[bool, bool]:
    """Whether a space may stand before and after a form: where its first and its last character are not wide."""
    return _WIDE.match(form[:1]) is None, _WIDE.match(form[-1:]) is None


def gaps(sentence: Sentence) -> list[str]:
    """The text before, between and after the tokens: one string more than there are tokens."""
    edges = [0, *(edge for token in sentence.tokens for edge in (token.start, token.end)), len(sentence.text)]
    return [sentence.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
