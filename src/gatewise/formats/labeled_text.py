"""Texts with spans of characters, as annotation tools export them, made into sentences of tokens and tags.

In: records of a text and its labeled stretches, from the reader of one tool. Out: sentences, cut into tokens by a
tokenizer (or by the tool), tagged in a scheme. A span that cuts a token is refused, widened to whole tokens, or
dropped, as asked; each one is reported. Spans that overlap are refused: tags cannot hold them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from gatewise.errors import ConfigError, FormatError, SchemeError
from gatewise.formats.broken import Broken, OnBroken
from gatewise.formats.json_fields import JsonObject
from gatewise.formats.json_items import json_objects
from gatewise.formats.source import Located, Notify, Source, log_notice, source_name
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Span, TextSpan, Token, tags_from_spans, tokenize
from gatewise.text.align import Misfit, align_spans, find_overlap, guess_tokenizer, plain_tags
from gatewise.text.tokenize import TOKENIZERS

AUTO = "auto"
ON_MISALIGNED = ("error", "expand", "drop")
LOOK_AT = 200  # texts that the choice of a tokenizer rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How spans of characters become tags; `auto` is `characters` for text that is mostly Han, else `words`."""

    scheme: str = "BIO"
    tokenizer: str = AUTO
    on_misaligned: str = "error"
    notify: Notify = log_notice

    def __post_init__(self) -> None:
        for name, value, known in (
            ("tokenizer", self.tokenizer, (AUTO, *TOKENIZERS)),
            ("on-misaligned", self.on_misaligned, ON_MISALIGNED),
        ):
            if value not in known:
                raise ConfigError(f'{name}: expected one of {", ".join(known)}, found "{value}"; choose one of these')


DEFAULT_ALIGNMENT = Alignment()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledText:
    """One record: a text, its spans (None when nobody labeled it), the tool's own tokens if it has any."""

    line: int
    text: str
    spans: tuple[Span, ...] | None
    tokens: tuple[Token, ...] | None = None


ParseRecord = Callable[
    [str, int, JsonObject], LabeledText | None
]  # of its place for messages, its line, and the object


def locate_labeled(
    path: Source, parse: ParseRecord, alignment: Alignment, tally: Tally, broken: OnBroken | None
) -> Iterator[Located]:
    """The records as sentences with the line of each token; at the end what was counted is said.

    `parse` makes a record of an object, or None of one that is left out. With `broken`, which is told of them, records
    that cannot be read are left out.
    """
    records = _records(path, parse, broken)
    head = list(islice(records, LOOK_AT)) if alignment.tokenizer == AUTO else []
    tokenizer = guess_tokenizer(record.text for record, _ in head) if head else alignment.tokenizer
    for record, value in chain(head, records):
        try:
            sentence = _tagged(f"{source_name(path)}:{record.line}", record, tokenizer, alignment, tally)
        except FormatError as error:
            _tell(record.line, value, error, broken)
            continue
        yield Located(sentence=sentence, lines=(record.line,) * max(1, len(sentence)))
    tally.say(path, alignment.notify)


def _records(path: Source, parse: ParseRecord, broken: OnBroken | None) -> Iterator[tuple[LabeledText, JsonObject]]:
    for line, value in json_objects(path, broken=broken):
        try:
            record = parse(f"{source_name(path)}:{line}", line, value)
        except FormatError as error:
            _tell(line, value, error, broken)
            continue
        if record is not None:
            yield record, value


def _tell(line: int, value: JsonObject, error: FormatError, broken: OnBroken | None) -> None:
    if broken is None:
        raise error
    broken(Broken(line=line, reason=str(error), raw=json.dumps(value, ensure_ascii=False).encode()))


def _tagged(where: str, record: LabeledText, tokenizer: str, alignment: Alignment, tally: Tally) -> Sentence:
    sentence = _tokenized(record, tokenizer, own=alignment.tokenizer == AUTO)
    return sentence if record.spans is None else tag_characters(where, sentence, record.spans, alignment, tally)


