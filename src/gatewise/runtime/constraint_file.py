"""Constraints for many texts in a file: JSON Lines, one line a sentence, in the order of the sentences.

In: lines such as `{"text": "我叫小明", "spans": [{"start": 2, "end": 4, "label": "PROPN"}], "tags": []}`, with the keys
of `constraints_from_dict`; all are optional, and an empty line or `{}` knows nothing. With `text`, it must be that of
its sentence. Out: sentences paired with their constraints, or a ConstraintError with path and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from gatewise.errors import ConstraintError
from gatewise.formats.json_items import parse_object
from gatewise.formats.source import numbered_lines
from gatewise.runtime.constraints import Constraints, constraints_from_dict
from gatewise.text.sentence import Sentence


def with_constraints(sentences: Iterable[Sentence], path: str | Path) -> Iterator[tuple[Sentence, Constraints]]:
    """Each sentence with the constraints of its line; as many lines as sentences are expected."""
    lines = numbered_lines(path)
    number = 0
    for sentence, numbered in zip_longest(sentences, lines):
        if numbered is None:
            raise ConstraintError(
                f"{path}: expected a line for every sentence, found {number} lines and more sentences; "
                "give those without constraints an empty line"
            )
        number, line = numbered
        where = f"{path}:{number}"
        if sentence is None:
            if not line.strip():
                continue
            raise ConstraintError(f"{where}: expected a line for every sentence, found one too many; take it out")
        yield sentence, _constraints(where, line, sentence)


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
