"""What is known of a text's tags beforehand, as the tags that each token may still have.

In: spans, tags and forbidden tags at characters of a text. Out: a mask over (token, tag): the decoder then looks at the
paths inside it alone, so that best path, n-best and probabilities are all given these constraints, exactly.
Constraints that no legal tags can keep are refused, with the two that contradict each other and the place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.crf import CRFScores
from gatewise.errors import ConstraintError
from gatewise.runtime.tag_table import TagTable
from gatewise.text.sentence import Sentence

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSpan:
    """Just these characters are one span, half-open: of this label, or of any where it is None."""

    start: int
    end: int
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTag:
    """Every token of these characters, half-open, has this tag (`O`: it is in no span); or, among those that are
    forbidden, has not."""

    start: int
    end: int
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """All that is known of one text; `where` it comes from opens the messages about it."""

    spans: Sequence[KnownSpan] = ()
    tags: Sequence[KnownTag] = ()
    forbidden: Sequence[KnownTag] = ()
    where: str = ""

    def __len__(self) -> int:
        return len(self.spans) + len(self.tags) + len(self.forbidden)


def constraints_from_dict(value: Mapping[str, Any], *, where: str = "constraints") -> Constraints:
    """`{"spans": [{"start", "end", "label"}], "tags": [{"start", "end", "tag"}], "forbidden": […]}`, each optional.

    Other keys are not looked at. Raises ConstraintError for a value of the wrong kind; `where` opens its message.
    """

    def entries(key: str, make: Callable[[str, Mapping[str, Any]], Any]) -> tuple[Any, ...]:
        given = value.get(key, [])
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise ConstraintError(f"{where}: {key}: expected a list, found {given!r}; write [{{…}}, …]")
        found = []
        for index, entry in enumerate(given):
            place = f"{where}: {key}[{index}]"
            if not isinstance(entry, Mapping):
                raise ConstraintError(f'{place}: expected an object with "start" and "end", found {entry!r}; mend it')
            found.append(make(place, entry))
        return tuple(found)

    return Constraints(
        spans=entries("spans", _known_span),
        tags=entries("tags", _known_tag),
        forbidden=entries("forbidden", _known_tag),
    )


Known: TypeAlias = Constraints | Mapping[str, Any]  # a mapping as `constraints_from_dict` reads it


def constraints_for(sentence: Sentence, known: Known | None) -> Constraints | None:
    """What is known of a sentence, read. Raises ConstraintError as `constraints_from_dict` does, and for anything known
    of a sentence without tokens."""
    if known is None:
        return None
    found = known if isinstance(known, Constraints) else constraints_from_dict(known)
    if found and not len(sentence):
        where = f"{found.where}: " if found.where else ""
        raise ConstraintError(f"{where}expected no constraints on a text without tokens, found some; leave them out")
    return found


def _known_span(place: str, entry: Mapping[str, Any]) -> KnownSpan:
    label = entry.get("label")
    if label is not None and not isinstance(label, str):
        raise ConstraintError(f'{place}: expected a string or nothing under "label", found {label!r}; mend it')
    return KnownSpan(start=_whole(place, entry, "start"), end=_whole(place, entry, "end"), label=label)


def _known_tag(place: str, entry: Mapping[str, Any]) -> KnownTag:
    tag = entry.get("tag")
    if not isinstance(tag, str):
        raise ConstraintError(f'{place}: expected a string under "tag", found {tag!r}; name a tag of the model')
    return KnownTag(start=_whole(place, entry, "start"), end=_whole(place, entry, "end"), tag=tag)


def _whole(place: str, entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConstraintError(f'{place}: expected a whole number under "{key}", found {value!r}; count characters')
    return value


@dataclass(frozen=True, slots=True)
class _Part:
    """One constraint as a mask, and how messages call it."""

    name: str
    mask: Bools  # (time, num_tags)


def allowed_tags(
    constraints: Constraints, sentence: Sentence, table: TagTable, scores: CRFScores, open_tags: Bools
) -> Bools:
    """The tags that each token may have, (time, num_tags), under all constraints and `open_tags`, which hold anyway.

    Raises ConstraintError for edges inside a token, for labels and tags that the model does not have, and for
    constraints that no legal tags keep.
    """
    try:
        parts = _parts(constraints, sentence, table)
        mask = open_tags.copy()
        for part in parts:
            mask &= part.mask
        if (stuck := _dead_end(mask, scores)) is not None:
            raise ConstraintError(_contradiction(parts, open_tags, scores, sentence, stuck))
    except ConstraintError as error:
        raise ConstraintError(f"{constraints.where}: {error}" if constraints.where else str(error)) from None
    return mask


def _parts(constraints: Constraints, sentence: Sentence, table: TagTable) -> list[_Part]:
    time, num_tags = len(sentence), len(table.names)
    found = []
    for index, span in enumerate(constraints.spans):
        place = f"spans[{index}] ({span.start}…{span.end}{'' if span.label is None else f', {span.label}'})"
        first, past = _tokens(place, span.start, span.end, sentence)
        _check_label(place, span.label, table)
        mask = np.ones((time, num_tags), dtype=bool)
        mask[first:past] = table.unit(past - first, span.label)
        if table.open_ended:
            mask[past : past + 1] &= ~table.goes_on
        found.append(_Part(place, mask))
    for key, known in (("tags", constraints.tags), ("forbidden", constraints.forbidden)):
        for index, entry in enumerate(known):
            place = f"{key}[{index}] ({entry.start}…{entry.end}, {entry.tag})"
            first, past = _tokens(place, entry.start, entry.end, sentence)
            named = table.names == entry.tag
            if not named.any():
                raise ConstraintError(f"{place}: expected a tag of the model, {_some(table.names)}, found {entry.tag}")
            mask = np.ones((time, num_tags), dtype=bool)
            mask[first:past] = named if key == "tags" else ~named
            found.append(_Part(place, mask))
    return found


def _tokens(place: str, start: int, end: int, sentence: Sentence) -> tuple[int, int]:
    """The tokens, half-open, that these characters are; white space at the edges does not count."""
    text = sentence.text
    if not 0 <= start < end <= len(text):
        raise ConstraintError(
            f"{place}: expected 0 ≤ start < end ≤ {len(text)} (the length of the text), found {start} and {end}; "
            "count characters (code points), not bytes"
        )
    inside = [number for number, token in enumerate(sentence.tokens) if token.start < end and token.end > start]
    if not inside:
        raise ConstraintError(f"{place}: expected at least one token there, found {text[start:end]!r}; move the edges")
    first, last = sentence.tokens[inside[0]], sentence.tokens[inside[-1]]
    for token, cut in ((first, first.start < start), (last, last.end > end)):
        if cut:
            raise ConstraintError(
                f'{place}: expected edges between tokens, found one inside "{token.text}" ({token.start}…{token.end}); '
                "move it to an edge of this token"
            )
    return inside[0], inside[-1] + 1


def _check_label(place: str, label: str | None, table: TagTable) -> None:
    if not table.opens.any():
        raise ConstraintError(
            f'{place}: expected no spans, as this model gives every token a plain tag; name it under "tags"'
        )
    if label is not None and label not in table.span_labels[table.opens]:
        raise ConstraintError(
            f"{place}: expected a label of the model, {_some(table.span_labels[table.opens])}, found {label!r}; "
            "choose one, or leave it out for any"
        )


def _some(names: npt.NDArray[Any]) -> str:
    known = sorted(set(names.tolist()))
    return ", ".join(known[:12]) + (", …" if len(known) > 12 else "")


def _dead_end(mask: Bools, scores: CRFScores) -> int | None:
    """The first token that no legal path inside the mask gets past; None where one reaches the end."""
    legal = scores.transitions > -np.inf
    starts, ends = np.isfinite(scores.start_transitions), np.isfinite(scores.end_transitions)
    reached = starts & mask[0]
    for t in range(1, len(mask)):
        if not reached.any():
            return t - 1
        reached = legal[reached].any(axis=0) & mask[t]
    return None if (reached & ends).any() else len(mask) - 1


def _contradiction(parts: Sequence[_Part], open_tags: Bools, scores: CRFScores, sentence: Sentence, stuck: int) -> str:
    """Which constraints cannot stand together: one alone, or else two, or else all up to the place."""

    def fails(*some: _Part) -> int | None:
        mask = open_tags.copy()
        for part in some:
            mask &= part.mask
        return _dead_end(mask, scores)

    for part in parts:
        if (place := fails(part)) is not None:
            return (
                f"{part.name}: expected a constraint that some legal tags keep, found none {_at(sentence, place)} "
                "(tags must be legal under the scheme, and white space may end a word); change it"
            )
    for a, b in combinations(parts, 2):
        if (place := fails(a, b)) is not None:
            return (
                f"{b.name}: expected constraints that go together, found that it contradicts {a.name} "
                f"{_at(sentence, place)}; drop one of the two"
            )
    names = ", ".join(part.name for part in parts)
    return (
        f"expected constraints that go together, found that no legal tags keep all of {names} {_at(sentence, stuck)}; "
        "drop one of them"
    )


def _at(sentence: Sentence, number: int) -> str:
    token = sentence.tokens[number]
    return f'at "{token.text}" (character {token.start})'
