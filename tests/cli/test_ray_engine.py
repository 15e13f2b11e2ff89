"""`gatewise tag --engine ray`: what it refuses before Ray is even imported. What it does is in tests/bulk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

Run = Any  # the fixture `gatewise_command`

GOOD = ("--engine", "ray", "a.txt", "--to", "jsonl", "-o", "out.jsonl")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--engine", "ray", "--to", "jsonl", "-o", "o"), "expected files, found standard input; name the files"),
        (("--engine", "ray", "-", "--to", "jsonl", "-o", "o"), "expected files, found standard input; name the files"),
        (
            ("--engine", "ray", "a.txt", "-o", "o"),
            "expected --to jsonl or --to parquet, found --to inline; change that",
        ),
        (
            ("--engine", "ray", "a.txt", "--to", "jsonl"),
            "expected a file or a folder to write to, found none; add -o FILE",
        ),
        *(
            (
                (*GOOD, *option),
                f"expected options that a cluster knows, found {option[0]}; leave it out, or tag with --engine local",
            )
            for option in (
                ("--resume",), ("--rejects", "r"), ("--constrain", "c"), ("--n-best", 3), ("--min-score", 0.7),
                ("--dictionary", "d"), ("--hard-dictionary",), ("--neighbors", 9),
            )
        ),
    ],
)  # fmt: skip
def test_what_a_cluster_cannot_do_is_refused(gatewise_command: Run, arguments: tuple[object, ...], error: str) -> None:
    ran = gatewise_command("tag", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: --engine ray: {error}\n")


@pytest.mark.parametrize("option", [("--workers", 3), ("--ray-address", "auto")])
def test_options_of_a_cluster_need_one(gatewise_command: Run, option: tuple[object, ...]) -> None:
    ran = gatewise_command("tag", "a.txt", *option)
    message = f"error: {option[0]}: expected --engine ray with it, found --engine local; add --engine ray\n"
    assert (ran.code, ran.out, ran.err) == (2, "", message)


def test_without_ray_it_says_how_to_get_it(
    gatewise_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("我\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = gatewise_command(
        "tag", "--engine", "ray", tmp_path / "a.txt", "--to", "jsonl", "-o", tmp_path / "out", "--from", "text"
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == 'error: tagging on Ray needs ray[data] (ray is missing): pip install "gatewise[ray]"\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_address_where_nobody_is_is_told(gatewise_command: Run, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "a.txt").write_text("我\n", encoding="utf-8")
    options = ("--from", "text", "--to", "jsonl", "-o", tmp_path / "out", "--ray-address", "127.0.0.1:1")
    ran = gatewise_command("tag", "--engine", "ray", tmp_path / "a.txt", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: Ray: expected a cluster at 127.0.0.1:1, found none (")
    assert ran.err.endswith("); check the address (host:port or auto), or leave it out for this machine alone\n")
