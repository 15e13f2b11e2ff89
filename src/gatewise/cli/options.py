"""Options that several commands share, and how they write."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from gatewise.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from rich.console import RenderableType

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
output_option = click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; default stdout.")


def split_columns(columns: str) -> tuple[str, ...]:
    """`token,_,tag`, or `tokens=words,tags=labels`, as a tuple."""
    return tuple(name.strip() for name in columns.split(","))


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
