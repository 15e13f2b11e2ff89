"""Traditional Chinese characters as simplified ones, for looking up only: one for one, so no offset changes.

In: text. Out: text of the same length. Which simplified character a traditional one stands for is taken from OpenCC's
table of characters, without its phrases, so of several the first is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

TABLE = "simplified_characters.txt"


def simplified(text: str) -> str:
    """The text with every traditional character as the simplified one.

    >>> simplified("漢語，中文")
    '汉语，中文'
    """
    return text.translate(_table())


@cache
def _table() -> Mapping[int, str]:
    """By code point; read when it is first needed."""
    lines = files(__package__).joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {ord(traditional): simple for traditional, simple in rows}
