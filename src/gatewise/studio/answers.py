"""What the studio's addresses answer: models, networks, the trace of a text.

In: a shelf and the body of a request. Out: an object for JSON. docs/studio.md lists the addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatewise.explain import trace_json
from gatewise.explain.trace_document import WEIGHTS
from gatewise.explain.trace_page import shown_trace
from gatewise.studio.checks import parse_body
from gatewise.studio.shelf import Shelf

MAX_TOKENS = 2_000  # as in `gatewise explain`
MOST = 30_000_000  # characters of a page's numbers

Answer = dict[str, Any]


def models(shelf: Shelf) -> Answer:
    """The models to choose among."""
    return {"models": shelf.models()}


def networks(shelf: Shelf) -> Answer:
    """The networks to choose among."""
    return {"networks": shelf.networks()}


def trace(shelf: Shelf, body: bytes) -> Answer:
    """`gatewise explain TEXT --format json`, every number."""
    return trace_json(_trace(shelf, body))


def reading(shelf: Shelf, body: bytes) -> Answer:
    """What the page computes from, but for the weights, which are the same for every text.

    Where there are too many weights for a page, what Python computed stands in their place.
    """
    found = shown_trace(_trace(shelf, body), most=MOST)
    return {"trace": {key: one for key, one in found.items() if found["left_out"] or key not in WEIGHTS}}


def weights(shelf: Shelf, body: bytes) -> Answer:
    """The weights that `reading` leaves away, under one head; null where there are too many."""
    content = parse_body(body, ("model",), ("head",))
    found = shown_trace(shelf.trace(content["model"], "", content.get("head", ""), most=0), most=MOST)
    return {key: None if found["left_out"] else found[key] for key in WEIGHTS}


def open_network(shelf: Shelf, body: bytes) -> Answer:
    """Keeps the network of a TOML file, and says under which name."""
    content = parse_body(body, ("name", "toml"))
    return {"name": shelf.open_network(content["name"], content["toml"])}


GET: dict[str, Callable[[Shelf], Answer]] = {"/api/models": models, "/api/networks": networks}
POST: dict[str, Callable[[Shelf, bytes], Answer]] = {
    "/api/trace": trace,
    "/api/reading": reading,
    "/api/weights": weights,
    "/api/networks": open_network,
}


def _trace(shelf: Shelf, body: bytes) -> Any:
    content = parse_body(body, ("model", "text"), ("head",))
    return shelf.trace(content["model"], content["text"], content.get("head", ""), most=MAX_TOKENS)
