"""Which lines of a column file are remarks, not tokens: document marks and comments, where the two can be told apart.

In: lines before the first token of a sentence. A document mark begins with `-DOCSTART-`. A comment begins with `# ` and
has not as many columns as a token; or it has them by spaces where the tokens have tabs, and ends in nothing like a tag
of a span. Any other line is a token: in `# O` it is `#`. Where all columns are parted by spaces, a comment of as many
words as there are columns cannot be told from a token; those that look like one by their tag are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gatewise.formats.source import Located, Notify, Source, source_name

DOCUMENT_MARK = "-DOCSTART-"
_SPACES = re.compile(" +")
_LIKE_A_TAG = re.compile(r"O|[BIMESLU](-.+)?")


def split_columns(line: str) -> list[str]:
    """The columns of a line: cut at each tab when it has one, else at runs of spaces."""
    return line.split("\t") if "\t" in line else _SPACES.split(line.strip(" "))


def is_remark(line: str, num_columns: int) -> bool:
    """Whether a line before the first token is one for sure, whatever follows."""
    return line.startswith(DOCUMENT_MARK) or (line.startswith("# ") and len(split_columns(line)) != num_columns)


def count_comments(lines: Sequence[str]) -> int:
    """How many of a sentence's first lines are comments that have the columns of a token: their tokens have tabs."""
    for number, line in enumerate(lines):
        if not _is_doubtful(line) or _LIKE_A_TAG.fullmatch(split_columns(line)[-1]):
            return number if "\t" in line else 0
    return 0


def doubted(path: Source, sentences: Iterable[Located], notify: Notify) -> Iterator[Located]:
    """Pass sentences on; at the end tell of tokens `#` that may be comments: no other token has a tag like theirs."""
    tags: set[str] = set()
    doubts: dict[str, list[int]] = {}  # by tag: the lines
    for located in sentences:
        yield located
        found = 0
        for form, tag, line in zip(located.sentence.forms, located.sentence.tags or (), located.lines, strict=False):
            if form != "#":
                break
            doubts.setdefault(tag, []).append(line)
            found += 1
        tags.update((located.sentence.tags or ())[found:])
    lines = sorted(line for tag, found_lines in doubts.items() if tag not in tags for line in found_lines)
    if lines:
        notify(
            f"{source_name(path)}:{lines[0]}: {len(lines)} lines are read as the token # with a tag that no other "
            "token has; if they are comments, leave them out, or write them with another number of words"
        )


def _is_doubtful(line: str) -> bool:
    return line.startswith("# ") and "\t" not in line
