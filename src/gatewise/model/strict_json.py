"""JSON from strangers: what is odd in it is refused, and reading it never takes many times its size.

In: bytes. Out: what `json.loads` makes of them; or a ValueError that says what is odd. Refused are NaN and infinities,
a key that stands twice in an object, whole numbers of more than 18 digits, half a surrogate pair, and more objects and
lists than a model has, deeply nested ones among them: an empty list of 2 characters takes 64 bytes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NoReturn

MOST_CONTAINERS = 10_000
MOST_DIGITS = 18  # what a 64-bit number holds in any case

_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(content: bytes) -> Any:
    """The value that UTF-8 text holds as JSON."""
    text = content.decode("utf-8")
    if _brackets(text) > MOST_CONTAINERS and _brackets(_STRING.sub("", text)) > MOST_CONTAINERS:
        raise ValueError(f"more than {MOST_CONTAINERS:,} objects and lists")
    found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole_number)
    if _SURROGATE.search(text):
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # raises UnicodeEncodeError, which is a ValueError
    return found


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r} stands twice in an object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits")
    return int(digits)