def tag_characters(
    where: str, sentence: Sentence, spans: Sequence[Span], alignment: Alignment, tally: Tally
) -> Sentence:
    """The sentence with tags that mark these spans of its text.

    Raises FormatError for spans that overlap and, unless asked otherwise, for spans that cut a token.
    """
    _refuse_overlap(where, sentence, spans, "")
    aligned = align_spans(sentence, spans)
    kept = list(aligned.spans)
    for misfit in aligned.misfits:
        widened = _handle(where, sentence, misfit, alignment, tally)
        kept += [] if widened is None else [widened]
    if aligned.misfits:
        _refuse_overlap(where, sentence, [_in_characters(sentence, span) for span in kept], " when widened to tokens")
    try:
        if alignment.scheme == "plain":
            return sentence.with_tags(plain_tags(sentence, kept))
        return sentence.with_tags(tags_from_spans(kept, len(sentence), alignment.scheme))
    except SchemeError as error:
        raise FormatError(f"{where}: {error}") from error


def tag_from_own_spans(where: str, sentence: Sentence, alignment: Alignment, tally: Tally) -> Sentence:
    """A sentence that has spans but no tags, tagged; where it has no tokens either, it is tokenized first."""
    if sentence.tags is not None or not sentence.spans:
        return sentence
    if not len(sentence):
        auto = alignment.tokenizer == AUTO
        tokenizer = guess_tokenizer([sentence.text]) if auto else alignment.tokenizer
        sentence = replace(tokenize(sentence.text, tokenizer), spans=sentence.spans)
    return tag_characters(where, sentence, [_without_score(span) for span in sentence.spans], alignment, tally)


def _without_score(span: TextSpan) -> Span:
    return Span(start=span.start, end=span.end, label=span.label)


def _tokenized(record: LabeledText, tokenizer: str, *, own: bool) -> Sentence:
    """By the tool's tokens where nobody asked for others."""
    if own and record.tokens is not None:
        return Sentence(text=record.text, tokens=record.tokens)
    return tokenize(record.text, tokenizer)


def _handle(where: str, sentence: Sentence, misfit: Misfit, alignment: Alignment, tally: Tally) -> Span | None:
    """What becomes of a misfit: a span of tokens, or None; it is reported in any case."""
    shown = _shown(sentence, misfit.span)
    found = "holds characters of no token" if misfit.token is None else f'cuts the token "{misfit.token.text}"'
    if alignment.on_misaligned == "error":
        raise FormatError(
            f"{where}: expected spans of whole tokens, found {shown}, which {found}; mend the span, choose another "
            "--tokenizer, or set --on-misaligned expand or drop"
        )
    if alignment.on_misaligned == "drop" or misfit.expanded is None:
        alignment.notify(f"{where}: {shown} {found}; dropped")
        tally.add("spans that are not whole tokens, dropped")
        return None
    widened = _shown(sentence, _in_characters(sentence, misfit.expanded))
    alignment.notify(f"{where}: {shown} {found}; widened to {widened}")
    tally.add("spans that are not whole tokens, widened")
    return misfit.expanded


def _refuse_overlap(where: str, sentence: Sentence, spans: Sequence[Span], when: str) -> None:
    if pair := find_overlap(spans):
        raise FormatError(
            f"{where}: expected spans that do not overlap, found {_shown(sentence, pair[0])} and "
            f"{_shown(sentence, pair[1])}{when}; keep one of the two"
        )


def _in_characters(sentence: Sentence, span: Span) -> Span:
    return Span(start=sentence.tokens[span.start].start, end=sentence.tokens[span.end - 1].end, label=span.label)


def _shown(sentence: Sentence, span: Span) -> str:
    return f'{span.label} [{span.start}, {span.end}) "{sentence.text[span.start : span.end]}"'.lstrip()
