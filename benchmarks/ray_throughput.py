"""Tokens a second of one process, and of a local Ray cluster with 1 and with 2 workers.

    python benchmarks/ray_throughput.py FILE [FILE…] [--model zh] [--workers 1 2] [--rounds 3]

Each run is a process of its own; rounds take turns, the best of each counts. "All of it" is from the start of the
process to its end, with imports, Ray's start and the loading of models; "after the first chunk" leaves these out. A
worker has one thread, so one process is measured with one thread, and with as many as there are workers at most. The
files should hold tens of chunks of 1,024 sentences; each is made into an output of its own, and those of all runs
must be the same to the byte. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LEAST = 20  # chunks that tell a speed


class Clock:
    """What the progress of a job says of its speed."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, int]] = []  # seconds, tokens

    def __call__(self, now: Any) -> None:
        self.heard.append((time.perf_counter(), now.tokens))

    def rate(self) -> float:
        """Tokens a second between the first chunk and the last."""
        if len(self.heard) < LEAST:
            found = len(self.heard)
            sys.exit(f"expected files of {LEAST} chunks of 1,024 sentences or more, found {found}; take larger ones")
        (began, first), (ended, last) = self.heard[0], self.heard[-1]
        return (last - first) / (ended - began)


def alone(files: list[str], model: str, output: str, threads: int, clock: Clock) -> None:
    from gatewise.jobs import JobOptions, Listeners, find_inputs, tag_files
    from gatewise.runtime import load

    listeners = Listeners(notify=print, progress=clock)
    tag_files(load(model, threads=threads), find_inputs(files), output, JobOptions(target="jsonl"), listeners)


def on_ray(files: list[str], model: str, output: str, workers: int, clock: Clock) -> None:
    from gatewise.bulk import Job, run

    run(Job(files=files, output=output, model=model, workers=workers), progress=clock, notify=print)


def child(kind: str, count: str, model: str, output: str, *files: str) -> None:
    """Do one run; the last line of what it prints is its rate and its tokens, as JSON."""
    clock = Clock()
    {"alone": alone, "ray": on_ray}[kind](list(files), model, output, int(count), clock)
    print(json.dumps({"rate": clock.rate(), "tokens": clock.heard[-1][1]}))


def measured(kind: str, count: int, model: str, output: Path, files: list[str]) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", kind, str(count), model, f"{output}/", *files]
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    seconds = time.perf_counter() - began
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "seconds": seconds}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="zh")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    runs = [("alone", count) for count in sorted({1, max(given.workers)})]
    runs += [("ray", count) for count in given.workers]
    found: dict[tuple[str, int], list[dict[str, float]]] = {run: [] for run in runs}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            for kind, count in runs:
                output = Path(folder, f"{number}-{kind}-{count}")
                found[kind, count].append(measured(kind, count, given.model, output, given.files))
                same = contents(output) == contents(Path(folder, f"0-{runs[0][0]}-{runs[0][1]}"))
                if not same:
                    sys.exit(f"{kind} {count}: expected the output of one process, found another one")
    print("| | tokens/s, all of it | tokens/s, after the first chunk | seconds, all of it |\n|---|---:|---:|---:|")
    for (kind, count), rounds in found.items():
        name = f"one process, threads: {count}" if kind == "alone" else f"Ray, workers: {count}"
        seconds = min(one["seconds"] for one in rounds)
        rate = max(one["rate"] for one in rounds)
        print(f"| {name} | {rounds[0]['tokens'] / seconds:,.0f} | {rate:,.0f} | {seconds:.1f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
