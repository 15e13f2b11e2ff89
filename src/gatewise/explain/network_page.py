"""A hand-written network as one HTML page that computes by itself: look inside every step, change every number.

In: a `Network`, and a sentence or gates in place of its own. Out: the page, which needs no network and no other file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

from gatewise.errors import NetworkError
from gatewise.explain.network_document import network_document
from gatewise.explain.web_page import LANG_CODES, WEB, read_json, web_page
from gatewise.explain.words import Language, NetworkWords, Terms, TraceWords, network_words, terms
from gatewise.lstm.shapes import Array
from gatewise.network import Network, parse_network, read_network

MOST_PARAMETERS = 50_000  # of a network that a page holds and a browser recomputes at every step


def network_page(
    network: Network,
    sentence: tuple[str, ...] | None = None,
    gates: str | None = None,
    inputs: Array | None = None,
    *,
    lang: Language = "en",
) -> str:
    """The page of this network, in `lang` until the reader chooses the other language.

    `inputs` (time, input_size): the vectors of the sentence, where tokens have none of their own.
    Raises NetworkError for a network that is too large for a page, and for a token that would need two vectors.

    >>> from gatewise.network import read_network
    >>> network_page(read_network("article")).startswith("<!doctype html>")
    True
    """
    return web_page(network_data(network, sentence, gates, inputs), title=network_title(network, lang), lang=lang)


def network_data(
    network: Network,
    sentence: tuple[str, ...] | None = None,
    gates: str | None = None,
    inputs: Array | None = None,
) -> dict[str, Any]:
    """What the page shows, whoever its host is; raises NetworkError as `network_page` does."""
    if network.parameters > MOST_PARAMETERS:
        raise NetworkError(
            f"{network.source}: expected a network of at most {MOST_PARAMETERS:,} parameters for a page, found "
            f"{network.parameters:,}; use --format text with --units, or --format json"
        )
    vectors = network.inputs if inputs is None else inputs
    if vectors is not None:
        network = _with_vectors(network, network.sentence if sentence is None else sentence, vectors)
    network.run(sentence, gates)  # says what is wrong before a page is made
    return {
        "network": network_document(network, sentence, gates),
        "words": {one: page_words(one) for one in LANG_CODES},
        "lessons": read_json("lessons/lessons.json"),
        "networks": lesson_networks(),
    }


def network_title(network: Network, lang: Language) -> str:
    """What stands on the browser's tab."""
    return f"{network.title.get(lang) or network.name} · gatewise"


def _with_vectors(network: Network, sentence: tuple[str, ...], vectors: Array) -> Network:
    """The network with a vector for each of these tokens: on the page one can be put anywhere."""
    token, count = Counter(sentence).most_common(1)[0]
    if count > 1:
        raise NetworkError(
            f"{network.source}: expected tokens that are all different where a page takes their vectors from "
            f"--inputs, found {token!r} {count} times; leave the text out, they are then named x1, x2, …"
        )
    named = {token: tuple(map(float, vector)) for token, vector in zip(sentence, vectors, strict=True)}
    return replace(network, vectors=named, sentence=sentence, inputs=None)


def page_words(lang: Language) -> dict[str, Any]:
    """All words of the page in one language: its own, and those that the terminal uses too."""
    return {
        "page": read_json(f"page.{lang}.json"),
        "lessons": read_json(f"lessons/lessons.{lang}.json"),
        "terms": plain_words(terms(lang)),
        "network": plain_words(network_words(lang)),
    }


def lesson_networks() -> dict[str, Any]:
    """The networks that the lessons show: the examples of the package, and two that are smaller still."""
    own = [parse_network(path.read_bytes(), path.name) for path in sorted((WEB / "lessons").glob("*.toml"))]
    return {one.name: network_document(one) for one in (read_network("article"), read_network("bilstm"), *own)}


def plain_words(table: Terms | NetworkWords | TraceWords) -> dict[str, Any]:
    """A table of words as JSON."""
    values = {field.name: getattr(table, field.name) for field in fields(table)}
    return {name: dict(value) if hasattr(value, "items") else value for name, value in values.items()}
