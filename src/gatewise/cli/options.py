"""Options that several commands share, and how they write."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

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
    help="What the columns of a column file hold; _ is ignored, for example token,_,tag.",
)
output_option = click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; default stdout.")


def split_columns(columns: str) -> tuple[str, ...]:
    """`token,_,tag` as a tuple."""
    return tuple(name.strip() for name in columns.split(","))


@contextmanager
def writing(output: Path | None) -> Iterator[TextIO]:
    """The stream to write to: stdout, or a file that appears under its name only when it is complete."""
    if output is None:
        yield sys.stdout
        return
    try:
        if output.exists() and not output.is_file() and not output.is_dir():  # /dev/null, a pipe: write into it
            with output.open("w", encoding="utf-8", newline="\n") as stream:
                yield stream
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=output.parent, prefix=f".{output.name}-", delete=False
        ) as scratch:
            try:
                yield cast(TextIO, scratch)
                scratch.flush()
                os.chmod(scratch.name, 0o666 & ~_umask())
                os.replace(scratch.name, output)
            except BaseException:
                os.unlink(scratch.name)
                raise
    except OSError as error:
        raise FormatError(f"{output}: cannot be written ({error.strerror}); check the path given to -o") from error


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
