"""How much memory training takes: on a whole large file, and on one very long sentence.

    python benchmarks/train_memory.py MSRA_TRAIN.tsv [--steps 200] [--long 20000] [--set KEY=VALUE …]

Each run is all that `gatewise train` does, in a process of its own: read the file, encode it, train with all defaults
but the settings given. After so many steps it is stopped as Ctrl-C stops it, and its state is saved, so that the
copies that a checkpoint makes are counted. `--steps 0` lets it come to its end, model and scores included; with
`--set training.epochs=1` that is one epoch. The long sentence is the first tokens of the file. Prints Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def child(path: str, steps: int, settings: list[str]) -> None:
    """Train, and print what it took: steps, tokens of the file, seconds, peak memory of this process in MB."""
    from gatewise.model.config_reading import read_config
    from gatewise.training.run import run_training
    from gatewise.training.splits import Files, read_splits
    from gatewise.training.stopping import StoppedError

    files = Files(train=Path(path))
    began = time.perf_counter()
    corpus = read_splits(read_config(None, settings), files)
    taken = 0

    def should_stop() -> bool:
        nonlocal taken
        taken += 1
        return taken == steps

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(StoppedError):
        run_training(corpus, files, Path(folder, "model"), should_stop=should_stop)
    facts = {"steps": taken, "tokens": sum(map(len, corpus.train)), "longest": max(map(len, corpus.train))}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**facts, "seconds": time.perf_counter() - began, "peak": peak}))


def measure(name: str, path: Path, steps: int, settings: list[str]) -> None:
    """A row of the table."""
    command = [sys.executable, __file__, "--child", str(path), str(steps), *settings]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(printed.splitlines()[-1])
    print(
        f"| {name} | {found['tokens']:,} | {found['longest']:,} | {found['steps']:,} | {found['seconds']:.0f} |"
        f" {found['peak']:,.0f} |",
        flush=True,
    )


def long_sentence(source: Path, target: Path, tokens: int) -> None:
    """The first tokens of a column file as one sentence."""
    with source.open(encoding="utf-8") as lines:
        rows = [row for row, _ in zip((line for line in lines if line.strip()), range(tokens), strict=False)]
    target.write_text("".join(rows) + "\n", encoding="utf-8")


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--long", type=int, default=20_000, help="tokens of the long sentence; 0: none")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    options = parser.parse_args()
    print("| | tokens | longest sentence | steps | seconds | peak memory, MB |\n|---|---:|---:|---:|---:|---:|")
    measure(f"`{options.train.parent.name}/{options.train.name}`", options.train, options.steps, options.settings)
    if options.long:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "long.tsv")
            long_sentence(options.train, made, options.long)
            measure("one sentence", made, min(options.steps, 5) or 5, options.settings)


if __name__ == "__main__":
    main()
