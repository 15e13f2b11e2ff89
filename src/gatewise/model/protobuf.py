"""Protocol Buffers' wire format, read by hand: bytes and the messages one expects in, plain values out; and single
fields written again.

A message is a table of fields; a field that is not in it is refused, and nothing is kept of one that is refused. Bytes
stay where they are (memoryviews), so reading costs no memory for them. Source: the encoding page of protobuf.dev.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewise.errors import ModelError

MOST_FIELDS = 200_000  # in all, so that a file of tiny fields cannot keep one busy
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIRE = {"int": VARINT, "float": FIXED32, "text": LENGTH, "bytes": LENGTH, "message": LENGTH}


class DamagedError(ModelError):
    """Bytes that are not this wire format, or not such a message."""


class ForeignError(ModelError):
    """A field that the format has and that is not expected here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`kind` is int, float, text, bytes or message; one that is not `many` stands at most once."""

    name: str
    kind: str
    many: bool = False
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`fields` by number are read; `foreign` are those that the format has beside them, and what they are."""

    name: str
    fields: Mapping[int, Field]
    foreign: Mapping[int, str] = field(default_factory=dict)


def parse_message(data: memoryview, message: Message) -> dict[str, Any]:
    """Name → value of every field that stands there; of a field that may stand often, the list of its values.

    Raises DamagedError or ForeignError, both with what was found.
    """
    return _Reader().parse(data, message)


def fields_of(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and raw value of each field of a message, in order: a whole number or its bytes."""
    yield from _Reader().fields(data)


def encode_field(number: int, wire: int, value: int | bytes | memoryview) -> bytes:
    """The bytes of one field, of such a value as `fields_of` gives."""
    key = _encoded(number << 3 | wire)
    if isinstance(value, int):
        return key + _encoded(value)
    return key + (_encoded(len(value)) if wire == LENGTH else b"") + bytes(value)


class _Reader:
    """Counts the fields."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def parse(self, data: memoryview, message: Message) -> dict[str, Any]:
        found: dict[str, Any] = {entry.name: [] for entry in message.fields.values() if entry.many}
        for number, wire, value in self.fields(data):
            if number in message.foreign:
                raise ForeignError(message.foreign[number])
            if number not in message.fields:
                raise DamagedError(f"field {number} of a {message.name}, which there is not")
            wanted = message.fields[number]
            if wanted.many and wire == LENGTH and wanted.kind in ("int", "float"):
                found[wanted.name] += self._packed(value, wanted.kind)
                continue
            if wire != WIRE[wanted.kind]:
                raise DamagedError(f"{wanted.name} of a {message.name} in wire type {wire}")
            if wanted.many:
                found[wanted.name].append(self._value(value, wanted))
            elif wanted.name in found:
                raise DamagedError(f"{wanted.name} of a {message.name} twice")
            else:
                found[wanted.name] = self._value(value, wanted)
        return found

    def fields(self, data: memoryview) -> Iterator[tuple[int, int, Any]]:
        """Number, wire type and raw value of each field."""
        position = 0
        while position < len(data):
            self._count()
            key, position = _varint(data, position)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, position = _varint(data, position)
                yield number, wire, value
                continue
            if wire == LENGTH:
                size, position = _varint(data, position)
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
            else:
                raise DamagedError(f"wire type {wire}")
            if size > len(data) - position:
                raise DamagedError(f"a field of {size:,} bytes where {len(data) - position:,} are left")
            yield number, wire, data[position : position + size]
            position += size

    def _value(self, value: Any, wanted: Field) -> Any:
        if wanted.message is not None:
            return self.parse(value, wanted.message)
        if wanted.kind == "int":
            return _signed(value)
        if wanted.kind == "float":
            return struct.unpack("<f", value)[0]
        if wanted.kind == "bytes":
            return value
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError as error:
            raise DamagedError(f"{wanted.name} that is not UTF-8") from error

    def _packed(self, data: memoryview, kind: str) -> Iterator[Any]:
        position = 0
        while position < len(data):
            self._count()
            if kind == "int":
                value, position = _varint(data, position)
                yield _signed(value)
            elif len(data) - position < 4:
                raise DamagedError("numbers that are cut off")
            else:
                yield struct.unpack_from("<f", data, position)[0]
                position += 4

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise DamagedError(f"more than {MOST_FIELDS:,} fields")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned number of up to 64 bits, and where the next one begins."""
    value = shift = 0
    while True:
        if position >= len(data) or shift >= 70:
            raise DamagedError("a number that does not end")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), position


def _encoded(value: int) -> bytes:
    """An unsigned number, 7 bits a byte."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
