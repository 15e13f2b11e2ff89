"""`gatewise tag --engine ray`: its options, what they refuse, and the job of `gatewise.bulk` that they ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import wraps
from typing import Any

import click

from gatewise.cli.options import expect_choice, split_columns
from gatewise.errors import ConfigError

_KNOWN = ("files", "model", "source", "target", "split", "threads", "head", "columns", "output", "quiet")


def ray_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--engine`, `--ray-address` and `--workers`; with `--engine ray` the job is done here, else by `command`."""

    @wraps(command)
    def either(*, engine: str, ray_address: str | None, workers: int | None, **parameters: Any) -> None:
        if engine == "ray":
            _tag_on_ray(parameters, ray_address, workers)
            return
        for name, value in (("--ray-address", ray_address), ("--workers", workers)):
            if value is not None:
                raise ConfigError(f"{name}: expected --engine ray with it, found --engine local; add --engine ray")
        command(**parameters)

    for option in (
        click.option("--workers", type=click.IntRange(min=1), help="Of --engine ray; default: one a CPU."),
        click.option("--ray-address", help="Of a Ray cluster, host:port; default: one on this machine, for this job."),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="ray: on a cluster, see docs/bulk.md.",
        ),
    ):
        either = option(either)
    return either


def _tag_on_ray(given: dict[str, Any], address: str | None, workers: int | None) -> None:
    from gatewise.bulk import Job, run
    from gatewise.formats import FORMATS

    _refuse(given)
    expect_choice("--from", given["source"], ("auto", *FORMATS))
    job = Job(
        files=given["files"],
        output=given["output"],
        model=given["model"],
        target=given["target"],
        source=given["source"],
        columns=split_columns(given["columns"]),
        split=given["split"],
        head=given["head"],
        workers=workers or 0,
        threads=given["threads"] or 1,
        address=address,
    )
    with redirect_stdout(sys.stderr):  # Ray tells of workers that died on stdout
        if given["quiet"] or not sys.stderr.isatty():
            run(job, notify=_say)
            return
        from gatewise.cli.job_bar import JobBar

        with JobBar() as bar:
            run(job, progress=bar.update, notify=bar.say)


def _refuse(given: dict[str, Any]) -> None:
    """Raise ConfigError for what a cluster cannot do: every option that is not known to it among them."""
    here, context = "--engine ray", click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        is_default = context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT
        if name in given and name not in _KNOWN and not is_default:
            raise ConfigError(
                f"{here}: expected options that a cluster knows, found {max(option.opts, key=len)}; leave it out, or "
                "tag with --engine local"
            )
    if not given["files"] or "-" in given["files"]:
        raise ConfigError(f"{here}: expected files, found standard input; name the files")
    if given["target"] not in ("jsonl", "parquet"):
        raise ConfigError(f"{here}: expected --to jsonl or --to parquet, found --to {given['target']}; change that")
    if given["output"] is None:
        raise ConfigError(f"{here}: expected a file or a folder to write to, found none; add -o FILE")


def _say(message: str) -> None:
    click.echo(message, err=True)
