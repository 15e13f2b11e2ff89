"""docs/studio.md, held against the studio."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gatewise.studio import answers

DOC = Path(__file__).resolve().parent.parent.parent / "docs" / "studio.md"

pytestmark = pytest.mark.source


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_every_address_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(GET|POST) (/api/\w+)` \|", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(rows) == sorted([*(("GET", one) for one in answers.GET), *(("POST", one) for one in answers.POST)])


def test_its_request_is_answered(client: Any) -> None:
    words = shlex.split(blocks("sh")[0])
    address, sent = words[2], words[words.index("-d") + 1]
    header, value = words[words.index("-H") + 1].split(": ")
    answer = client.send("POST", address.split("8424")[1], sent.encode(), **{header.replace("-", "_"): value})
    assert answer.json()["text"] == json.loads(sent)["text"]
    assert len(answer.json()["tags"]) == 4


def test_its_commands_have_these_options(gatewise_command: Any) -> None:
    said = gatewise_command("studio", "--help").out
    lines = [line.partition("#")[0] for line in blocks("")[0].splitlines()]
    assert all(line.startswith("gatewise studio") for line in lines)
    used = {option for line in lines for option in re.findall(r" (--?[a-z-]+)", line)}
    assert used == {"--network", "-m", "--no-browser", "--port"}
    assert all(option in said for option in used)
    assert "8424" in said


def test_its_python_runs() -> None:
    found: dict[str, Any] = {}
    exec(blocks("python")[0], found)
    assert all(found[name]._repr_html_().count("<iframe") == 1 for name in ("run", "trace"))
