"""Options that several commands share, and how they write."""

from __future__ import annotations

import gzip
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from gatewise.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gatewise.model.config import Config

lang_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", envvar="GATEWISE_LANG", show_default=True, help="Language."
)
columns_option = click.option(
    "--columns",
    default="token,tag",
    show_default=True,
    help="What the columns of a column file hold; _ is ignored, for example token,_,tag. Of a Parquet file, the names "
    "of its columns: tokens=words,tags=labels.",
)
column_option = click.option(
    "--column",
    help="Where the tags stand: upos or xpos in CoNLL-U (default upos), ents, tag or pos in DocBin (default ents).",
)
config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="A TOML file with settings, see docs/configuration.md."
)
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="One setting, such as encoder.hidden=100."
)
seed_option = click.option("--seed", type=click.IntRange(min=0), help="The same as --set training.seed=N.")
device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="The same as --set training.device=DEVICE."
)
head_option = click.option(
    "--head", default="", metavar="NAME", help="A further head of the model (docs/heads.md); default: its main head."
)
neighbors_option = click.option(
    "--neighbors",
    type=click.IntRange(min=1),
    metavar="N",
    help="The sentences are running text: a name is labeled after what is said of it up to N sentences away, too. 50 "
    "is a good N.",
)
output_option = click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; default stdout.")


def split_columns(columns: str) -> tuple[str, ...]:
    """`token,_,tag`, or `tokens=words,tags=labels`, as a tuple."""
    return tuple(name.strip() for name in columns.split(","))


def wanted_config(
    path: Path | None, settings: Sequence[str], *, seed: int | None = None, device: str | None = None
) -> Config:
    """The configuration that the options of a command that trains ask for; raises ConfigError for what is wrong."""
    from gatewise.model.config_reading import read_config

    short = {"seed": seed, "device": device}
    given = [f"training.{name}={value}" for name, value in short.items() if value is not None]
    return read_config(path, (*settings, *given))


def before_torch() -> None:
    """Say what must be said before torch is loaded.

    OpenMP threads that wait spin for long, and beside another busy process that costs far more than its share of time
    (benchmarks/RESULTS.md).
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")


@contextmanager
def writing(output: Path | None) -> Iterator[TextIO]:
    """The stream to write to: stdout, or a file (packed when its name ends in .gz) that appears when it is complete."""
    if output is None:
        yield sys.stdout
        return
    from gatewise.formats.target import appearing

    is_device = output.exists() and not output.is_file() and not output.is_dir()  # /dev/null, a pipe: write into it
    try:
        with output.open("wb") if is_device else appearing(output) as raw, _text(raw, output) as stream:
            yield stream
    except OSError as error:
        raise FormatError(f"{output}: cannot be written ({error.strerror}); check the path given to -o") from error


@contextmanager
def _text(raw: BinaryIO, output: Path) -> Iterator[TextIO]:
    packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if output.suffix == ".gz" else None
    stream = io.TextIOWrapper(packed or raw, encoding="utf-8", newline="\n")
    try:
        yield stream
    finally:
        stream.detach()
        if packed is not None:
            packed.close()


def show(renderable: RenderableType, output: Path | None = None) -> None:
    """Print for people: colors on a terminal only, the terminal's width or else 80 columns."""
    from rich.console import Console

    with writing(output) as stream:
        Console(file=stream, highlight=False, emoji=False, markup=False).print(renderable)


def expect_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """The value, if it is one of the choices; they are known only when the command runs."""
    if value not in choices:
        raise ConfigError(f"{name}: expected one of {', '.join(choices)}, found {value!r}")
    return value
