"""Plain text, one sentence a line.

In: a path, or `-` for standard input. Out: each line as it stands, empty ones too, without LF or CRLF at its end; or
each as a sentence of tokens without tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from gatewise.formats.labeled_text import AUTO, LOOK_AT
from gatewise.formats.source import Source, numbered_lines
from gatewise.text import Sentence, tokenize
from gatewise.text.align import guess_tokenizer


def read_lines(path: Source) -> Iterator[str]:
    """The lines of a text file, one sentence each, read as they are asked for."""
    return (line for _, line in numbered_lines(path))


def read_text(path: Source, *, tokenizer: str = AUTO) -> Iterator[Sentence]:
    """The lines of a text file as untagged sentences; `auto` is `characters` for mostly Han text, else `words`."""
    lines = read_lines(path)
    head = list(islice(lines, LOOK_AT)) if tokenizer == AUTO else []
    chosen = guess_tokenizer(head) if tokenizer == AUTO else tokenizer
    return (tokenize(line, chosen) for line in chain(head, lines))
