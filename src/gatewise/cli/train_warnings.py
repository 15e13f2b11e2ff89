"""What is doubtful about the files of a training run, in a line each, before the run begins.

In: the sentences that were read. Out: lines for people. The findings are those of `gatewise check`, which shows their
places too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.cli.check import judge

if TYPE_CHECKING:
    from gatewise.text.sentence import Sentence

SHOWN_LABELS = 10


def warning_lines(
    splits: Mapping[str, Sequence[Sentence]], scheme: str, paths: Sequence[Path], columns: Sequence[str]
) -> Iterator[str]:
    """One line a finding, with its count, the worst first, and the command that shows where.

    Labels that training lacks are told by name. Strings labeled in more than one way are doubtful where labels are of
    names; plain tags, such as parts of speech, change with the sentence.
    """
    from gatewise.model.label_facts import unseen_labels
    from gatewise.text.hygiene import check_corpus

    found = []
    for name in [name for name in splits if name != "train"]:
        if unseen := unseen_labels(splits["train"], splits[name], scheme):
            shown = ", ".join(f"{label} {count:,}×" for label, count in list(unseen.items())[:SHOWN_LABELS])
            more = ", …" if len(unseen) > SHOWN_LABELS else ""
            found.append(("warning", len(unseen), f"{name}: labels that train has not, never predicted: {shown}{more}"))
    report = check_corpus({name: partial(_reading, split) for name, split in splits.items()}, limit=1)
    for finding in judge(report):
        level, kind, message = finding["level"], finding["kind"], finding["message"]
        if level == "note":
            told = (kind == "duplicates" and message.endswith("word for word")) or kind == "labels in one split"
            told = told or (kind == "suspects" and scheme != "plain")
        else:
            told = kind != "labels in one split"  # told above, by name
        if told:
            found.append((level, finding["count"], message))
    for level, count, message in found:
        yield f"{level:8}{count:>8,}  {message}"
    if found:
        default = tuple(columns) == ("token", "tag")
        options = [] if default else ["--columns", ",".join(columns)]
        yield "where:  " + shlex.join(["gatewise", "check", *map(str, paths), *options])


def _reading(sentences: Sequence[Sentence]) -> Iterator[tuple[Sentence, Sequence[int]]]:
    """Each sentence, with its number for a line: only counts are told here."""
    for number, sentence in enumerate(sentences, start=1):
        yield sentence, (number,)
