"""What goes into a job and what comes out: patterns, folders, packed files, what is put aside, and the bar."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gatewise.cli.job_bar import JobBar
from gatewise.jobs import JobProgress
from gatewise.runtime import Tagger

Run = Any  # the fixture `gatewise_command`


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.txt").write_text("小明住在北京\n在上海\n", encoding="utf-8")
    (folder / "deep" / "a.txt.gz").write_bytes(gzip.compress("小红\n".encode()))
    (folder / "c.jsonl").write_text('{"text": "小明"}\n{"text": 3}\n{"text": "北京"}\n', encoding="utf-8")
    return folder


def texts(content: str) -> list[str]:
    return [json.loads(line)["text"] for line in content.splitlines()]


def test_a_pattern_means_its_files_sorted(gatewise_command: Run, stored: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl.gz"
    ran = gatewise_command("tag", "-m", stored / "v1-spans", f"{data}/**/*.txt*", "--to", "jsonl", "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert texts(gzip.decompress(out.read_bytes()).decode()) == ["小明住在北京", "在上海", "小红"]


def test_a_folder_gets_an_output_a_file(gatewise_command: Run, stored: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"
    ran = gatewise_command("tag", "-m", stored / "v1-spans", f"{data}/**/*.txt*", "--to", "jsonl", "-o", f"{out}/")
    assert (ran.code, ran.err) == (0, "")
    assert {path.name: texts(path.read_text(encoding="utf-8")) for path in out.iterdir()} == {
        "a.jsonl": ["小红"],
        "b.jsonl": ["小明住在北京", "在上海"],
    }


def test_what_is_broken_is_put_aside_and_the_exit_code_says_so(
    gatewise_command: Run, stored: Path, data: Path, tmp_path: Path
) -> None:
    arguments = ["tag", "-m", stored / "v1-spans", data / "c.jsonl", "--to", "jsonl"]
    stops = gatewise_command(*arguments)
    reason = f'{data}/c.jsonl:2: expected a string under "text", found 3; see the format in docs/formats.md'
    assert (stops.code, stops.err) == (2, f"error: {reason}; --rejects FILE puts such lines aside and goes on\n")
    goes_on = gatewise_command(*arguments, "--rejects", tmp_path / "r.jsonl")
    assert (goes_on.code, goes_on.err) == (3, f"{tmp_path}/r.jsonl: 1 sentence put aside, 2 tagged\n")
    assert texts(goes_on.out) == ["小明", "北京"]
    (rejected,) = map(json.loads, (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines())
    assert rejected == {"file": f"{data}/c.jsonl", "line": 2, "reason": reason, "raw": '{"text": 3}'}


@pytest.mark.parametrize("method", ["tokenize", "tag_sentences"])
def test_a_text_that_does_not_fit_into_memory_is_put_aside_alone(
    gatewise_command: Run, stored: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    before = getattr(Tagger, method)

    def fails(self: Tagger, given: Any, **options: Any) -> Any:
        if given == "在上海" or (isinstance(given, list) and any(one.text == "在上海" for one in given)):
            raise MemoryError
        return before(self, given, **options)

    monkeypatch.setattr(Tagger, method, fails)
    rejects = tmp_path / "r.jsonl"
    ran = gatewise_command("tag", "-m", stored / "v1-spans", f"{data}/**/*.txt*", "--to", "jsonl", "--rejects", rejects)
    assert ran.code == 3
    assert texts(ran.out) == ["小明住在北京", "小红"]
    (rejected,) = map(json.loads, rejects.read_text(encoding="utf-8").splitlines())
    assert rejected == {
        "file": f"{data}/b.txt",
        "line": 2,
        "reason": f"{data}/b.txt:2: expected a sentence that fits into memory, found one of 3 characters; cut it into "
        "several",
        "raw": "在上海",
    }


@pytest.mark.parametrize(
    ("files", "output", "said"),
    [
        (["data"], "x", "data: expected a file, found a directory; name files in it, such as 'data/*.txt'"),
        (["no*.txt"], "x", "no*.txt: expected a pattern that fits files, found none that it fits; check the path"),
        (
            ["data/b.txt", "b.conll"],
            "out/",
            "out/b.txt: expected an output for each file, found one for both data/b.txt and b.conll; rename one, or "
            "write them to two folders",
        ),
        (
            ["data/b.txt"],
            "data/",
            "data/b.txt: expected a name of its own, found that of a file to read; choose another folder",
        ),
        (["-"], "out/", "out/: cannot be written for standard input, which has no name to go by; name a file"),
    ],
)
def test_files_and_outputs_that_do_not_fit(
    gatewise_command: Run,
    stored: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: list[str],
    output: str,
    said: str,
) -> None:
    monkeypatch.chdir(data.parent)
    Path("b.conll").write_text("小 O\n", encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-spans", *files, "-o", output)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {said}\n")


def test_the_bar_says_how_far_it_is_in_80_columns() -> None:
    def progress(done: int, tokens: int) -> JobProgress:
        return JobProgress(done=done, total=4_000_000_000, sentences=1, tokens=tokens, rejected=1234)

    shown = io.StringIO()
    with JobBar(Console(file=shown, width=80, force_terminal=True, color_system=None)) as bar:
        bar.update(progress(1_000, 0))
        bar.update(progress(1_000_000_000, 98_765_432))
        bar.say("something of note")
    lines = [line.strip("\r") for line in shown.getvalue().replace("\x1b[2K", "\n").splitlines()]
    last = [line for line in lines if "1.0 GB of 4.0 GB" in line][-1]
    assert len(last) <= 80
    assert " 25 %" in last
    assert "tokens/s" in last
    assert "left" in last
    assert any("something of note" in line for line in lines)
