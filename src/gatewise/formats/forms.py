"""Where the tokens of a file stand in the text that the file gives beside them.

In: forms in order, and a text. Out: the start of each, found past white space alone.
"""

from __future__ import annotations

from collections.abc import Iterable


def find_forms(forms: Iterable[str], text: str) -> tuple[list[int], int]:
    """Where each form starts, as far as they are found one after the other; and where the search ended.

    >>> find_forms(["New", "York", "."], "New  York.")
    ([0, 5, 9], 10)
    """
    starts: list[int] = []
    position = 0
    for form in forms:
        while not text.startswith(form, position):
            if not text[position : position + 1].isspace():
                return starts, position
            position += 1
        starts.append(position)
        position += len(form)
    return starts, position
