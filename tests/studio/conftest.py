"""What the tests of the studio share: a real server in a thread, and requests as another program sends them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatewise.studio import HOST, Shelf, Studio, open_studio


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back: the status, the headers in lower case, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Sends what it is told, headers and all: `host` None sends no Host."""

    port: int

    def send(
        self, method: str, path: str, body: bytes | None = None, *, host: str | None = "", **headers: str
    ) -> Answered:
        """One request; names of headers are written with _ for -."""
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=10)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if host is not None:
                connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            lengths = {} if body is None or "Content_Length" in headers else {"Content-Length": str(len(body))}
            for name, value in (lengths | headers).items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answered(status=response.status, headers=found, body=response.read())

    def get(self, path: str, **headers: str) -> Answered:
        """A GET."""
        return self.send("GET", path, **headers)

    def post(self, path: str, content: object, **headers: str) -> Answered:
        """A POST of JSON."""
        return self.send("POST", path, json.dumps(content).encode(), **({"Content_Type": "application/json"} | headers))


@pytest.fixture(scope="module")
def studio(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with the examples, a network from a file, the bundled model and a stored one of several heads."""
    file = tmp_path_factory.mktemp("networks") / "mine.toml"
    file.write_text(
        'kind = "neuron"\nsentence = ["a"]\nvectors = { a = [2, 1] }\nlayers = [{ forward = { x = [[3, -1]] } }]\n'
    )
    with serving(Shelf(network=str(file), model=str(stored / "v1-heads"))) as server:
        yield server


class serving:  # noqa: N801 - reads as a verb
    """A studio on a free port, served in a thread while the block lasts."""

    def __init__(self, shelf: Shelf) -> None:
        self.server = open_studio(shelf, 0)

    def __enter__(self) -> Studio:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self.server

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def client(studio: Studio) -> Client:
    """Talks to the studio."""
    return Client(port=studio.server_port)


@pytest.fixture
def serve() -> Callable[[Shelf], serving]:
    """A studio of one's own: `with serve(Shelf()) as server`."""
    return serving


@pytest.fixture
def article() -> bytes:
    """The bytes of a network's file."""
    from gatewise.network import network_file

    return network_file("article")[1]
