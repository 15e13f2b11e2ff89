"""Tagged sentences as people read them, on one line.

In: a tagged sentence. Out: a string: `我/PRON 叫/VERB` for words, `我叫[小明 NAME]` for spans inside a text,
`EU/B-ORG` for bare tags. For eyes only: nothing is escaped, and no reader takes it back.
"""

from __future__ import annotations

from gatewise.text import Sentence

_OUTSIDE = "O"


def format_inline(sentence: Sentence) -> str:
    """The sentence in the form that fits what it holds.

    Spans that cover the whole text are words; other spans are put in brackets; tags without spans stand behind their
    tokens. A sentence that nobody tagged, or whose tags are all `O`, is its text.
    """
    if sentence.spans:
        return format_words(sentence) if _is_covered(sentence) else format_brackets(sentence)
    if sentence.tags and any(tag != _OUTSIDE for tag in sentence.tags):
        return format_tags(sentence)
    return sentence.text


def format_words(sentence: Sentence) -> str:
    """Each span and its label, `小明/PROPN`, separated by spaces; a span without a label is shown alone."""
    return " ".join(_slashed(span.text, span.label) for span in sentence.spans)


def format_brackets(sentence: Sentence) -> str:
    """The text with each span in brackets: `我叫[小明 NAME]`."""
    parts = []
    position = 0
    for span in sorted(sentence.spans, key=lambda span: span.start):
        parts.append(sentence.text[position : span.start])
        parts.append(f"[{span.text} {span.label}]" if span.label else f"[{span.text}]")
        position = span.end
    return "".join(parts) + sentence.text[position:]


def format_tags(sentence: Sentence) -> str:
    """Each token and its tag, `EU/B-ORG`, separated by spaces."""
    tags = sentence.tags if sentence.tags is not None else ("",) * len(sentence)
    return " ".join(map(_slashed, sentence.forms, tags))


def _slashed(text: str, label: str) -> str:
    return f"{text}/{label}" if label else text


def _is_covered(sentence: Sentence) -> bool:
    """Whether everything but white space lies in a span."""
    position = 0
    for span in sentence.spans:
        if sentence.text[position : span.start].strip():
            return False
        position = span.end
    return not sentence.text[position:].strip()
