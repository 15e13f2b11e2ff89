"""Tag files: the one entry of this room.

In: a tagger, the files, where to write, what was asked, and who is told how it goes. Out: the outputs and a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatewise.errors import JobError
from gatewise.jobs.inputs import Input
from gatewise.jobs.journal import Journal, Position
from gatewise.jobs.options import JobOptions
from gatewise.jobs.outputs import Output, is_folder, make_folder, plan_outputs, why_not_resumable
from gatewise.jobs.parts import part_of
from gatewise.jobs.resumable import Resumable, identity_of, start_position
from gatewise.jobs.run import Job, JobReport, Listeners, run_in_one_go
from gatewise.runtime import Tagger

_IN_FOLDER = "gatewise"  # what the journal of a job with a folder is called after


def tag_files(
    tagger: Tagger,
    inputs: Sequence[Input],
    output: str | None,
    options: JobOptions,
    listeners: Listeners,
    *,
    rejects: Path | None = None,
    resume: bool = False,
) -> JobReport:
    """Tag the files into one output (None: standard output), or into a folder, one output each.

    What is broken goes to `rejects`; without it the first such line is an error. With `resume`, a job that was broken
    off is gone on with. Raises GatewiseError for what cannot be read, tagged, written or gone on with.
    """
    outputs = plan_outputs(inputs, output, options.target)
    if reason := why_not_resumable(outputs, options.target):
        if resume:
            raise JobError(f"--resume: expected a job that can be gone on with, found that {reason}; leave it out")
        return run_in_one_go(Job(tagger, outputs, options, listeners, Position()), rejects)
    journal = Journal(path=_journal_path(output, outputs), identity=identity_of(tagger, outputs, options, rejects))
    position = start_position(journal, outputs, resume=resume)
    if position is None:
        return JobReport(state="complete", sentences=0, tokens=0, rejected=_count_rejects(rejects))
    return Resumable(Job(tagger, outputs, options, listeners, position), journal, rejects).run()


def _count_rejects(path: Path | None) -> int:
    """How many lines a job that is complete has put aside."""
    if path is None or not path.exists():
        return 0
    try:
        with path.open("rb") as lines:
            return sum(1 for _ in lines)
    except OSError as error:
        raise JobError(f"{path}: cannot be read ({error.strerror}); check the path given to --rejects") from error


def _journal_path(output: str | None, outputs: Sequence[Output]) -> Path:
    """Beside the parts: OUT.part.json, or FOLDER/gatewise.part.json in a folder, which is made where there is none."""
    if output is not None and is_folder(output):
        make_folder(output)
        return Path(f"{part_of(Path(output) / _IN_FOLDER)}.json")
    assert outputs[0].path is not None  # standard output is written in one go
    return Path(f"{part_of(outputs[0].path)}.json")
