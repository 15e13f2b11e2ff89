"""The job of `gatewise tag` on a Ray cluster: files in, one file out or one for each, the same as one process writes.

In: files of any format on anything fsspec reads. Out: JSON Lines or Parquet. Tasks read each file into chunks, actors
that hold a model tag them, and this process writes what comes back, in order, under another name until it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gatewise.bulk.answers import Answers
from gatewise.bulk.cluster import connected
from gatewise.bulk.packed_model import pack_model
from gatewise.bulk.places import absolute, find_files, find_places, placing
from gatewise.bulk.workers import TARGETS, Attempts, Row, Worker, read_chunks
from gatewise.errors import ConfigError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.formats.parquet import write_stretches
from gatewise.formats.source import Notify, log_notice
from gatewise.formats.target import appearing
from gatewise.jobs import Input, JobOptions, JobProgress, JobReport
from gatewise.jobs.sinks import text_of
from gatewise.runtime import load

# Reading is many times as fast as tagging, and what was read ahead has its results kept until its turn comes
_WORKERS_A_READER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be tagged and how; `files` and `output` are paths, patterns (`files`), or addresses that fsspec knows.

    `target` is jsonl or parquet. `workers` 0: one a CPU of the cluster, each with so many `threads`. `address` None: a
    cluster on this machine that ends with the job. `head` as in `gatewise tag --head`.
    """

    files: Sequence[str]
    output: str
    model: str | Path = "zh"
    target: str = "jsonl"
    source: str = "auto"
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    split: bool = False
    head: str = ""
    workers: int = 0
    threads: int = 1
    address: str | None = None


def run(
    job: Job, *, progress: Callable[[JobProgress], None] = lambda _: None, notify: Notify = log_notice
) -> JobReport:
    """Do the job; `progress` hears of each chunk how far it is, `notify` what a reader left out.

    Raises what tagging in one process raises, ClusterError for what the cluster does, MissingExtraError without Ray.
    Whenever it raises, what stood under the name of an output that is not complete is what it was before.
    """
    if job.target not in TARGETS:
        raise ConfigError(f"target: expected one of {', '.join(TARGETS)}, found {job.target!r}; choose one of these")
    options = JobOptions(target=job.target, columns=job.columns, split=job.split, head=job.head)
    load(job.model, threads=1).archive.head(job.head)  # what is wrong with a model is told before a cluster starts
    inputs = find_files(job.files, job.source)
    places = find_places(job.output, inputs, job.target)
    with (
        connected(job.address, job.workers, job.threads) as workers,
        closing(_rows(job, inputs, options, workers)) as rows,  # an error that is kept must not keep the workers
    ):
        answers = Answers(rows, inputs, progress=progress, notify=notify)
        for place in places:
            with placing(place.address) as path:
                _WRITERS[job.target](answers.contents(place.files), path, place.address.endswith(".gz"))
    return JobReport(state="done", sentences=answers.sentences, tokens=answers.tokens, rejected=0)


def _rows(job: Job, inputs: Sequence[Input], options: JobOptions, workers: int) -> Generator[Row, None, None]:
    """A row a chunk, in order; one block each, so that chunks are spread over the workers."""
    import ray

    from gatewise.bulk.failed_runs import free_workers_on_failure

    if not inputs:
        return
    items = [
        {"file": n, "name": entry.path, "address": absolute(entry.path), "format": entry.format}
        for n, entry in enumerate(inputs)
    ]
    dataset = ray.data.from_items(items, override_num_blocks=len(items))
    dataset.context.execution_options.preserve_order = True
    dataset.context.target_max_block_size = 1  # byte: each row ends its block
    dataset.context.enable_progress_bars = False
    free_workers_on_failure(dataset)
    readers = min(len(items), max(2, workers // _WORKERS_A_READER))
    read = dataset.flat_map(
        read_chunks, fn_kwargs={"options": options}, num_cpus=0, compute=ray.data.TaskPoolStrategy(size=readers)
    )
    attempts = ray.remote(num_cpus=0)(Attempts).remote()
    tagged = read.map_batches(
        Worker,
        fn_constructor_args=(ray.put(pack_model(job.model)), options, job.threads, attempts),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=job.threads,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    for table in tagged.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from table.to_pylist()


def _write_lines(contents: Iterator[bytes], path: Path, packed: bool) -> None:
    with appearing(path) as raw:
        stream = text_of(raw, packed=packed)
        try:
            for content in contents:
                stream.write(content.decode())
                stream.flush()  # packed, a chunk is a member, as in one process
        finally:
            stream.detach()


def _write_rows(contents: Iterator[bytes], path: Path, packed: bool) -> None:  # noqa: ARG001 - Parquet packs itself
    write_stretches(contents, path)


_WRITERS = {"jsonl": _write_lines, "parquet": _write_rows}
