"""The studio's server: what it answers, and each of its refusals with its sentence."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise.errors import GatewiseError, ModelError, NetworkError
from gatewise.explain.trace_page import shown_trace
from gatewise.explain.web_page import WEB
from gatewise.runtime import load
from gatewise.studio import Shelf, answers, open_studio, pages
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
    assert [one["name"] for one in models] == ["en", "en-ner", "zh", str(stored / "v1-heads")]
    assert models[0]["heads"] == models[2]["heads"] == []
    assert models[1]["heads"] == ["biomedical", "upos"]
    assert models[3]["heads"]


def test_a_trace_is_the_one_of_the_command_line(client: Any, stored: Path, gatewise_command: Any) -> None:
    model, text = str(stored / "v1-heads"), "小明住在北京。"
    head = client.get("/api/models").json()["models"][-1]["heads"][0]
    for asked, options in (({}, ()), ({"head": head}, ("--head", head))):
        answer = client.post("/api/trace", {"model": model, "text": text, **asked}).json()
        ran = gatewise_command("explain", "-m", model, *options, text, "--format", "json")
        assert answer == json.loads(ran.out)


def test_a_reading_and_the_weights_are_what_an_exported_page_carries(client: Any, stored: Path) -> None:
    model, text = str(stored / "v1-heads"), "小明住在北京。"
    for head in ("", client.get("/api/models").json()["models"][-1]["heads"][0]):
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
