"""Reading a hand-written network: a TOML file, or one of the examples inside the package, becomes a `Network`.

In: a name or a path. Out: a checked `Network`, or one NetworkError sentence that says file, key, expected, found and
remedy.
The keys are described in docs/networks.md.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from gatewise.errors import NetworkError
from gatewise.lstm import GATE_ACTIVATIONS, VALUE_ACTIVATIONS, Activations, Directions
from gatewise.network import check
from gatewise.network.check import Place
from gatewise.network.layers import read_layers
from gatewise.network.nearest import did_you_mean
from gatewise.network.network import Kind, Network, Tag, Wording
from gatewise.network.passes import AnyWeights
from gatewise.network.weights import StoredLSTM, read_weights

EXAMPLES = ("article", "bilstm", "rnn")
KEYS = ("name", "kind", "title", "description", "sentence", "vectors", "activations", "layers", "weights", "tags")
KINDS = ("neuron", "rnn", "lstm")
BESIDE = re.compile(r"[^/\\:\x00]+\.safetensors")  # a name, and no way to another folder


def read_network(name_or_path: str | PathLike[str]) -> Network:
    """The bundled network of this name (article, bilstm, rnn), else the one in the TOML file at this path.

    >>> read_network("article").run(gates="sigmoid").outputs
    [0, 2, 0, 2]
    """
    source, data = network_file(name_or_path)
    return parse_network(data, source, folder=Path(source).parent)


def network_file(name_or_path: str | PathLike[str]) -> tuple[str, bytes]:
    """The name and the content of a network's file, comments and all: what to copy and change."""
    name = fspath(name_or_path)
    if name in EXAMPLES:
        source = f"{name}.toml"
        return source, (resources.files("gatewise.network") / "examples" / source).read_bytes()
    return name, _read_file(name)


def parse_network(data: bytes, source: str, *, folder: Path | None = None) -> Network:
    """The network that the bytes of a TOML file describe; `source` stands in messages.

    `folder` is where a file of weights is looked for; without one there may be none.
    """
    top = Place(source=source)
    raw = _parse_toml(data, source)
    is_stored = "weights" in raw
    required = ("kind",) if is_stored else ("kind", "sentence", "vectors", "layers")
    content = check.table(raw, top, KEYS, required=required)
    kind = cast(Kind, check.choice(content["kind"], top.at("kind"), KINDS))
    vectors = _vectors(content["vectors"], top.at("vectors")) if "vectors" in content else {}
    sentence = check.texts(content.get("sentence", []), top.at("sentence"))
    stored = _stored(content, top, folder, kind) if is_stored else None
    weights: tuple[Directions[AnyWeights], ...]
    if stored is None:
        input_size = len(next(iter(vectors.values())))
        weights, starts, output_size = read_layers(content["layers"], top.at("layers"), kind, input_size)
    else:
        weights = cast(tuple[Directions[AnyWeights], ...], stored.weights)
        starts, output_size = stored.starts, stored.output_size
        sentence = _stored_sentence(stored, sentence, vectors, top)
    if stored is None or stored.inputs is None:
        _check_sentence(sentence, vectors, top.at("sentence"))
    return Network(
        name=check.text(content.get("name", Path(source).stem), top.at("name")),
        kind=kind,
        title=_wording(content.get("title", {}), top.at("title")),
        description=_wording(content.get("description", {}), top.at("description")),
        sentence=sentence,
        vectors=vectors,
        activations=_activations(content.get("activations", {}), top.at("activations"), kind),
        weights=weights,
        starts=starts,
        tags=_tags(content.get("tags", []), top.at("tags"), output_size),
        source=source,
        inputs=None if stored is None else stored.inputs,
    )


def _check_sentence(sentence: tuple[str, ...], vectors: dict[str, tuple[float, ...]], place: Place) -> None:
    for position, token in enumerate(sentence, start=1):
        if token not in vectors:
            place.item(position).fail(
                f"token {token!r} has no vector; add it under [vectors]{did_you_mean(token, vectors)}"
            )


def _stored(content: dict[str, Any], top: Place, folder: Path | None, kind: Kind) -> StoredLSTM:
    """What the file of weights beside the TOML file holds."""
    place = top.at("weights")
    name = check.text(content["weights"], place)
    if not BESIDE.fullmatch(name):
        place.fail(f"expected the name of a .safetensors file beside this one, found {name!r}; leave folders out")
    if "layers" in content:
        place.fail("expected weights or layers, found both; take one out")
    if kind != "lstm":
        place.fail(f'expected kind = "lstm", found {kind!r}; write the layers of a {kind} here')
    if folder is None:
        place.fail("expected a network in a file, found one without a folder to look in")
    return read_weights(folder / name)


