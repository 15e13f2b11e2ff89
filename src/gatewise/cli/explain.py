"""`gatewise explain`: every number of one pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from gatewise.cli.options import head_option, lang_option, output_option, show, writing
from gatewise.errors import ConfigError

DEFAULT_NETWORK, DEFAULT_MODEL = "article", "zh"
MAX_TOKENS = 2000  # a pass has thousands of numbers a token; beyond this nobody reads them


@click.command()
@click.argument("text", required=False)
@click.option(
    "--network", metavar="NAME|FILE.toml", help="A network written by hand or imported; default without TEXT: article."
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Vectors for the network, one row a token: .npy, .csv or .json; TEXT names the tokens.",
)
@click.option("--units", metavar="1,5,…", help="Units of the network to write out; default: all of a small one.")
@click.option("--gates", type=click.Choice(["sigmoid", "step"]), help="Gate activation, in place of the network's own.")
@click.option("-m", "--model", metavar="NAME|DIR", help="A trained model; default with TEXT: zh.")
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json", "html", "csv", "latex", "toml"]),
    default="text",
    show_default=True,
    help="html: an offline page to look inside and to change things; toml: the file of a network written by hand.",
)
@head_option
@lang_option
@output_option
def explain(
    text: str | None,
    network: str | None,
    inputs: Path | None,
    units: str | None,
    gates: str | None,
    model: str | None,
    layout: str,
    head: str,
    lang: Literal["en", "zh"],
    output: Path | None,
) -> None:
    """Explain a trained model on TEXT, or a network written by hand on its own sentence (with --network, on TEXT)."""
    _check(text, network, gates, model, layout)
    if head and (text is None or network is not None):
        raise ConfigError(f"--head {head}: expected a trained model and a TEXT for it, found a network written by hand")
    if network is None and (inputs is not None or (units is not None and text is not None)):
        option = "--inputs" if inputs is not None else "--units"
        raise ConfigError(f"{option}: expected --network with it, found none; add --network FILE.toml")
    if text is None or network is not None:
        shown = _unit_numbers(units)
        explain_network(network or DEFAULT_NETWORK, text, gates, layout, lang, output, inputs=inputs, units=shown)
    else:
        explain_model(model or DEFAULT_MODEL, text, layout, lang, output, head)


def explain_network(
    network: str,
    text: str | None,
    gates: str | None,
    layout: str,
    lang: Literal["en", "zh"],
    output: Path | None,
    *,
    inputs: Path | None = None,
    units: Sequence[int] = (),
) -> None:
    """Run a network and lay it out; TEXT is cut at white space, or into characters where there is none."""
    from gatewise.explain import network_csv, network_json, network_latex, network_page, network_text
    from gatewise.network import network_file, read_inputs, read_network

    if layout == "toml":
        with writing(output) as stream:
            stream.write(network_file(network)[1].decode("utf-8"))
        return
    tokens = None if text is None else text.split() if " " in text else list(text)
    vectors = None if inputs is None else read_inputs(inputs)
    _check_length(max(len(tokens or ()), 0 if vectors is None else len(vectors)))
    run = read_network(network).run(tokens, gates, vectors)
    if layout == "json":
        write_json(network_json(run), output)
    elif layout == "html":
        write_text(network_page(run.network, run.tokens, run.gates, vectors, lang=lang), output)
    elif layout == "csv":
        write_text(network_csv(run), output)
    elif layout == "latex":
        write_text(network_latex(run, lang=lang), output)
    else:
        show(network_text(run, units=units, lang=lang), output)


def _unit_numbers(units: str | None) -> list[int]:
    numbers = [part.strip() for part in units.split(",")] if units is not None else []
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        raise ConfigError(f"--units: expected numbers from 1 on with commas between them, found {units!r}; write 1,5")
    return [int(number) for number in numbers]


def explain_model(
    model: str, text: str, layout: str, lang: Literal["en", "zh"], output: Path | None, head: str = ""
) -> None:
    """Trace a text through a trained model, up to one of its heads, and lay it out."""
    from gatewise.explain import trace_csv, trace_json, trace_latex, trace_page, trace_text
    from gatewise.runtime import load

    tagger = load(model)
    _check_length(len(tagger.tokenize(text)))
    if layout == "html":
        write_text(trace_page(tagger, text, head=head, lang=lang), output)
        return
    trace = tagger.trace(text, head)
    if layout == "json":
        write_json(trace_json(trace), output)
    elif layout == "csv":
        write_text(trace_csv(trace), output)
    elif layout == "latex":
        write_text(trace_latex(trace, lang=lang), output)
    else:
        show(trace_text(trace, lang=lang), output)


def write_text(content: str, output: Path | None) -> None:
    """The text as it is."""
    with writing(output) as stream:
        stream.write(content)


def write_json(content: dict[str, Any], output: Path | None) -> None:
    """One JSON object and a line end."""
    with writing(output) as stream:
        stream.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")


def _check_length(tokens: int) -> None:
    if tokens > MAX_TOKENS:
        raise ConfigError(
            f"TEXT: expected at most {MAX_TOKENS:,} tokens to explain, found {tokens:,}; explain a part of it, tag all"
            " of it with gatewise tag, or take the arrays from Tagger.trace in Python"
        )


def _check(text: str | None, network: str | None, gates: str | None, model: str | None, layout: str) -> None:
    if network is not None and model is not None:
        raise ConfigError("expected --network or --model, found both; a network is written by hand, a model is trained")
    if model is not None and text is None:
        raise ConfigError(
            f'expected a TEXT for --model {model}, found none; write for example: gatewise explain "我叫小明"'
        )
    if layout == "toml" and text is not None and network is None:
        raise ConfigError("--format toml: expected a network written by hand, found a trained model; leave TEXT out")
    if gates is not None and text is not None and network is None:
        raise ConfigError("--gates: expected a network written by hand, found a trained model; add --network article")
