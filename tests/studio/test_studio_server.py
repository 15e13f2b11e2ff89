"""The studio's server: what it answers, and each of its refusals with its sentence."""

from __future__ import annotations

import json
import queue
import re
import signal
import socket
import socketserver
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise.errors import GatewiseError, ModelError, NetworkError
from gatewise.explain.trace_page import shown_trace
from gatewise.explain.web_page import WEB
from gatewise.runtime import load
from gatewise.studio import HOST, Shelf, answers, open_studio, pages
from gatewise.studio.shelf import MOST_OPENED

JSON = {"Content_Type": "application/json"}

# what is answered


def test_the_page_allows_its_own_modules_alone(client: Any) -> None:
    page = client.get("/?network=article&lang=zh")
    policy = page.headers["content-security-policy"]
    nonces = set(re.findall(r'nonce="([^"]+)"', page.body.decode()))
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="zh-CN">' in page.body.decode()
    assert len(nonces) == 1
    assert re.fullmatch(
        rf"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'nonce-{nonces.pop()}' 'self'; "
        r"connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        policy,
    )
    assert policy != client.get("/?network=article&lang=zh").headers["content-security-policy"]  # another nonce
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control-") for name in page.headers)


def test_the_modules_are_those_of_the_exported_file(client: Any) -> None:
    page = client.get("/").body.decode()
    imports = json.loads(re.search(r'type="importmap"[^>]*>(.*?)</script>', page)[1])["imports"]  # type: ignore[index]
    shared = {f"gatewise/{path.name}": path.read_bytes() for path in WEB.glob("*.js")}
    assert shared.keys() < imports.keys()
    for name, address in imports.items():
        module = client.get(address)
        assert (module.status, module.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert name not in shared or module.body == shared[name]


def test_what_there_is_to_choose(client: Any, stored: Path) -> None:
    networks = client.get("/api/networks").json()["networks"]
    assert [one["name"] for one in networks][:3] == ["article", "bilstm", "rnn"]
    assert networks[3]["name"].endswith("mine.toml")
    assert networks[0]["title"]["zh"].startswith("文章中的")
    models = client.get("/api/models").json()["models"]
    assert [one["name"] for one in models] == ["zh", str(stored / "v1-heads")]
    assert models[0]["heads"] == []
    assert models[1]["heads"]


def test_a_trace_is_the_one_of_the_command_line(client: Any, stored: Path, gatewise_command: Any) -> None:
    model, text = str(stored / "v1-heads"), "小明住在北京。"
    head = client.get("/api/models").json()["models"][1]["heads"][0]
    for asked, options in (({}, ()), ({"head": head}, ("--head", head))):
        answer = client.post("/api/trace", {"model": model, "text": text, **asked}).json()
        ran = gatewise_command("explain", "-m", model, *options, text, "--format", "json")
        assert answer == json.loads(ran.out)


def test_a_reading_and_the_weights_are_what_an_exported_page_carries(client: Any, stored: Path) -> None:
    model, text = str(stored / "v1-heads"), "小明住在北京。"
    for head in ("", client.get("/api/models").json()["models"][1]["heads"][0]):
        reading = client.post("/api/reading", {"model": model, "text": text, "head": head}).json()["trace"]
        weights = client.post("/api/weights", {"model": model, "head": head}).json()
        assert not reading.keys() & weights.keys()
        expected = shown_trace(load(model).trace(text, head))
        assert reading | weights == expected | {"most": answers.MOST}


def test_what_is_too_large_for_the_studio_comes_without_weights(
    client: Any, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST", 0)
    asked = {"model": str(stored / "v1-heads")}
    found = client.post("/api/reading", asked | {"text": "小明"}).json()["trace"]
    assert (found["left_out"], found["layers"]) == ("values", None)
    assert set(client.post("/api/weights", asked).json().values()) == {None}


def test_an_empty_text_has_an_answer(client: Any) -> None:
    answer = client.post("/api/trace", {"model": "zh", "text": " "}).json()
    assert (answer["tokens"], answer["emissions"]) == ([], [])
    assert client.post("/api/reading", {"model": "zh", "text": " "}).json()["trace"]["tokens"] == []


def test_a_head_request_has_no_body(client: Any) -> None:
    answer = client.send("HEAD", "/")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 10_000


def test_a_file_on_the_command_line_is_read_anew(tmp_path: Path, article: bytes) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(article)
    shelf = Shelf(network=str(file))
    file.write_bytes(article.replace(b'name = "article"', b'name = "other"'))
    assert shelf.network(str(file)).name == "other"
    file.write_bytes(b"kind = ")
    with pytest.raises(NetworkError, match=r"mine\.toml:1: expected TOML"):
        shelf.network(str(file))
    file.unlink()
    assert shelf.networks()[-1] == {"name": str(file), "title": {"en": "", "zh": ""}}


@pytest.fixture
def article() -> bytes:
    from gatewise.network import network_file

    return network_file("article")[1]


def test_opened_networks(client: Any, article: bytes) -> None:
    toml = article.decode()
    assert client.post("/api/networks", {"name": "C:\\a\\own.toml", "toml": toml}).json() == {"name": "own.toml"}
    assert client.post("/api/networks", {"name": "../own.toml", "toml": toml}).json() == {"name": "own.toml"}
    assert client.post("/api/networks", {"name": "article", "toml": toml}).json() == {"name": "article (opened)"}
    assert client.get("/?network=own.toml").status == 200
    names = [one["name"] for one in client.get("/api/networks").json()["networks"]]
    assert names.count("own.toml") == 1


def test_the_newest_opened_networks_are_kept(article: bytes) -> None:
    shelf = Shelf()
    for number in range(MOST_OPENED + 2):
        shelf.open_network(f"{number}.toml", article.decode())
    names = [one["name"] for one in shelf.networks()]
    assert len(names) == 3 + MOST_OPENED
    assert (names[3], names[-1]) == ("2.toml", f"{MOST_OPENED + 1}.toml")


def test_both_languages_have_the_same_words() -> None:
    folder = Path(pages.__file__).parent / "web"
    english, chinese = (
        json.loads((folder / f"studio.{lang}.json").read_text(encoding="utf-8")) for lang in ("en", "zh")
    )
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    assert english.keys() == chinese.keys() == set(re.findall(r"\bstudio\.(\w+)", code)) - {"js"}
    assert not {key for key, text in english.items() if text == chinese[key]}


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
    known = f"zh, {stored / 'v1-heads'}"
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


# beginning and end


def test_it_listens_on_this_machine_alone(client: Any, studio: Any) -> None:
    assert studio.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken(studio: Any, gatewise_command: Any) -> None:
    ran = gatewise_command("studio", "--port", studio.server_port, "--no-browser")
    sentence = f"--port {studio.server_port}: is taken by another program; choose another, or 0 for any that is free"
    assert (ran.code, ran.err) == (2, f"error: {sentence}\n")


def test_what_is_not_there_is_said_before_anything_is_served(gatewise_command: Any, tmp_path: Path) -> None:
    both = gatewise_command("studio", "--network", "article", "-m", "zh")
    assert (both.code, both.err) == (
        2,
        "error: expected --network or --model, found both; choose the other one in the studio\n",
    )
    with pytest.raises(NetworkError, match="expected a bundled network"):
        Shelf(network=str(tmp_path / "none.toml"))
    with pytest.raises(ModelError, match="expected a model folder or a bundled model"):
        Shelf(model=str(tmp_path / "none"))
    assert issubclass(ModelError, GatewiseError)


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    call = [
        sys.executable,
        "-m",
        "gatewise",
        "studio",
        "--port",
        "0",
        "--no-browser",
        "--network",
        "rnn",
        "--lang",
        "zh",
    ]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(
            r"gatewise studio: http://127\.0\.0\.1:(\d+)/\?network=rnn&lang=zh \(Ctrl-C ends it\)\n", line
        )
        assert match, line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "gatewise studio: ended\n")
    open_studio(Shelf(), int(match[1])).server_close()  # the port is free again


def test_the_browser_is_opened(monkeypatch: pytest.MonkeyPatch, gatewise_command: Any) -> None:
    opened: list[str] = []

    def interrupted(self: object, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.studio.Studio.serve_forever", interrupted)
    for found in (True, False):
        monkeypatch.setattr("webbrowser.open", lambda address, found=found: opened.append(address) or found)
        ran = gatewise_command("studio", "--port", "0", "-m", "zh")
        assert ran.out == f"gatewise studio: {opened[-1]} (Ctrl-C ends it)\n"
        assert opened[-1].endswith("/?model=zh&lang=en")
        told = "" if found else "found no browser to open; open the address yourself\n"
        assert (ran.code, ran.err) == (0, f"{told}gatewise studio: ended\n")
    gatewise_command("studio", "--port", "0", "--no-browser")
    assert len(opened) == 2