def _stored_sentence(
    stored: StoredLSTM, sentence: tuple[str, ...], vectors: dict[str, tuple[float, ...]], top: Place
) -> tuple[str, ...]:
    """The tokens of the file's own sentence, x1, x2, … where it names none."""
    size = stored.weights[0].forward.input_size
    for token, vector in vectors.items():
        if len(vector) != size:
            top.at("vectors").at(token).fail(
                f"expected {size} numbers, one an input of the weights, found {len(vector)}"
            )
    if stored.inputs is None:
        return sentence
    if vectors:
        top.at("vectors").fail("expected none beside a file of weights that holds inputs, found some; take one out")
    if sentence and len(sentence) != len(stored.inputs):
        top.at("sentence").fail(
            f"expected {len(stored.inputs)} tokens, as many as the file of weights has inputs, found {len(sentence)}"
        )
    return sentence or tuple(f"x{t}" for t in range(1, len(stored.inputs) + 1))


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NetworkError(
            f"{path}: expected a bundled network ({', '.join(EXAMPLES)}) or a TOML file, found neither"
            f"{did_you_mean(path, EXAMPLES) or '; check the path'}"
        ) from error
    except (OSError, ValueError) as error:
        raise NetworkError(f"{path}: expected a TOML file, found one that cannot be read ({error})") from error


def _parse_toml(data: bytes, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise NetworkError(f"{source}:{line}: expected UTF-8, found other bytes; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        reason, at, column = str(error), "", ""
        if position := re.search(r" \(at line (\d+), column (\d+)\)", reason):
            at, column = f":{position[1]}", f" at column {position[2]}"
        elif reason.endswith(" (at end of document)"):
            at = f":{len(data.splitlines())}"
        reason = re.sub(r" \(at .*\)$", "", reason)
        raise NetworkError(
            f"{source}{at}: expected TOML, found something else{column} ({reason}); "
            "look for a missing quote, bracket or comma"
        ) from error
    except RecursionError as error:
        raise NetworkError(f"{source}: expected lists of lists, found deeper nesting; take brackets out") from error


def _wording(value: Any, place: Place) -> Wording:
    if isinstance(value, str):
        return Wording(en=value, zh=value)
    texts = {key: check.text(entry, place.at(key)) for key, entry in check.table(value, place, ("en", "zh")).items()}
    return Wording(**texts)


def _vectors(value: Any, place: Place) -> dict[str, tuple[float, ...]]:
    entries = check.table(value, place, known=None)
    if not entries:
        place.fail('expected at least one token with its vector, found nothing; write "我" = [2, -1, 1]')
    vectors: dict[str, tuple[float, ...]] = {}
    for token, entry in entries.items():
        first = next(iter(vectors), None)
        size = None if first is None else len(vectors[first])
        meaning = "one a feature" if first is None else f"as many as {first!r} has"
        vectors[token] = check.vector(entry, place.at(token), size, meaning)
    return vectors


def _activations(value: Any, place: Place, kind: Kind) -> Activations:
    choices = {"gate": GATE_ACTIVATIONS, "candidate": VALUE_ACTIVATIONS, "output": VALUE_ACTIVATIONS}
    known = choices if kind == "lstm" else {"output": VALUE_ACTIVATIONS}
    entries = check.table(value, place, known)
    return Activations(**{key: check.choice(entry, place.at(key), known[key]) for key, entry in entries.items()})


def _tags(value: Any, place: Place, output_size: int) -> tuple[Tag, ...]:
    if not isinstance(value, list):
        place.fail(f"expected a list of tables, found {check.found(value)}; write [[tags]]")
    tags: list[Tag] = []
    for position, entry in enumerate(value, start=1):
        here = place.item(position)
        fields = check.table(entry, here, ("output", "name", "en", "zh"), required=("output", "name"))
        name = check.text(fields["name"], here.at("name"))
        if name in [tag.name for tag in tags]:
            here.at("name").fail(f"expected names that differ, found {name!r} twice; rename one")
        wording = Wording(**{lang: check.text(fields.get(lang, name), here.at(lang)) for lang in ("en", "zh")})
        output = check.vector(fields["output"], here.at("output"), output_size, "one for each output of the last layer")
        tags.append(Tag(name=name, wording=wording, output=output))
    return tuple(tags)
