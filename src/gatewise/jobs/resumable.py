"""A job that keeps a journal, so that it can be killed at any moment and gone on with (docs/adr/0026).

In: a job, and whether to go on with one that was broken off. Out: the same outputs, byte for byte, as without the kill.
A part never counts beyond what the journal says, and a journal says nothing that is not on the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from gatewise import __version__
from gatewise.errors import GatewiseError, JobError
from gatewise.formats.columns import column_names
from gatewise.formats.conll import ConllLayer
from gatewise.jobs.journal import Journal, Position, digest_of_model
from gatewise.jobs.options import JobOptions
from gatewise.jobs.outputs import Output
from gatewise.jobs.parts import PartFile, finish, part_of
from gatewise.jobs.rejects import RejectsFile
from gatewise.jobs.run import Job, JobReport
from gatewise.jobs.sinks import RowSink, Sink, TextSink, text_of, text_writer
from gatewise.jobs.stream import CHUNK, Chunk
from gatewise.runtime import Tagger
from gatewise.text.sentence import Sentence

SECONDS = 1.0  # between two entries of the journal, at least


def identity_of(tagger: Tagger, outputs: Sequence[Output], options: JobOptions, rejects: Path | None) -> dict[str, Any]:
    """All that decides what a job writes, by the names that users know."""
    return {
        "gatewise": __version__,
        "--model": digest_of_model(tagger.archive.folder),
        **options.identity(),
        "--rejects": None if rejects is None else str(rejects),
        "files": [[e.path, e.format, e.size, e.written] for output in outputs for e in output.inputs],
        "sentences at a time": CHUNK,
    }


def start_position(journal: Journal, outputs: Sequence[Output], *, resume: bool) -> Position | None:
    """Where a job begins; None where it is complete already.

    Raises JobError where it cannot go on with what is there, and where it would wipe out what can be gone on with.
    """
    found = journal.read()
    paths = [output.path for output in outputs if output.path is not None]
    if found is None:
        if not journal.path.exists():
            _refuse_strangers(journal, paths)
            if resume and paths and all(path.exists() for path in paths):
                _refuse_older(outputs)
                return None
        return Position()
    position, difference = found
    start_over = f"remove {journal.path} and the .part beside it to start over"
    if not resume:
        raise JobError(
            f"{journal.path}: expected no unfinished job at this place, found one with {position.sentences:,} tagged "
            f"sentences; add --resume to go on with it, or {start_over}"
        )
    if difference is not None:
        raise JobError(
            f"{journal.path}: expected the job that was broken off, found that {difference}; give --resume the same "
            f"files and options, or {start_over}"
        )
    return position


def _refuse_strangers(journal: Journal, paths: Sequence[Path]) -> None:
    for part in map(part_of, paths):
        if part.exists() and part.stat().st_size:
            raise JobError(
                f"{part}: expected a free name, found a file without a journal ({journal.path}); move it away"
            )


def _refuse_older(outputs: Sequence[Output]) -> None:
    for output in outputs:
        for entry in output.inputs:
            if output.path is not None and (entry.written or 0) > output.path.stat().st_mtime_ns:
                raise JobError(
                    f"{output.path}: expected an output of these files, found one older than {entry.path}; leave "
                    "--resume out to tag anew"
                )


class _StopAsked(Exception):  # noqa: N818 - no error
    """Somebody asked the job to stop, and the journal is written."""


class Resumable:
    """A job and its journal; `rejects` is where rejects go in the end."""

    def __init__(self, job: Job, journal: Journal, rejects: Path | None) -> None:
        self._job, self._journal, self._rejects = job, journal, rejects
        self._is_kept = self._done > 0  # whether the journal has something to go on with
        self._part: PartFile | None = None
        self._opened: list[Path] = []  # parts that are this process's to remove
        self._is_open = False  # the sentence written last, see `_is_open_after`
        self._last = monotonic()

    @property
    def _done(self) -> int:
        return self._job.position.sentences + self._job.position.rejected

    def run(self) -> JobReport:
        """Make the outputs that are left. Raises what stands in the way, having said how to go on."""
        try:
            self._make_or_say_why_not()
        except _StopAsked:
            return self._job.report("interrupted")
        except GatewiseError as error:
            if not self._is_kept:
                raise
            raise type(error)(f"{error}; what was tagged is kept, add --resume to go on there") from error
        finally:
            self._let_go()
        return self._job.report("done")

    def _make_or_say_why_not(self) -> None:
        try:
            self._make()
        except OSError as error:
            path = self._job.outputs[self._job.position.output].path
            raise JobError(f"{path}: cannot be written ({error.strerror}); make room for it") from error

    def _make(self) -> None:
        position, outputs = self._job.position, self._job.outputs
        while True:
            output = outputs[position.output]
            assert output.path is not None  # a job without a file is done in one go
            if not position.is_whole:
                self._fill(output, output.path)
            finish(output.path, column_names(()) if self._packs_rows else None)
            if position.output + 1 == len(outputs):
                break
            position.begin(position.output + 1)
            self._save()
        if self._rejects is not None and part_of(self._rejects).exists():
            finish(self._rejects)
        self._journal.remove()

    @property
    def _packs_rows(self) -> bool:
        return self._job.options.target == "parquet"

    def _fill(self, output: Output, path: Path) -> None:
        job = self._job
        self._part = part = self._open(path, job.position.size)
        if self._rejects is not None and job.rejects is None:
            job.rejects = RejectsFile(self._rejects, part=self._open(self._rejects, job.position.rejects_size))
        if not self._is_kept:
            self._journal.write(job.position)
        sink: Sink = RowSink(part.stream)
        stream = None
        if not self._packs_rows:
            stream = text_of(part.stream, packed=path.suffix == ".gz")
            sink = TextSink(stream, text_writer(job.options, job.tagger.head, job.listeners.notify))
        try:
            job.fill(output, sink, self._after_chunk)
            job.position.is_whole = True
            self._save()
        finally:
            with suppress(OSError):  # of a full disk, said before
                if stream is not None:
                    stream.detach()
            with suppress(OSError):
                part.close()
            self._part = None

    def _after_chunk(self, chunk: Chunk) -> None:
        stop = self._job.listeners.stopped()
        if chunk.results:
            self._is_open = _is_open_after(chunk.results[-1][1])
        if (stop or monotonic() - self._last >= SECONDS) and not self._is_open:
            self._save()
        if stop:
            raise _StopAsked

    def _save(self) -> None:
        """Have everything on the disk, and then say so in the journal."""
        position = self._job.position
        if self._part is not None:
            position.size = self._part.sync()
        if self._job.rejects is not None:
            position.rejects_size = self._job.rejects.sync()
        self._journal.write(position)
        self._is_kept = self._done > 0
        self._last = monotonic()

    def _open(self, target: Path, keep: int) -> PartFile:
        part = PartFile(target, keep=keep)
        self._opened.append(part.path)
        return part

    def _let_go(self) -> None:
        """Close what is open; where nothing can be gone on with, leave nothing behind."""
        if self._job.rejects is not None:
            with suppress(OSError):
                self._job.rejects.close()
        if not self._is_kept and self._opened:
            for part in self._opened:
                part.unlink(missing_ok=True)
            self._journal.remove()


def _is_open_after(result: object) -> bool:
    """Whether the writer has yet to close what it wrote last: a sentence of a column file without a blank line."""
    return isinstance(result, Sentence) and isinstance(result.layer, ConllLayer) and not result.layer.is_closed
