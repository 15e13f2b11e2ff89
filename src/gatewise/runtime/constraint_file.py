"""Constraints for many texts in a file: JSON Lines, one line a sentence, in the order of the sentences.

In: lines such as `{"text": "我叫小明", "spans": [{"start": 2, "end": 4, "label": "PROPN"}], "tags": []}`, with the keys
of `constraints_from_dict`; all are optional, and an empty line or `{}` knows nothing. With `text`, it must be that of
its sentence. Out: the constraints of one sentence after the other, or a ConstraintError with path and line.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from gatewise.errors import ConstraintError
from gatewise.formats.json_items import parse_object
from gatewise.formats.source import numbered_lines
from gatewise.runtime.constraints import Constraints, constraints_from_dict
from gatewise.text.sentence import Sentence


class ConstraintLines:
    """The lines of a file, given out one a sentence; as many lines as sentences are expected."""

    def __init__(self, path: str | Path, *, skip: int = 0) -> None:
        """`skip`: how many lines belong to sentences that are done with."""
        self._path = path
        self._lines = islice(numbered_lines(path), skip, None)
        self._given = skip

    def take(self, sentence: Sentence | None) -> Constraints:
        """The constraints of the next sentence; None is one that cannot be tagged, whose line is passed over."""
        numbered = next(self._lines, None)
        if numbered is None:
            raise ConstraintError(
                f"{self._path}: expected a line for every sentence, found {self._given} lines and more sentences; "
                "give those without constraints an empty line"
            )
        self._given, line = numbered
        return Constraints() if sentence is None else _constraints(f"{self._path}:{self._given}", line, sentence)

    def end(self) -> None:
        """Raise ConstraintError where there are more lines than sentences."""
        for number, line in self._lines:
            if line.strip():
                raise ConstraintError(
                    f"{self._path}:{number}: expected a line for every sentence, found one too many; take it out"
                )


def _constraints(where: str, line: str, sentence: Sentence) -> Constraints:
    if not line.strip():
        return Constraints()
    value = parse_object(where, line)
    if value.get("text", sentence.text) != sentence.text:
        raise ConstraintError(
            f'{where}: expected the constraints of "{sentence.text[:40]}", found those of {value["text"]!r:.60}; '
            "put the lines in the order of the sentences"
        )
    return replace(constraints_from_dict(value, where=where), where=where)
