"""What the studio refuses, each with its status and its sentence."""

from __future__ import annotations

import json
import queue
import re
import socket
import socketserver
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise.errors import ModelError
from gatewise.studio import HOST, Shelf, answers

JSON = {"Content_Type": "application/json"}

# what is refused

TEXT = {"model": "zh", "text": "我"}
NO_JSON = "body: expected JSON, found something else"


def said_above(answer: Any) -> tuple[int, str]:
    """What the first page says of an address that it stands in for."""
    data = json.loads(re.search(r'id="data">(.*?)</script>', answer.body.decode())[1])  # type: ignore[index]
    assert data["chosen"] == {"network": "article"}
    return answer.status, data["said"]


def refused(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.json().keys() == {"error"}
    return answer.status, answer.json()["error"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", None]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_host(client: Any, host: str | None, method: str) -> None:
    host = host and host.format(port=client.port)
    answer = client.send(method, "/api/models", b"{}" if method == "POST" else None, host=host, **JSON)
    found = "none" if host is None else repr(host)
    sentence = f"Host: expected 127.0.0.1:{client.port}, found {found}; open the address that was printed"
    assert refused(answer) == (421, sentence)


def test_this_machine_by_its_other_name(client: Any) -> None:
    origin = f"http://LocalHost:{client.port}"
    assert client.send("GET", "/", host=f"LOCALHOST:{client.port}").status == 200
    assert client.post("/api/reading", TEXT, Origin=origin).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}.evil.example",
        "http://[",
    ],
)
def test_another_origin(client: Any, origin: str) -> None:
    origin = origin.format(port=client.port)
    sentence = f"Origin: expected http://127.0.0.1:{client.port}, found {origin!r}; other pages may not ask here"
    assert refused(client.post("/api/trace", TEXT, Origin=origin)) == (403, sentence)
    assert refused(client.get("/", Origin=origin)) == (403, sentence)


@pytest.mark.parametrize(
    "path",
    ["/../", "/%2e%2e/", "/web/../studio.py", "/web/%2e%2e/pages/errors.html", "/web/..%2fpages%2ferrors.html",
     "/web/", "/web/page.css", "/web/app.js%00", "/web//app.js",
     "/web/lessons/lessons.json", "/etc/passwd", "/favicon.ico", "http://[/"],
)  # fmt: skip
def test_an_address_that_is_none(client: Any, path: str) -> None:
    sentence = f"{path}: expected an address of the studio, found none by that name; begin at /"
    assert refused(client.get(path)) == (404, sentence)


def test_an_address_that_takes_no_posts(client: Any) -> None:
    known = "/api/trace, /api/reading, /api/weights, /api/networks"
    sentence = f"/api/models: expected one of {known}, found another address"
    assert refused(client.post("/api/models", {})) == (404, sentence)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_another_method(client: Any, method: str) -> None:
    answer = client.send(method, "/api/trace")
    assert refused(answer) == (405, f"expected GET, HEAD, POST, found {method}")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_a_get_where_a_post_is_needed(client: Any) -> None:
    assert refused(client.get("/api/trace")) == (405, "/api/trace: expected POST, found GET")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_type(client: Any, kind: str) -> None:
    found = kind.partition(";")[0]
    sentence = f"Content-Type: expected application/json, found {found}; send JSON"
    assert refused(client.post("/api/trace", TEXT, Content_Type=kind)) == (415, sentence)


def test_no_type(client: Any) -> None:
    sentence = "Content-Type: expected application/json, found nothing; send JSON"
    assert refused(client.send("POST", "/api/trace", b"{}")) == (415, sentence)


@pytest.mark.parametrize(
    "headers", [{}, {"Content_Length": "-1"}, {"Content_Length": "²"}, {"Transfer_Encoding": "chunked"}]
)
def test_no_length(client: Any, headers: dict[str, str]) -> None:
    sentence = "Content-Length: expected the length of the body in bytes, found none; send it"
    assert refused(client.send("POST", "/api/trace", **JSON, **headers)) == (411, sentence)


