"""The part of a graph that one of its outputs needs.

In: the bytes of a model.onnx that was checked (`graph_check`), and the name of an output. Out: the bytes of a graph
with the same inputs and this output alone, and the names of all that is read in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.model.graph_file import GRAPH_FIELD, INITIALIZER_FIELD, NODE, NODE_FIELD, OUTPUT_FIELD, TENSOR, VALUE
from gatewise.model.protobuf import encode_field, fields_of, parse_message

_NAMED = {INITIALIZER_FIELD: TENSOR, OUTPUT_FIELD: VALUE}


def part_for(content: bytes, output: str) -> tuple[bytes, frozenset[str]]:
    """The part of the graph that makes this output, and the names of all that is read in it."""
    needed = {output}
    parts = []
    for number, wire, value in fields_of(memoryview(content)):
        kept = value
        if number == GRAPH_FIELD:
            needed |= _needed(value, output)
            kept = b"".join(_kept(value, needed, output))
        parts.append(encode_field(number, wire, kept))
    return b"".join(parts), frozenset(needed)


def _needed(graph: memoryview, output: str) -> set[str]:
    """The names of the values that the output is made from, itself among them."""
    nodes = [parse_message(value, NODE) for number, _, value in fields_of(graph) if number == NODE_FIELD]
    needed = {output}
    for node in reversed(nodes):  # ONNX has them in the order in which they run
        if needed.intersection(node["output"]):
            needed.update(node["input"])
    return needed


def _kept(graph: memoryview, needed: set[str], output: str) -> Iterator[bytes]:
    for number, wire, value in fields_of(graph):
        if number == NODE_FIELD:
            keep = not needed.isdisjoint(parse_message(value, NODE)["output"])
        elif number in _NAMED:
            name = parse_message(value, _NAMED[number])["name"]
            keep = name == output if number == OUTPUT_FIELD else name in needed
        else:
            keep = True
        if keep:
            yield encode_field(number, wire, value)
