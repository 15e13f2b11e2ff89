"""How long one answer takes: `python benchmarks/tag_latency.py [MODEL] [--calls 3000] [--processes 20]`.

Milliseconds, as Markdown: one sentence of 25 characters in a warm process, with probabilities and without; `import
gatewise` and a whole `gatewise tag` on one short line, each in new processes, beside `python -c pass`. These
find gatewise compiled to bytecode, as an installed package is (`PYTHONDONTWRITEBYTECODE` is taken away).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import gatewise

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
SENTENCE = "我叫小明，今年在北京大学读书，周末喜欢去图书馆看书。"[:25]


def calls(work: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each call, after a tenth of them to warm up."""
    found = []
    for number in range(count + count // 10):
        began = time.perf_counter()
        work()
        if number >= count // 10:
            found.append(1000 * (time.perf_counter() - began))
    return found


def process(arguments: list[str]) -> Callable[[], object]:
    def work() -> object:
        return subprocess.run(
            [sys.executable, *arguments], check=True, input=b"", stdout=subprocess.DEVNULL, env=ENVIRONMENT
        )

    return work


def tag_process(model: str) -> Callable[[], object]:
    command = [sys.executable, "-m", "gatewise", "tag", "-m", model]

    def work() -> object:
        line = "我叫小明\n".encode()
        return subprocess.run(command, check=True, input=line, stdout=subprocess.DEVNULL, env=ENVIRONMENT)

    return work


def row(name: str, times: list[float]) -> str:
    ordered = sorted(times)
    worst = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"| {name} | {statistics.median(ordered):.2f} | {worst:.2f} | {len(ordered)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="zh")
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=20)
    options = parser.parse_args()
    print("| ms | p50 | p99 | calls |\n|---|---:|---:|---:|")
    for threads in (1, 0):
        tagger = gatewise.load(options.model, threads=threads)
        for scores in (True, False):
            name = f"25 tokens, {threads or 'all'} thread(s), {'with' if scores else 'without'} probabilities"
            print(row(name, calls(partial(tagger.tag, SENTENCE, scores=scores), options.calls)))
    for name, work in (
        ("python -c pass", process(["-c", "pass"])),
        ("python -c 'import gatewise'", process(["-c", "import gatewise"])),
        (f"gatewise tag -m {options.model}, one line", tag_process(options.model)),
    ):
        print(row(name, calls(work, options.processes)))


if __name__ == "__main__":
    main()