def test_a_body_that_is_too_long(client: Any) -> None:
    for length in (1_000_001, 15_000_000):  # the sender of the longer one has to be read before it listens
        answer = client.send("POST", "/api/trace", b" " * length, **JSON)
        assert refused(answer) == (413, f"body: expected at most 1,000,000 bytes, found {length}; send a shorter text")
    answer = client.send("POST", "/api/trace", b" ", Content_Length="9" * 30, **JSON)
    assert refused(answer) == (413, f"body: expected at most 1,000,000 bytes, found {'9' * 30}; send a shorter text")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[1", f"{NO_JSON} (Expecting ',' delimiter: line 1 column 3 (char 2)); look for a missing quote"),
        ("NaN", f"{NO_JSON} (NaN is no JSON); look for a missing quote"),
        ("[" * 10_001, f"{NO_JSON} (more than 10,000 objects and lists); look for a missing quote"),
        ("[1]", "body: expected an object with model, text, found list"),
        ('{"model": "zh"}', "text: expected a text, found nothing"),
        ('{"model": "zh", "text": 7}', "text: expected a text, found int"),
        ('{"model": "zh", "text": "我", "path": "x"}', "body: expected model, text, head, found 'path'; leave it out"),
    ],
)  # fmt: skip
def test_a_body_that_is_something_else(client: Any, body: str, sentence: str) -> None:
    assert refused(client.send("POST", "/api/trace", body.encode(), **JSON)) == (400, sentence)


def test_half_a_character_is_refused(client: Any) -> None:
    status, sentence = refused(client.send("POST", "/api/trace", b'{"model": "zh", "text": "\\ud800"}', **JSON))
    assert status == 400
    assert "surrogates not allowed" in sentence


@pytest.mark.parametrize("address", ["/api/trace", "/api/reading"])
def test_a_text_of_too_many_tokens(client: Any, address: str) -> None:
    sentence = "text: expected at most 2,000 tokens, found 2,001; explain a part of it"
    assert refused(client.post(address, {"model": "zh", "text": "我" * 2_001})) == (422, sentence)


def test_a_text_of_just_as_many_tokens(client: Any, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatewise.studio.answers.MAX_TOKENS", 7)
    model = str(stored / "v1-heads")
    answer = client.post("/api/reading", {"model": model, "text": "我" * 7})
    assert len(answer.json()["trace"]["tokens"]) == 7
    assert client.post("/api/reading", {"model": model, "text": "我" * 8}).status == 422


@pytest.mark.parametrize("model", ["nobody", "../zh", "v1-tags", ""])
def test_a_model_that_was_not_given(client: Any, stored: Path, model: str) -> None:
    """A path that is there is refused as any other: a page chooses among what the command line named."""
    asked = str(stored / model) if model == "v1-tags" else model
    known = f"en, en-ner, zh, {stored / 'v1-heads'}"
    sentence = f"model: expected one of {known}, found {asked!r}; start the studio with -m for another"
    assert refused(client.post("/api/trace", {"model": asked, "text": "我"})) == (422, sentence)
    if asked:
        assert said_above(client.get(f"/?model={asked}")) == (422, sentence)


def test_a_head_that_the_model_has_not(client: Any) -> None:
    status, sentence = refused(client.post("/api/trace", TEXT | {"head": "ner"}))
    assert status == 422
    assert "ner" in sentence


def test_a_network_that_was_not_given(client: Any, tmp_path: Path, article: bytes) -> None:
    file = tmp_path / "there.toml"
    file.write_bytes(article)
    status, sentence = said_above(client.get(f"/?network={file}"))
    assert status == 422
    assert re.fullmatch(
        rf"network: expected one of article, bilstm, rnn, .*, found '{file}'; open its TOML file in the studio",
        sentence,
    )


def test_a_toml_file_that_is_wrong_says_where(client: Any) -> None:
    answer = client.post("/api/networks", {"name": "x.toml", "toml": 'kind = "lstm"\nsentence = ['})
    status, sentence = refused(answer)
    assert status == 422
    assert re.match(r"x\.toml:2: expected TOML, found something else", sentence)


def test_another_language(client: Any) -> None:
    assert refused(client.get("/?lang=fr")) == (400, "lang: expected en or zh, found 'fr'")


def test_what_is_no_request_at_all(client: Any) -> None:
    for line in (b"\x16\x03\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection((HOST, client.port), timeout=10) as raw:
            raw.sendall(line)
            answer = b""
            while part := raw.recv(65_536):
                answer += part
        assert b'{"error": "no request: ' in answer
    assert client.get("/").status == 200


def test_a_mistake_of_the_studio_is_told_too(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: queue.Queue[Any] = queue.Queue()
    monkeypatch.setattr(socketserver.BaseServer, "handle_error", lambda *_: told.put(sys.exc_info()[0]))
    for mistake, status in ((KeyError, 500), (ModelError, 422)):
        monkeypatch.setitem(answers.GET, "/api/networks", raising(mistake("x")))
        answer = refused(client.get("/api/networks"))
        assert answer == (status, "the studio failed; its terminal says how" if status == 500 else "x")
    assert told.get(timeout=10) is KeyError
    assert told.empty()


def raising(error: Exception) -> Any:
    def answer(shelf: Shelf) -> Any:
        raise error

    return answer
