"""What comes back from the workers, made sure of: each chunk once, in order, its errors raised, its counts added up.

In: rows of the workers. Out: chunks as they are written, for so many files at a time.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence

from gatewise.bulk.workers import Answer, Row
from gatewise.errors import ClusterError, GatewiseError
from gatewise.formats.source import Notify
from gatewise.formats.tally import Tally
from gatewise.jobs import Input, JobProgress

_AGAIN = "the output is not complete, start the job again"


class Answers:
    """The answers of a job; `sentences` and `tokens` are those that came so far."""

    def __init__(
        self, rows: Iterable[Row], inputs: Sequence[Input], *, progress: Callable[[JobProgress], None], notify: Notify
    ) -> None:
        self._rows = iter(rows)
        self._sizes = [entry.size for entry in inputs]
        self._total = None if None in self._sizes else sum(size or 0 for size in self._sizes)
        self._before = 0  # bytes of the files that are done
        self._progress, self._notify = progress, notify
        self._file = self._chunk = 0  # of the row that must come next
        self._tally = Tally()
        self.sentences = self.tokens = 0

    def contents(self, files: int) -> Iterator[bytes]:
        """The chunks of the next files; after the last file, nothing more may come.

        Raises what broke a file off, and ClusterError where a chunk is missing or there twice.
        """
        end = self._file + files
        while self._file < end:
            row = next(self._rows, None)
            self._check(row)
            assert row is not None
            if row["error"] is not None:
                error: GatewiseError = pickle.loads(row["error"])
                raise error
            if row["answer"] is not None:
                yield self._counted(pickle.loads(row["answer"]), row["read"])
            self._chunk += 1
            if row["last"]:
                self._tally.say(row["name"], self._notify)
                self._before += self._sizes[self._file] or 0
                self._file, self._chunk, self._tally = self._file + 1, 0, Tally()
        if self._file == len(self._sizes):
            self._check(next(self._rows, None))

    def _check(self, row: Row | None) -> None:
        wanted = self._place(self._file, self._chunk) if self._file < len(self._sizes) else "the end"
        found = "the end" if row is None else self._place(row["file"], row["chunk"])
        if wanted != found:
            raise ClusterError(f"Ray: expected {wanted}, found {found}; {_AGAIN}")

    def _place(self, file: int, chunk: int) -> str:
        return f"chunk {chunk + 1} of file {file + 1}"

    def _counted(self, answer: Answer, read: int) -> bytes:
        self.sentences += answer.sentences
        self.tokens += answer.tokens
        for what, count in answer.left_out.items():
            self._tally.counts[what] = self._tally.counts.get(what, 0) + count
        self._progress(
            JobProgress(
                done=self._before + read,
                total=self._total,
                sentences=self.sentences,
                tokens=self.tokens,
                rejected=0,
            )
        )
        return answer.content
