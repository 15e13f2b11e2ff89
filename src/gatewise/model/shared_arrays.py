"""Arrays that the graph and the weights of a model have in the same form, and that are stored once (ADR 0035).

In: the bytes of a graph that holds everything, and those of model.safetensors. Out: the graph without the arrays that
stand in the other file byte for byte, each replaced by where it stands; ONNX calls that external data, and any
onnxruntime that opens model.onnx in its folder finds them. Reading them back is a matter of names, shapes and kinds of
numbers, which `graph_file` and `stored_places` give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import ModelError
from gatewise.model.archive_files import WEIGHTS_FILE
from gatewise.model.graph_file import EXTERNAL, GRAPH_FIELD, INITIALIZER_FIELD, LOCATION, PLACE_FIELDS, TENSOR
from gatewise.model.protobuf import LENGTH, VARINT, encode_field, fields_of, parse_message
from gatewise.model.strict_json import parse_json

LEAST = 128  # bytes; to say where an array stands takes nearly as many


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlace:
    """Where an array stands in model.safetensors, in bytes from its beginning."""

    offset: int
    length: int


def stored_places(content: bytes | memoryview) -> dict[str, StoredPlace]:
    """The arrays of a safetensors file by name; its header is enough. Raises ModelError where that is none."""
    try:
        begin = 8 + int.from_bytes(content[:8], "little")
        header = parse_json(bytes(content[8:begin]))
        spans = {name: entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"}
        return {name: StoredPlace(offset=begin + start, length=end - start) for name, (start, end) in spans.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{WEIGHTS_FILE}: expected safetensors, found a damaged header; copy it again") from error


def without_shared_arrays(graph: bytes, weights: bytes) -> bytes:
    """The graph, its arrays replaced by their places where the bytes of `weights` have them under the same name.

    An array that has a place already, in other weights, gets the one in these.
    """
    places, stored = stored_places(weights), memoryview(weights)
    return b"".join(
        encode_field(number, wire, _thinner(value, places, stored) if number == GRAPH_FIELD else value)
        for number, wire, value in fields_of(memoryview(graph))
    )


def _thinner(graph: memoryview, places: Mapping[str, StoredPlace], stored: memoryview) -> bytes:
    return b"".join(
        encode_field(number, wire, _placed(value, places, stored) if number == INITIALIZER_FIELD else value)
        for number, wire, value in fields_of(graph)
    )


def _placed(tensor: memoryview, places: Mapping[str, StoredPlace], stored: memoryview) -> bytes | memoryview:
    """The array with its place for its numbers, or as it is."""
    found = parse_message(tensor, TENSOR)
    raw, place = found.get("raw", b""), places.get(found.get("name", ""))
    if place is None or ("data_location" not in found and not _same(raw, stored, place)):
        return tensor
    kept = [encode_field(*field) for field in fields_of(tensor) if field[0] not in PLACE_FIELDS.values()]
    said = {LOCATION: WEIGHTS_FILE, "offset": str(place.offset), "length": str(place.length)}
    for key, value in said.items():
        entry = encode_field(1, LENGTH, key.encode()) + encode_field(2, LENGTH, value.encode())
        kept.append(encode_field(PLACE_FIELDS["external_data"], LENGTH, entry))
    return b"".join([*kept, encode_field(PLACE_FIELDS["data_location"], VARINT, EXTERNAL)])


def _same(raw: bytes | memoryview, stored: memoryview, place: StoredPlace) -> bool:
    return len(raw) >= LEAST and stored[place.offset : place.offset + place.length] == raw


def places_in(path: Path) -> dict[str, StoredPlace]:
    """The arrays of a safetensors file on disk, whose header was checked before (`weights.check_weights`)."""
    with path.open("rb") as stream:
        size = stream.read(8)
        return stored_places(size + stream.read(int.from_bytes(size, "little")))
