"""`gatewise demo`: the main job, offline: a sentence tagged by the bundled model with its gates, then the article's
network."""

from __future__ import annotations

from typing import Literal

import click

from gatewise.cli.explain import DEFAULT_MODEL, DEFAULT_NETWORK, explain_model, explain_network
from gatewise.cli.options import lang_option

SENTENCE = "我叫小明"


@click.command()
@lang_option
def demo(lang: Literal["en", "zh"]) -> None:
    """Tag 我叫小明 with the bundled model and show its gates; then run the article's network, number by number."""
    explain_model(DEFAULT_MODEL, SENTENCE, "text", lang, None)
    click.echo()
    explain_network(DEFAULT_NETWORK, None, None, "text", lang, None)
