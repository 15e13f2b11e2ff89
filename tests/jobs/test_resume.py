"""A job that is killed, stopped or out of room goes on, and its output is that of one that never was."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatewise.jobs import resumable, stream

Run = Any  # the fixture `gatewise_command`
DRIVER = Path(__file__).parent / "killed_jobs.py"
SMALL_CHUNKS = """
import sys
from gatewise.jobs import resumable, stream
from gatewise.cli import main
stream.CHUNK, resumable.SECONDS = 16, 0.0
main()
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files of lines that differ, of them some broken, and columns whose last sentence no blank line closes."""
    rng = random.Random(5)
    (tmp_path / "in").mkdir()
    made = []
    for name, count in (("a.txt", 70), ("b.jsonl", 50), ("c.conll", 90)):
        lines = []
        for number in range(count):
            text = "".join(rng.choices("小明住在北京", k=rng.randint(0, 12))) + f"{name}{number}"
            if name == "b.jsonl":
                lines.append(json.dumps({"text": text}) if number % 7 else '{"text": ' + str(number))
            else:
                lines.append(text if name == "a.txt" else "\n".join(f"{form} O" for form in text) + "\n")
        path = tmp_path / "in" / name
        content = "\n".join(lines).encode()
        path.write_bytes(content + (b"\n\xff\xfe\n" if name == "a.txt" else b"\n"))
        made.append(path)
    made[2].write_bytes(made[2].read_bytes().rstrip(b"\n") + b"\n-DOCSTART- X\n" + b"m O\n\n")
    return [made[2], *made]  # the columns twice, so that a file follows them


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 16)
    monkeypatch.setattr(resumable, "SECONDS", 0.0)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    ("name", "seed"), [("out.jsonl", 1), ("out.conll", 3), ("out.jsonl.gz", 2), ("out.parquet", 4), ("folder/", 5)]
)
@pytest.mark.usefixtures("small_chunks")
def test_killed_at_any_moment(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path], name: str, seed: int
) -> None:
    if name == "out.parquet":
        pytest.importorskip("pyarrow")
    target = {"out.conll": "conll", "out.parquet": "parquet"}.get(name, "jsonl")
    inputs = files[1:] if name == "folder/" else files
    command = ["tag", "-m", str(stored / "v1-spans"), "--to", target, "--threads", "1", *map(str, inputs)]
    found = {}
    for way in ("whole", "killed"):
        folder = tmp_path / way
        folder.mkdir()
        arguments = [*command, "-o", f"{folder}/{name}", "--rejects", f"{folder}/rejects.jsonl"]
        if way == "whole":
            ran = gatewise_command(*arguments)
            assert (ran.code, ran.err.partition(": ")[2]) == (
                3,
                f"9 sentences put aside, {ran.err.split()[-2]} tagged\n",
            )
        else:
            done = subprocess.run(
                [sys.executable, DRIVER, str(seed), *arguments], capture_output=True, text=True, check=True
            )
            told = json.loads(done.stdout)
            if told["code"] != 0:  # else it was killed when it was complete, before it could say so
                assert (told["code"], told["said"]) == (3, ran.err.replace("/whole/", "/killed/"))
            else:
                assert "complete already" in told["said"]
            assert told["kills"] >= 3
        found[way] = content(folder / "folder" if name == "folder/" else folder)
    assert found["killed"] == found["whole"]


@pytest.mark.usefixtures("small_chunks")
def test_a_wrong_position_would_be_noticed(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]
) -> None:
    outs = []
    for wrong in (0, 1, -1):
        folder = tmp_path / f"wrong{wrong}"
        folder.mkdir()
        arguments = ["tag", "-m", stored / "v1-spans", files[1], files[0], "-o", folder / "out.txt"]
        stop_after(3, gatewise_command, arguments, folder)
        journal = folder / "out.txt.part.json"
        told = json.loads(journal.read_text())
        assert told["position"]["units"] == 48
        told["position"]["units"] += wrong
        journal.write_text(json.dumps(told))
        assert gatewise_command(*arguments, "--resume", "--rejects", folder / "r").code == 3
        outs.append((folder / "out.txt").read_bytes())
    assert len(set(outs)) == 3


def stop_after(chunks: int, run: Run, arguments: list[Any], folder: Path) -> Any:
    """Run a command in which Ctrl-C is pressed while this chunk is at work."""
    asked = 0

    def written(before: Any, self: Any, chunk: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == chunks:
            os.kill(os.getpid(), signal.SIGINT)
        before(self, chunk)

    with pytest.MonkeyPatch.context() as patch:
        before = stream.Stream.written
        patch.setattr(stream.Stream, "written", lambda self, chunk: written(before, self, chunk))
        return run(*arguments)


@pytest.mark.usefixtures("small_chunks")
def test_ctrl_c_keeps_what_is_done(gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]) -> None:
    out = tmp_path / "out.txt"
    arguments = ["tag", "-m", stored / "v1-spans", *files[2:], "-o", out, "--rejects", tmp_path / "r.jsonl"]
    ran = stop_after(2, gatewise_command, arguments, tmp_path)
    assert ran.code == 130
    assert ran.err == "interrupted after 27 sentences; add --resume to the same command to go on there\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("in", "out.txt.part", "out.txt.part.json", "r.jsonl.part")
    ]
    assert (tmp_path / "out.txt.part").read_bytes().count(b"\n") == 27
    again = gatewise_command(*arguments)
    assert again.code == 2
    assert again.err == (
        f"error: {out}.part.json: expected no unfinished job at this place, found one with 27 tagged sentences; add "
        f"--resume to go on with it, or remove {out}.part.json and the .part beside it to start over\n"
    )
    assert gatewise_command(*arguments, "--resume").code == 3
    assert out.read_bytes().count(b"\n") == 42 + 91
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.txt", "r.jsonl"]


def test_ctrl_c_of_a_program(stored: Path, tmp_path: Path) -> None:
    """As a program; the signal comes from outside while it works."""
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("小明住在北京。\n" * 200_000, encoding="utf-8")
    arguments = ["tag", "-m", str(stored / "v1-spans"), str(source), "-o", str(out)]
    with subprocess.Popen([sys.executable, "-c", SMALL_CHUNKS, *arguments], stderr=subprocess.PIPE) as program:
        journal = Path(f"{out}.part.json")
        while not journal.exists() or not json.loads(journal.read_bytes())["position"]["units"]:
            time.sleep(0.01)
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        assert program.stderr is not None
        said = program.stderr.read().decode()
        assert program.wait(30) == 130
    done = json.loads(journal.read_bytes())["position"]["sentences"]
    assert said == f"interrupted after {done:,} sentences; add --resume to the same command to go on there\n"
    part = Path(f"{out}.part").read_bytes()
    assert part == "[小明 PER]住在[北京 LOC]。\n".encode() * done


@pytest.mark.parametrize("limit", [700, 6000])
def test_a_full_disk(stored: Path, tmp_path: Path, files: list[Path], limit: int) -> None:
    """Before the first chunk is on the disk nothing is left; later the job goes on once there is room."""
    out = tmp_path / "out.txt"
    command = [sys.executable, "-c", SMALL_CHUNKS, "tag", "-m", str(stored / "v1-spans"), *map(str, files)]
    command += ["-o", str(out), "--rejects", str(tmp_path / "r.jsonl")]
    run = partial(subprocess.run, capture_output=True, text=True, check=False)
    full = run(command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert full.returncode == 2
    assert full.stderr.startswith(f"error: {out}: cannot be written (File too large); make room for it")
    assert full.stderr.count("\n") == 1
    if limit == 700:
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
        return
    assert full.stderr.endswith("; what was tagged is kept, add --resume to go on there\n")
    assert not out.exists()
    assert run([*command, "--resume"]).returncode == 3
    resumed = out.read_bytes()
    assert run(command).returncode == 3
    assert out.read_bytes() == resumed


@pytest.mark.usefixtures("small_chunks")
def test_a_broken_line_stops_and_rejects_go_on_from_there(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]
) -> None:
    out, rejects = tmp_path / "out.txt", tmp_path / "r.jsonl"
    arguments = ["tag", "-m", stored / "v1-spans", files[1], "-o", out]
    ran = gatewise_command(*arguments)
    assert ran.code == 2
    assert ran.err == (
        f"error: {files[1]}:71: expected UTF-8, found the byte 0xFF after 0 good bytes; save the file as UTF-8; "
        "--rejects FILE puts such lines aside and goes on; what was tagged is kept, add --resume to go on there\n"
    )
    ran = gatewise_command(*arguments, "--rejects", rejects, "--resume")
    assert (ran.code, ran.err) == (3, f"{rejects}: 1 sentence put aside, 70 tagged\n")
    assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [71]
    ran = gatewise_command(*arguments, "--rejects", rejects, "--resume")  # complete, and the exit code says so again
    assert ran.code == 3
    assert ran.err == (
        f"{out}: complete already, nothing is left to do; leave --resume out to tag anew\n"
        f"{rejects}: 1 sentence put aside when it was tagged\n"
    )
    assert out.read_bytes().count(b"\n") == 70


@pytest.mark.usefixtures("small_chunks")
def test_another_job_is_told_what_is_different(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]
) -> None:
    out = tmp_path / "out.txt"
    arguments = ["tag", "-m", stored / "v1-spans", *files[2:], "-o", out, "--rejects", tmp_path / "r.jsonl"]
    stop_after(2, gatewise_command, arguments, tmp_path)

    def said(*changed: Any) -> str:
        ran = gatewise_command(*changed, "--resume")
        assert ran.code == 2
        start, _, rest = ran.err.partition("found that ")
        assert start == f"error: {out}.part.json: expected the job that was broken off, "
        what, _, remedy = rest.partition("; ")
        assert remedy == (
            f"give --resume the same files and options, or remove {out}.part.json and the .part beside it to start "
            "over\n"
        )
        return what

    assert said(*arguments, "--min-score", "0.5") == "--min-score was not given and is 0.5"
    assert said(*arguments, "--to", "jsonl") == "--to was inline and is jsonl"
    assert said(*arguments[:-2]) == f"--rejects was {tmp_path / 'r.jsonl'} and is not given"
    assert said("tag", "-m", stored / "v1-tags", *arguments[3:]) == "the model is another one"
    assert said(*arguments, files[1]) == f"{files[1]} is new"
    assert said(*arguments[:3], *arguments[4:]) == f"{files[2]} was among the files and is not now"
    os.utime(files[3], ns=(1, 1))
    assert said(*arguments) == f"{files[3]} has changed since"


@pytest.mark.usefixtures("small_chunks")
def test_a_journal_or_part_that_is_none(gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]) -> None:
    out = tmp_path / "out.txt"
    part, journal = Path(f"{out}.part"), Path(f"{out}.part.json")
    arguments = ["tag", "-m", stored / "v1-spans", files[3], "-o", out]
    part.write_text("of somebody else")
    ran = gatewise_command(*arguments)
    assert (ran.code, part.read_text()) == (2, "of somebody else")
    assert ran.err == f"error: {part}: expected a free name, found a file without a journal ({journal}); move it away\n"
    part.unlink()
    stop_after(2, gatewise_command, arguments, tmp_path)
    part.write_bytes(part.read_bytes()[:-1])
    size = json.loads(journal.read_text())["position"]["size"]
    ran = gatewise_command(*arguments, "--resume")
    assert ran.code == 2
    assert f"{part}: expected at least {size:,} bytes, found {size - 1:,}; start over without --resume" in ran.err
    for content in ("{", '{"position": {}}', '{"format": 2, "job": {}, "position": {"units": 1}}', "[]"):
        journal.write_text(content)
        ran = gatewise_command(*arguments, "--resume")
        assert ran.code == 2
        assert ran.err.startswith(f"error: {journal}: expected the journal of a job, found a file that is none (")


@pytest.mark.usefixtures("small_chunks")
def test_what_is_complete_is_not_done_again(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]
) -> None:
    out = tmp_path / "out.txt"
    arguments = ["tag", "-m", stored / "v1-spans", files[3], "-o", out, "--resume"]
    assert gatewise_command(*arguments).code == 0  # nothing is there yet: it begins
    written = out.stat().st_mtime_ns
    ran = gatewise_command(*arguments)
    assert (ran.code, out.stat().st_mtime_ns) == (0, written)
    assert ran.err == f"{out}: complete already, nothing is left to do; leave --resume out to tag anew\n"
    os.utime(out, ns=(1, 1))
    ran = gatewise_command(*arguments)
    assert ran.code == 2
    assert f"{out}: expected an output of these files, found one older than {files[3]}; leave --resume out" in ran.err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-o", "out.txt"], "standard input cannot be read again"),
        (["a.txt"], "the output is no file (-o FILE)"),
        (["a.txt", "-o", "/dev/null"], "the output is no file (-o FILE)"),
        (["a.txt", "-o", "out.json", "--to", "label-studio"], "--to label-studio is written in one go"),
    ],
)
def test_jobs_that_cannot_go_on_say_why(
    gatewise_command: Run,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a\n")
    ran = gatewise_command("tag", "-m", stored / "v1-spans", *options, "--resume", stdin="a\n")
    assert ran.code == 2
    assert ran.err == (f"error: --resume: expected a job that can be gone on with, found that {reason}; leave it out\n")


@pytest.mark.usefixtures("small_chunks")
def test_two_processes_do_not_write_the_same_part(
    gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]
) -> None:
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "out.txt"
    arguments = ["tag", "-m", stored / "v1-spans", files[3], "-o", out]
    stop_after(2, gatewise_command, arguments, tmp_path)
    before = Path(f"{out}.part").read_bytes()
    with Path(f"{out}.part").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ran = gatewise_command(*arguments, "--resume")
    assert ran.code == 2
    assert f"{out}.part: expected a part that nobody writes, found another process at it; wait for it" in ran.err
    assert Path(f"{out}.part").read_bytes() == before
    assert gatewise_command(*arguments, "--resume").code == 0


@pytest.mark.usefixtures("small_chunks")
def test_counts_go_on_too(gatewise_command: Run, stored: Path, tmp_path: Path, files: list[Path]) -> None:
    arguments = ["tag", "-m", stored / "v1-spans", files[3], "--min-score", "0.9", "-o"]
    whole = gatewise_command(*arguments, tmp_path / "a.txt")
    stop_after(2, gatewise_command, [*arguments, tmp_path / "b.txt"], tmp_path)
    assert gatewise_command(*arguments, tmp_path / "b.txt", "--resume").err == whole.err
    assert "withheld" in whole.err


@pytest.mark.usefixtures("small_chunks")
def test_constraints_go_on_too(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    source, known = tmp_path / "in.txt", tmp_path / "known.jsonl"
    source.write_text("小明住在北京\n" * 60, encoding="utf-8")
    wanted = [{"spans": [{"start": n % 5, "end": n % 5 + 1, "label": "ORG"}]} for n in range(60)]
    known.write_text("".join(json.dumps(line) + "\n" for line in wanted))
    arguments = ["tag", "-m", stored / "v1-spans", source, "--constrain", known, "-o"]
    gatewise_command(*arguments, tmp_path / "a.txt")
    stop_after(2, gatewise_command, [*arguments, tmp_path / "b.txt"], tmp_path)
    assert gatewise_command(*arguments, tmp_path / "b.txt", "--resume").code == 0
    lines = (tmp_path / "b.txt").read_text(encoding="utf-8").splitlines()
    assert lines == (tmp_path / "a.txt").read_text(encoding="utf-8").splitlines()
    assert all(f"[{'小明住在北京'[n % 5]} ORG]" in line for n, line in enumerate(lines))
