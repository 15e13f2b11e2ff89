"""docs/embed.md: it has every option with its default, and its commands are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gatewise.cli.embed import embed
from gatewise.cli.main import gatewise

DOCUMENT = Path(__file__).parents[2] / "docs" / "embed.md"

pytestmark = pytest.mark.source


def test_every_option_is_on_the_page_with_its_default() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`-.*?`) \| (?:`(.*?)`)? ?\|", page, flags=re.MULTILINE)
    told = {tuple(re.findall(r"`(.*?)`", names)): default for names, default in rows}
    options = [option for option in embed.params if isinstance(option, click.Option)]
    known = {
        tuple(option.opts): "" if option.is_flag or option.required or option.multiple else str(option.default)
        for option in options
    }
    assert told == known


def test_its_commands_are_understood() -> None:
    blocks = "".join(re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL))
    lines = [line.partition(" #")[0].strip() for line in blocks.splitlines()]
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("gatewise embed")]
    assert len(commands) == 3
    for arguments in commands:
        parent = click.Context(gatewise, **gatewise.context_settings)  # what -h and --help are, is remembered
        context = embed.make_context("embed", arguments, parent)
        assert context.params["texts"] == ("news/*.txt.gz",)
