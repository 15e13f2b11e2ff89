"""The command `gatewise` itself: finds the subcommand, and turns errors into sentences."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword

import click

from gatewise import __version__
from gatewise.errors import GatewiseError

# Command → what it does; the command `x-y` is the function `x_y` of gatewise/cli/x_y.py, and one that is a word of
# Python ends in `_` there. Listed here so that help needs no import of the commands.
COMMANDS = {
    "demo": "Tag 我叫小明, show the gates, then the article's network.",
    "explain": "Every number of one pass, of a trained model or of a network written by hand.",
    "studio": "Play with networks and ask trained models, live in the browser.",
    "import": "Read an LSTM of PyTorch, Keras or ONNX, to explain it.",
    "tag": "Tag texts or files.",
    "train": "Train a tagger on labeled text.",
    "embed": "Train vectors of tokens or bigrams on raw text.",
    "pretrain": "Learn a character language model from raw text, for taggers to read.",
    "find-lr": "Find a learning rate: the loss over rates that rise, with its curve.",
    "tune": "Search for good settings, in a study that can be resumed.",
    "evaluate": "Score a model on labeled text.",
    "calibrate": "Make a model's probabilities mean what they say, by labeled text.",
    "compare": "Compare two outputs on the same gold data: scores, difference, p value.",
    "convert": "Convert labeled text between formats and schemes.",
    "check": "Find what is wrong with labeled files: illegal tags, duplicates, leaks, odd characters.",
    "errors": "Browse a model's errors on a labeled file, in one offline page.",
    "tags": "Explain a model's labels: meaning, count in training, example.",
    "models": "List the bundled models, or print a model's card.",
}


class _LazyGroup(click.Group):
    """Imports a command's module when the command is asked for, so that `--help` and short runs stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own signature
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command: click.Command = getattr(import_module(f"gatewise.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gatewise")
def gatewise() -> None:
    """An LSTM sequence tagger that you can see through."""


def main() -> None:
    """Entry point of the script `gatewise` and of `python -m gatewise`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace" if stream is sys.stderr else "strict")
    try:
        gatewise(prog_name="gatewise", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GatewiseError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
