"""Vocabularies and labels of other taggers, in the order of their ids, and the keys that entries have here.

In: a text file, one entry a line (the first has id 0), or JSON: a list, or an object from entries to ids. Out: the
entries by id; and for a vocabulary which row of the embedding each key here reads. Keys are normalized forms
(`text/vocabulary.py`), so two entries may meet under one.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.errors import InteropError
from gatewise.interop.imported import listed
from gatewise.model.strict_json import parse_json
from gatewise.text.vocabulary import normalize

UNKNOWNS = ("<unk>", "<UNK>", "[UNK]", "<unknown>")
PADDINGS = ("<pad>", "<PAD>", "[PAD]", "<padding>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """`rows` by key here: the row of the embedding that it reads; `unknown` is that of all other forms.

    `changed` entries have a key that differs from them; `lost` entries meet another under their key, and it won.
    """

    rows: dict[str, int]
    unknown: int
    changed: tuple[str, ...]
    lost: tuple[str, ...]


def read_entries(path: Path, what: str) -> tuple[str, ...]:
    """The entries of a file, in the order of their ids; each is there once and none is empty."""
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        entries = _of_json(content, path) if path.suffix.lower() == ".json" else _lines(content.decode("utf-8"))
    except OSError as error:
        raise InteropError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except UnicodeDecodeError as error:
        raise InteropError(f"{path}: expected {what} in UTF-8, found other bytes; save the file as UTF-8") from error
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if not entry or entry in seen:
            found = f"{entry!r} again, which has id {seen[entry]}" if entry else "an empty one"
            raise InteropError(f"{path}: id {number}: expected an entry that differs from all others, found {found}")
        seen[entry] = number
    if not entries:
        raise InteropError(f"{path}: expected {what}, found none")
    return tuple(entries)


def _lines(text: str) -> list[str]:
    """Lines end with a line feed alone: U+2028 and such may be entries."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def _of_json(data: bytes, path: Path) -> list[str]:
    try:
        content: Any = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise InteropError(f"{path}: expected JSON, found a damaged file ({error}); write it again") from error
    if isinstance(content, dict) and all(type(number) is int for number in content.values()):
        by_id = {number: entry for entry, number in content.items()}
        if sorted(by_id) == list(range(len(content))):
            return [by_id[number] for number in range(len(content))]
    if isinstance(content, list) and all(isinstance(entry, str) for entry in content):
        return list(content)
    raise InteropError(f"{path}: expected a list of texts, or an object from texts to the ids 0, 1, …, found another")


def keys_of(entries: Sequence[str], unknown: str | None, where: str) -> Keys:
    """Under each key the entry that is the key itself, or else the first; `unknown` names the entry of the unknown."""
    known = [unknown] if unknown is not None else [name for name in UNKNOWNS if name in entries]
    if len(known) != 1 or known[0] not in entries:
        raise InteropError(
            f"{where}: expected one entry for unknown tokens, found {listed(known) if known else 'none'}; name it with"
            " --unknown"
        )
    special = {known[0], *PADDINGS}
    rows: dict[str, int] = {}
    changed, lost = [], []
    for number, entry in enumerate(entries):
        if entry in special:
            continue
        key = normalize(entry)
        if key != entry:
            changed.append(entry)
        if key not in rows:
            rows[key] = number
        elif key == entry:
            lost.append(entries[rows[key]])
            rows[key] = number
        else:
            lost.append(entry)
    return Keys(rows=rows, unknown=entries.index(known[0]), changed=tuple(changed), lost=tuple(lost))
