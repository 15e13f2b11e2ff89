"""A job: files in, tagged files out, in constant memory, gone on with after a kill (docs/adr/0026).

In: a tagger, the files, where to write, what was asked. Out: the outputs, each under its name only when it is complete,
and a report. A job whose files can be read again keeps a journal; another one is done in one go.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.errors import FormatError, JobError
from gatewise.formats.target import appearing
from gatewise.jobs.journal import Position
from gatewise.jobs.options import JobOptions
from gatewise.jobs.outputs import Output
from gatewise.jobs.rejects import RejectsFile
from gatewise.jobs.sinks import FileSink, Sink, TextSink, text_of, text_writer
from gatewise.jobs.stream import Chunk, Placed, Stream
from gatewise.jobs.tagging import ChunkTagger
from gatewise.runtime import Tagger
from gatewise.runtime.constraint_file import ConstraintLines

_NUMBERED = re.compile(r"^sentence \d+: ")  # how writers begin what they say of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job is: bytes read of `total` (None where nobody knows), and what came of them so far."""

    done: int
    total: int | None
    sentences: int
    tokens: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a job has done. `state`: done, interrupted, or complete (it was so before)."""

    state: str
    sentences: int
    tokens: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Whom a job talks to: `notify` takes sentences for the user, `progress` each chunk, `stopped` ends it."""

    notify: Callable[[str], None]
    progress: Callable[[JobProgress], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


class Job:
    """What all outputs of a job share."""

    def __init__(
        self, tagger: Tagger, outputs: tuple[Output, ...], options: JobOptions, listeners: Listeners, position: Position
    ) -> None:
        self.outputs, self.options, self.listeners, self.position = outputs, options, listeners, position
        self.tagger = ChunkTagger(tagger, options)
        for name, (withheld, total) in position.withheld.items():
            self.tagger.abstainers[name].withheld, self.tagger.abstainers[name].total = withheld, total
        done = position.sentences + position.rejected
        self.known = None if options.constrain is None else ConstraintLines(options.constrain, skip=done)
        self.rejects: RejectsFile | None = None

    def fill(self, output: Output, sink: Sink, after_chunk: Callable[[Chunk], None]) -> None:
        """Write all of one output, from the position on. Raises FormatError for what is broken without rejects."""
        stream = Stream(output.inputs, self.position, self.tagger, rejects=self.rejects, known=self.known)
        place: tuple[Chunk, Placed] | None = None

        def results() -> Generator[Any, None, None]:
            nonlocal place
            for chunk in stream.chunks():
                for placed, result in chunk.results:
                    place = chunk, placed
                    yield result
                sink.end_chunk()
                stream.written(chunk)
                self._tell_progress(stream.bytes_read)
                after_chunk(chunk)

        waiting = results()
        while inspect.getgeneratorstate(waiting) != inspect.GEN_CLOSED:
            try:
                sink.write(waiting)
            except FormatError as error:  # of the writer, which cannot hold the sentence; else `waiting` is closed
                if inspect.getgeneratorstate(waiting) == inspect.GEN_CLOSED or place is None:
                    raise
                stream.reject(*place, f"{stream.where(place[1])}: {_NUMBERED.sub('', str(error))}")
        stream.say(self.listeners.notify)
        if self.known is not None and output is self.outputs[-1]:
            self.known.end()

    def report(self, state: str) -> JobReport:
        """What was done until now."""
        position = self.position
        if state == "done":
            self.tagger.say_withheld(self.listeners.notify)
        return JobReport(state=state, sentences=position.sentences, tokens=position.tokens, rejected=position.rejected)

    def _tell_progress(self, read: int) -> None:
        position = self.position
        sizes = [[entry.size for entry in output.inputs] for output in self.outputs]
        before = sum(size or 0 for of_one in sizes[: position.output] for size in of_one)
        total = None if any(None in of_one for of_one in sizes) else sum(map(sum, sizes))  # type: ignore[arg-type]
        self.listeners.progress(
            JobProgress(
                done=before + read,
                total=total,
                sentences=position.sentences,
                tokens=position.tokens,
                rejected=position.rejected,
            )
        )


def run_in_one_go(job: Job, rejects: Path | None) -> JobReport:
    """Do a job that cannot be gone on with: from a pipe, to standard output, or in a format that is written whole."""
    if rejects is not None:
        job.rejects = RejectsFile(rejects)
    try:
        for number, output in enumerate(job.outputs):
            job.position.begin(number)
            _write(job, output)
    finally:
        if job.rejects is not None:
            job.rejects.close()
    return job.report("done")


def _write(job: Job, output: Output) -> None:
    writer = text_writer(job.options, job.tagger.head, job.listeners.notify)
    if output.path is None:
        job.fill(output, TextSink(sys.stdout, writer), _flush_rejects(job))
        return
    if job.options.target in ("parquet", "docbin"):
        job.fill(output, FileSink(str(output.path), job.options.target), _flush_rejects(job))
        return
    try:
        with output.path.open("wb") if output.is_device else appearing(output.path) as raw:
            stream = text_of(raw, packed=output.path.suffix == ".gz")
            try:
                job.fill(output, TextSink(stream, writer), _flush_rejects(job))
            finally:
                stream.detach()
    except OSError as error:
        raise JobError(f"{output.path}: cannot be written ({error.strerror}); check the path given to -o") from error


def _flush_rejects(job: Job) -> Callable[[Chunk], None]:
    def after_chunk(chunk: Chunk) -> None:
        if job.rejects is not None and chunk.rejected:
            job.rejects.flush()

    return after_chunk
