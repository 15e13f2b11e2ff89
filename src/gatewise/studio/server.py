"""The studio's server: the standard library's, on this machine alone, with a handler that checks before it answers.

In: a shelf and a port. Out: a `Studio` that serves until it is closed. Every refusal is JSON, `{"error": sentence}`.
"""

from __future__ import annotations

import errno
import json
import os
import socketserver
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

from gatewise import __version__
from gatewise.errors import ConfigError, GatewiseError
from gatewise.studio import answers, pages
from gatewise.studio.checks import MOST_BYTES, RefusedError, body_length, check_sender
from gatewise.studio.shelf import Shelf

HOST, FIRST = "127.0.0.1", "article"
MOST_IGNORED = 16 * MOST_BYTES  # of a body that is refused: read past, so that the other side gets to see why
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
BARE_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Studio(ThreadingHTTPServer):
    """A server on 127.0.0.1; `start` is the address of the page that it opens with."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows it would let two programs have one port

    def __init__(self, shelf: Shelf, port: int, start: str = "/") -> None:
        self.shelf = shelf
        super().__init__((HOST, port), _Handler)
        self.address = f"http://{HOST}:{self.server_port}{start}"

    def server_bind(self) -> None:
        """Without the name look-up of the standard library, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A window that was closed while it was answered is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def open_studio(shelf: Shelf, port: int, start: str = "/") -> Studio:
    """A studio that listens; raises ConfigError where the port cannot be had."""
    try:
        return Studio(shelf, port, start)
    except OSError as error:
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise ConfigError(f"--port {port}: {why}; choose another, or 0 for any that is free") from error


class _Handler(BaseHTTPRequestHandler):
    server: Studio
    server_version, sys_version = f"gatewise/{__version__}", ""
    timeout = 30  # seconds that a silent sender is waited for
    allowed: ClassVar[str] = "GET, HEAD, POST"
    body_is_read = False  # a handler has one request

    def do_GET(self) -> None:
        self._answer(self._get)

    do_HEAD = do_GET  # noqa: N815 - the standard library's name

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, make: Callable[[str, str], None]) -> None:
        try:
            check_sender(self.headers, self.server.server_port)
            make(*self.path.partition("?")[::2])
        except RefusedError as refused:
            self._ignore_body()
            self._json(refused.status, {"error": refused.sentence})
        except GatewiseError as error:
            self._json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": str(error)})
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "the studio failed; its terminal says how"})
            raise

    def _get(self, path: str, query: str) -> None:
        if path == "/":
            self._page({key: values[-1] for key, values in parse_qs(query).items()})
        elif path in answers.GET:
            self._json(HTTPStatus.OK, answers.GET[path](self.server.shelf))
        elif path in answers.POST:
            raise RefusedError(405, f"{path}: expected POST, found {self.command}")
        elif (module := pages.modules().get(path)) is not None:
            self._send(HTTPStatus.OK, "text/javascript", module.read_bytes(), BARE_POLICY)
        else:
            raise RefusedError(404, f"{path}: expected an address of the studio, found none by that name; begin at /")

    def _page(self, query: dict[str, str]) -> None:
        lang: Any = query.get("lang", "en")
        if lang not in ("en", "zh"):
            raise RefusedError(400, f"lang: expected en or zh, found {lang!r}")
        shelf, status = self.server.shelf, HTTPStatus.OK
        try:
            if "model" in query:
                page, policy = pages.model_view(shelf, query["model"], lang)
            else:
                page, policy = pages.network_view(shelf, query.get("network", FIRST), lang)
        except GatewiseError as error:  # a mistake in a file, a bookmark that is too old: said above the first page
            page, policy = pages.network_view(shelf, FIRST, lang, said=str(error))
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        self._send(status, "text/html", page.encode("utf-8"), policy)

    def _post(self, path: str, query: str) -> None:  # noqa: ARG002 - what a POST asks for is in its body
        if path not in answers.POST:
            raise RefusedError(404, f"{path}: expected one of {', '.join(answers.POST)}, found another address")
        body = self.rfile.read(body_length(self.headers))
        self.body_is_read = True
        self._json(HTTPStatus.OK, answers.POST[path](self.server.shelf, body))

    def _ignore_body(self) -> None:
        if self.body_is_read:
            return
        length = self.headers.get("Content-Length", "")
        left = min(int(length), MOST_IGNORED) if length.isascii() and length.isdigit() and len(length) <= 12 else 0
        while left > 0 and (read := self.rfile.read(min(left, 65_536))):
            left -= len(read)

    def _json(self, status: int, content: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content, allow_nan=False).encode("ascii"), BARE_POLICY)

    def _send(self, status: int, kind: str, body: bytes, policy: str) -> None:
        self.send_response(status)
        sent = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in (sent | HEADERS | {"Content-Security-Policy": policy}).items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", self.allowed)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the standard library itself refuses: a line that is no HTTP, a method that is none of ours."""
        method = code == HTTPStatus.NOT_IMPLEMENTED
        sentence = f"expected {self.allowed}, found {self.command}" if method else f"no request: {message or code}"
        self._json(HTTPStatus.METHOD_NOT_ALLOWED if method else code, {"error": sentence})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the address and to errors."""
