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
from gatewise.lstm import GATE_ACTIVATIONS, VALUE_ACTIVATIONS, Activations
from gatewise.network import check
from gatewise.network.check import Place
from gatewise.network.layers import read_layers
from gatewise.network.nearest import did_you_mean
from gatewise.network.network import Kind, Network, Tag, Wording

EXAMPLES = ("article", "bilstm", "rnn")
KEYS = ("name", "kind", "title", "description", "sentence", "vectors", "activations", "layers", "tags")
KINDS = ("neuron", "rnn", "lstm")


def read_network(name_or_path: str | PathLike[str]) -> Network:
    """The bundled network of this name (article, bilstm, rnn), else the one in the TOML file at this path.

    >>> read_network("article").run(gates="sigmoid").outputs
    [0, 2, 0, 2]
    """
    source, data = network_file(name_or_path)
    return parse_network(data, source)


def network_file(name_or_path: str | PathLike[str]) -> tuple[str, bytes]:
    """The name and the content of a network's file, comments and all: what to copy and change."""
    name = fspath(name_or_path)
    if name in EXAMPLES:
        source = f"{name}.toml"
        return source, (resources.files("gatewise.network") / "examples" / source).read_bytes()
    return name, _read_file(name)


def parse_network(data: bytes, source: str) -> Network:
    """The network that the bytes of a TOML file describe; `source` stands in messages."""
    top = Place(source=source)
    content = check.table(_parse_toml(data, source), top, KEYS, required=("kind", "sentence", "vectors", "layers"))
    kind = cast(Kind, check.choice(content["kind"], top.at("kind"), KINDS))
    vectors = _vectors(content["vectors"], top.at("vectors"))
    sentence = check.texts(content["sentence"], top.at("sentence"))
    for position, token in enumerate(sentence, start=1):
        if token not in vectors:
            place = top.at("sentence").item(position)
            place.fail(f"token {token!r} has no vector; add it under [vectors]{did_you_mean(token, vectors)}")
    input_size = len(next(iter(vectors.values())))
    weights, starts, output_size = read_layers(content["layers"], top.at("layers"), kind, input_size)
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
    )


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
