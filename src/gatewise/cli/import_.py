"""`gatewise import`: the weights of an LSTM, or of a whole tagger, trained elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatewise.cli.options import expect_choice, show
from gatewise.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gatewise.interop import ImportedLSTM, TaggerParts

_FILE = click.Path(path_type=Path)
LONGEST_NAMES = (200, 40, 32, 24, 20)  # characters of a source's name; the first that lets the table fit is taken
NARROW = len("i|o|f|c → i|f|g|o,")  # columns for the blocks where no length fits


@click.command("import")
@click.argument("source", type=_FILE)
@click.option(
    "-o", "--output", type=_FILE, required=True, metavar="OUT.toml|DIR", help="The network or model to write."
)
@click.option("--prefix", help="Which LSTM, where SOURCE has several: its name there.")
@click.option(
    "--inputs",
    type=_FILE,
    metavar="FILE",
    help="Vectors to keep as the network's own sentence, one row a token: .npy, .csv or .json.",
)
@click.option("--tokens", metavar="TEXT", help="Names of the tokens of --inputs, with spaces between them.")
@click.option("--vocabulary", type=_FILE, help="For a tagger: its tokens by id, a line each or JSON.")
@click.option("--labels", type=_FILE, help="For a tagger: its labels by id, a line each or JSON.")
@click.option("--embedding", metavar="NAME", help="For a tagger: its embedding, where several modules would fit.")
@click.option("--emission", metavar="NAME", help="For a tagger: its linear layer, where several would fit.")
@click.option("--crf", metavar="NAME", help="For a tagger: its CRF, where there are several.")
@click.option("--unknown", metavar="TOKEN", help="For a tagger: the entry for unknown tokens; default: <unk> and such.")
@click.option(
    "--scheme", type=click.Choice(["BIO", "BIOES", "plain"]), help="For a tagger; default: as its labels say."
)
@click.option(
    "--tokenizer",
    help="For a tagger: what raw text meets (characters, mixed, words, english, whitespace); default: characters or"
    " whitespace, as the vocabulary says.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every name whole.")
def import_(
    source: Path,
    output: Path,
    prefix: str | None,
    inputs: Path | None,
    tokens: str | None,
    as_json: bool,
    **tagger: str | Path | None,
) -> None:
    """Read the LSTM in SOURCE (PyTorch, Keras or ONNX) and write it as a network that `gatewise explain` opens.

    With --vocabulary and --labels, read a whole tagger (PyTorch: embedding, LSTM, linear layer, CRF) and write it as a
    model. Prints which tensor became which, and how its blocks of gates were reordered.
    """
    given = _tagger_parts(tagger)
    if given is None:
        _import_network(source, output, prefix, inputs, tokens, as_json)
        return
    if inputs is not None or tokens is not None:
        raise ConfigError("--inputs: expected none for a tagger, which makes its own, found some; leave them out")
    from gatewise.interop import import_tagger

    _print(import_tagger(source, output, given, prefix), as_json)
    click.echo(f"{output}: written; gatewise explain TEXT --model {output}", err=True)


def _tagger_parts(options: dict[str, str | Path | None]) -> TaggerParts | None:
    """What is said of a tagger; None where nothing is."""
    chosen = {name: value for name, value in options.items() if value is not None}
    if not chosen:
        return None
    vocabulary, labels = chosen.pop("vocabulary", None), chosen.pop("labels", None)
    if vocabulary is None or labels is None:
        raise ConfigError("a tagger: expected --vocabulary and --labels, found one of them missing; name both files")
    from gatewise.interop import TaggerParts
    from gatewise.interop.tagger_parts import Wanted
    from gatewise.text.tokenize import TOKENIZERS

    texts = {name: str(value) for name, value in chosen.items()}
    if "tokenizer" in texts:
        expect_choice("--tokenizer", texts["tokenizer"], TOKENIZERS)
    wanted = Wanted(**{name: texts.pop(name) for name in ("embedding", "emission", "crf") if name in texts})
    return TaggerParts(vocabulary=Path(vocabulary), labels=Path(labels), wanted=wanted, **texts)


def _import_network(
    source: Path, output: Path, prefix: str | None, inputs: Path | None, tokens: str | None, as_json: bool
) -> None:
    from gatewise.interop import read_lstm, write_network
    from gatewise.network import read_inputs, read_network

    imported = read_lstm(source, prefix)
    vectors = None if inputs is None else read_inputs(inputs)
    write_network(output, imported, source=source.name, inputs=vectors, tokens=(tokens or "").split())
    network = read_network(output)
    _print(imported, as_json)
    directions = sum(1 if layer.reverse is None else 2 for layer in network.weights)
    counts = (
        f"{imported.framework}: {len(network.weights)} layer(s), {directions} direction(s) in all, {network.input_size}"
        f" inputs, {network.parameters:,} parameters"
    )
    click.echo(counts, err=as_json)
    option = "" if vectors is not None else " --inputs VECTORS.npy"
    click.echo(f"{output}: written; gatewise explain --network {output}{option}", err=True)


def _print(imported: ImportedLSTM, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_mapping_json(imported), ensure_ascii=False))
        return
    from gatewise.explain.layout import FirstThatFits

    tables = [_mapping_table(imported, room) for room in LONGEST_NAMES]
    tables.append(_mapping_table(imported, LONGEST_NAMES[-1], narrow=True))
    show(FirstThatFits(layouts=tuple(tables)))
    for remark in imported.remarks:
        click.echo(remark)


def _mapping_json(imported: ImportedLSTM) -> dict[str, Any]:
    tensors = [
        {
            "source": one.source or None,
            "source_shape": list(one.source_shape) if one.source else None,
            "target": one.target,
            "shape": list(one.array.shape),
            "change": one.change,
        }
        for one in imported.mapping
    ]
    remarks = list(imported.remarks)
    return {"framework": imported.framework, "place": imported.place, "tensors": tensors, "remarks": remarks}


def _mapping_table(imported: ImportedLSTM, room: int, *, narrow: bool = False) -> RenderableType:
    """Row by row what became what; names of more than `room` characters are cut.

    A narrow one has the shapes here alone, and its last column wraps.
    """
    from rich.console import Group
    from rich.text import Text

    from gatewise.explain.layout import plain_table

    table, names = plain_table(), [one.source or "–" for one in imported.mapping]
    for head in (imported.framework, "here", "shape"):
        table.add_column(Text(head), overflow="fold")
    table.add_column("blocks", width=NARROW if narrow else None)
    for name, one in zip(names, imported.mapping, strict=True):
        before, after = _shape(one.source_shape), _shape(one.array.shape)
        shape = after if narrow or not one.source or before == after else f"{before} → {after}"
        table.add_row(Text(_shortened(name, room)), _shortened(one.target, max(room, 24)), shape, one.change)
    is_cut = any(len(name) > room for name in names)
    return Group(table, "Names with … are cut; --json has them whole.") if is_cut else table


def _shortened(name: str, room: int) -> str:
    """`encoder.stack.lstm.weight_hh_l0` → `encode….weight_hh_l0`: the start, and the part after the last dot."""
    if len(name) <= room:
        return name
    tail = min(len(re.split("[./]", name)[-1]) + 1, room - 4)
    return f"{name[: room - 1 - tail]}…{name[-tail:]}"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
