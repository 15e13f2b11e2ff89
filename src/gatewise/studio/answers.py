"""What the studio's addresses answer: models, networks, the trace of a text.

In: a shelf and the body of a request. Out: an object for JSON. docs/studio.md lists the addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatewise.explain import trace_json
from gatewise.explain.reading_page import shown_trace
from gatewise.studio.checks import parse_body
from gatewise.studio.shelf import Shelf

MAX_TOKENS = 2_000  # as in `gatewise explain`

Answer = dict[str, Any]


def models(shelf: Shelf) -> Answer:
    """The models to choose among."""
    return {"models": shelf.models()}


def networks(shelf: Shelf) -> Answer:
    """The networks to choose among."""
    return {"networks": shelf.networks()}


def trace(shelf: Shelf, body: bytes) -> Answer:
    """`gatewise explain TEXT --format json`, every number, and as `shown` what the page shows of it."""
    found = _trace(shelf, body)
    return trace_json(found) | {"shown": shown_trace(found)}


def reading(shelf: Shelf, body: bytes) -> Answer:
    """What the page shows of a text, alone: a thousandth of the numbers."""
    return shown_trace(_trace(shelf, body))


def open_network(shelf: Shelf, body: bytes) -> Answer:
    """Keeps the network of a TOML file, and says under which name."""
    content = parse_body(body, ("name", "toml"))
    return {"name": shelf.open_network(content["name"], content["toml"])}


GET: dict[str, Callable[[Shelf], Answer]] = {"/api/models": models, "/api/networks": networks}
POST: dict[str, Callable[[Shelf, bytes], Answer]] = {
    "/api/trace": trace,
    "/api/reading": reading,
    "/api/networks": open_network,
}


def _trace(shelf: Shelf, body: bytes) -> Any:
    content = parse_body(body, ("model", "text"), ("head",))
    return shelf.trace(content["model"], content["text"], content.get("head", ""), most=MAX_TOKENS)
