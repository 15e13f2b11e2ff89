"""`gatewise tag`: texts or files in, tagged sentences out. The work is done in `gatewise.jobs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.interrupt import INTERRUPTED, stopping
from gatewise.cli.options import columns_option, expect_choice, head_option, neighbors_option, split_columns
from gatewise.cli.ray_engine import ray_options

if TYPE_CHECKING:
    from gatewise.jobs import JobOptions, JobReport, Listeners
    from gatewise.runtime import Tagger

REJECTED = 3  # the exit code of a run that put lines aside


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
@click.option("-m", "--model", default="zh", show_default=True, help="A bundled model or a model folder.")
@click.option("--from", "source", default="auto", show_default=True, help="text, or a labeled format; auto: found out.")
@click.option("--to", "target", default="inline", show_default=True, help="inline, conll, conllu, jsonl, parquet, …")
@click.option("--split", is_flag=True, help="Cut each line of text into its sentences first.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Threads; 0 means one a core.")
@click.option("--n-best", type=click.IntRange(min=1), help="The N most probable taggings of each; with --to jsonl.")
@click.option("--constrain", type=click.Path(path_type=Path), help="What is known of each sentence, as JSON Lines.")
@click.option("--dictionary", type=click.Path(path_type=Path), help="Words to favor, as jieba has them.")
@click.option("--hard-dictionary", is_flag=True, help="Cut the words of --dictionary out wherever they are found.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Withhold what is less probable than this.")
@neighbors_option
@head_option
@columns_option
@click.option("-o", "--output", help="A file, or a folder (FOLDER/) for an output a file; default stdout.")
@click.option("--resume", is_flag=True, help="Go on with a run that was broken off, where it was.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Put what is broken here and go on; exit code 3.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
@ray_options
def tag(
    files: tuple[str, ...],
    model: str,
    source: str,
    target: str,
    split: bool,
    threads: int,
    n_best: int | None,
    constrain: Path | None,
    dictionary: Path | None,
    hard_dictionary: bool,
    min_score: float | None,
    neighbors: int | None,
    head: str,
    columns: str,
    output: str | None,
    resume: bool,
    rejects: Path | None,
    quiet: bool,
) -> None:
    """Tag files, or what comes in on stdin: one sentence a line, or sentences that are cut into tokens already.

    FILE may be a pattern in quotes, such as 'data/**/*.jsonl.gz'; files and stdin may be packed with gzip. Runs of many
    files, --resume and --rejects are explained in docs/jobs.md, the formats in docs/formats.md; the tags that a labeled
    file holds are not looked at. Confidence, constraints, dictionaries and neighbors are explained in docs/tagging.md.
    Of a model with further heads, jsonl and conll hold what all of them say, other formats what the main head says, or
    with --head another one alone; n-best, constraints and dictionary are for the main head, or for that of --head.
    """
    from gatewise.formats import BINARY_FORMATS, FORMATS, OUTPUT_FORMATS
    from gatewise.jobs import JobOptions, find_inputs, tag_files
    from gatewise.runtime import load

    expect_choice("--from", source, ("auto", *FORMATS))
    expect_choice("--to", target, (*OUTPUT_FORMATS, *BINARY_FORMATS))
    options = JobOptions(
        target=target,
        columns=split_columns(columns),
        split=split,
        n_best=n_best,
        constrain=constrain,
        dictionary=dictionary,
        hard_dictionary=hard_dictionary,
        min_score=min_score,
        neighbors=neighbors,
        head=head,
    )
    inputs = find_inputs(files or ("-",), source)
    tagger = _with_dictionary(load(model, threads=threads), options)
    if neighbors is not None:
        tagger = tagger.with_neighbors(neighbors)
    is_long = output is not None and all(entry.size is not None for entry in inputs)
    with _listeners(bar=is_long and not quiet and sys.stderr.isatty(), stop_gently=is_long) as listeners:
        report = tag_files(tagger, inputs, output, options, listeners, rejects=rejects, resume=resume)
    _leave(report, output, rejects)


def _with_dictionary(tagger: Tagger, options: JobOptions) -> Tagger:
    """The tagger with the dictionary, if any; labels in it that the model does not have are told."""
    if options.dictionary is None:
        return tagger
    steered = tagger.with_dictionary(options.dictionary, hard=options.hard_dictionary, head=options.head)
    if unknown := steered.unknown_dictionary_labels():
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        _say(f"{options.dictionary}: the model has no label {shown}; words with such a tag may get any label")
    return steered


@contextmanager
def _listeners(*, bar: bool, stop_gently: bool) -> Iterator[Listeners]:
    """Who is told how it goes: a bar on a terminal; Ctrl-C ends a job that can be gone on with after its chunk."""
    from gatewise.jobs import Listeners

    with stopping() if stop_gently else nullcontext(lambda: False) as stopped:
        if not bar:
            yield Listeners(notify=_say, stopped=stopped)
            return
        from gatewise.cli.job_bar import JobBar

        with JobBar() as shown:
            yield Listeners(notify=shown.say, progress=shown.update, stopped=stopped)


def _leave(report: JobReport, output: str | None, rejects: Path | None) -> None:
    """Say how it ended, and end with the exit code that says so."""
    if report.state == "complete":
        _say(f"{output}: complete already, nothing is left to do; leave --resume out to tag anew")
        if report.rejected:
            _say(f"{rejects}: {_sentences(report.rejected)} put aside when it was tagged")
            sys.exit(REJECTED)
        return
    if report.state == "interrupted":
        _say(f"interrupted after {report.sentences:,} sentences; add --resume to the same command to go on there")
        sys.exit(INTERRUPTED)
    if report.rejected:
        _say(f"{rejects}: {_sentences(report.rejected)} put aside, {report.sentences:,} tagged")
        sys.exit(REJECTED)


def _sentences(count: int) -> str:
    return "1 sentence" if count == 1 else f"{count:,} sentences"


def _say(message: str) -> None:
    click.echo(message, err=True)
