"""Whom the studio answers: this machine's own browser on the studio's own page, and nobody else.

In: the headers and the body of a request. Out: nothing, or a `RefusedError` with a status and a sentence. What
each of the checks is against is listed in docs/adr/0030-the-page-live-and-in-a-notebook.md.
"""

from __future__ import annotations

from email.message import Message
from typing import Any

from gatewise.model.strict_json import parse_json

MOST_BYTES = 1_000_000  # of a body; 2,000 tokens and a large network fit many times


class RefusedError(Exception):
    """A request that is not answered: its status and the sentence that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def check_sender(headers: Message, port: int) -> None:
    """Raises RefusedError unless the request is meant for this address and comes from this studio's own page.

    Another page's request bears its Origin; a name that was bent to this machine (DNS rebinding) stands in Host.
    """
    places = {f"127.0.0.1:{port}", f"localhost:{port}"}
    hosts, origins = headers.get_all("Host", []), headers.get_all("Origin", [])
    if len(hosts) != 1 or hosts[0].strip().lower() not in places:
        found = " and ".join(map(repr, hosts)) or "none"
        raise RefusedError(421, f"Host: expected 127.0.0.1:{port}, found {found}; open the address that was printed")
    for origin in origins:
        if origin.strip().lower() not in {f"http://{place}" for place in places}:
            expected = f"Origin: expected http://127.0.0.1:{port}, found {origin!r}"
            raise RefusedError(403, f"{expected}; other pages may not ask here")


def body_length(headers: Message) -> int:
    """How many bytes of JSON follow; raises RefusedError for another type, for none, and for too many."""
    kind = headers.get_content_type() if "Content-Type" in headers else "nothing"
    if kind != "application/json":
        raise RefusedError(415, f"Content-Type: expected application/json, found {kind}; send JSON")
    length = headers.get("Content-Length", "")
    if "Transfer-Encoding" in headers or not (length.isascii() and length.isdigit()):
        raise RefusedError(411, "Content-Length: expected the length of the body in bytes, found none; send it")
    if len(length) > 12 or int(length) > MOST_BYTES:
        raise RefusedError(413, f"body: expected at most {MOST_BYTES:,} bytes, found {length}; send a shorter text")
    return int(length)


def parse_body(body: bytes, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The object of texts in the body; raises RefusedError where it is something else, or has other keys."""
    try:
        content: Any = parse_json(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(
            400, f"body: expected JSON, found something else ({error}); look for a missing quote"
        ) from error
    if not isinstance(content, dict):
        raise RefusedError(400, f"body: expected an object with {', '.join(needed)}, found {type(content).__name__}")
    for key in (*content, *needed):
        if key not in (*needed, *optional):
            raise RefusedError(400, f"body: expected {', '.join((*needed, *optional))}, found {key!r}; leave it out")
        if not isinstance(content.get(key), str):
            found = type(content[key]).__name__ if key in content else "nothing"
            raise RefusedError(400, f"{key}: expected a text, found {found}")
    return content
