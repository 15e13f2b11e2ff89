"""How fast files are read, beside the `conllu` library and Flair, and how much memory a large file takes.

    python benchmarks/read_speed.py MSRA_TRAIN.tsv EWT_TRAIN.conllu [--flair PYTHON] [--megabytes 1000] [--rounds 3]

Every reader goes through the whole file in a process of its own and counts its tokens; rounds take turns, the best of
each counts. `--flair` names the Python of an environment that has Flair (it needs an older `conllu`, so one apart).
The large file is the column file over and over, under a temporary folder. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sized
from pathlib import Path


def conll(path: str) -> Iterable[Sized]:
    from gatewise.formats import read_conll

    return read_conll(path)


def conllu(path: str) -> Iterable[Sized]:
    from gatewise.formats import read_conllu

    return read_conllu(path)


def conllu_library(path: str) -> Iterable[Sized]:
    from conllu import parse_incr

    with open(path, encoding="utf-8") as stream:
        yield from parse_incr(stream)


def flair_columns(path: str) -> Iterable[Sized]:
    return flair_dataset(path, {0: "text", 1: "ner"}, "\t")


def flair_conllu(path: str) -> Iterable[Sized]:
    return flair_dataset(path, {1: "text", 3: "upos"}, "\t", comment_symbol="#")


def flair_dataset(path: str, columns: dict[int, str], delimiter: str, **options: str) -> Iterable[Sized]:
    from flair.datasets import ColumnDataset

    dataset = ColumnDataset(path, columns, column_delimiter=delimiter, **options)
    return (dataset[index] for index in range(len(dataset)))


READERS: dict[str, Callable[[str], Iterable[Sized]]] = {
    "conll": conll,
    "conllu": conllu,
    "conllu library": conllu_library,
    "Flair columns": flair_columns,
    "Flair conllu": flair_conllu,
}


TINY = {"columns": "a\tO\n\n", "conllu": "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n\n"}


def count(name: str, path: str) -> int:
    """Read the whole file, keeping nothing that the reader does not keep."""
    return sum(len(sentence) for sentence in READERS[name](path))


def child(name: str, path: str) -> None:
    """Print seconds, tokens and the peak memory of this process in MB; a tiny file first, so that imports are done."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder, "tiny")
        tiny.write_text(TINY["conllu" if "conllu" in name else "columns"], encoding="utf-8")
        count(name, str(tiny))
    began = time.perf_counter()
    tokens = count(name, path)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "tokens": tokens, "peak": peak}))


def measure(name: str, path: Path, python: str) -> dict[str, float]:
    """The numbers of one child; the last line it prints."""
    command = [python, __file__, "--child", name, str(path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    numbers: dict[str, float] = json.loads(printed.splitlines()[-1])
    return numbers


def compare(names: list[str], path: Path, pythons: dict[str, str], rounds: int) -> None:
    """A table of readers on one file; ratios are to ours, the first name."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name in names:
            found = measure(name, path, pythons.get(name, sys.executable))
            if name not in best or found["seconds"] < best[name]["seconds"]:
                best[name] = found
    ours = best[names[0]]["seconds"]
    print(f"\n`{path.parent.name}/{path.name}`, {path.stat().st_size / 1e6:.1f} MB:\n")
    print("| reader | tokens/s | time, ours = 1 | peak memory, MB |\n|---|---:|---:|---:|")
    for name in names:
        row = best[name]
        speed = row["tokens"] / row["seconds"]
        print(f"| {name} | {speed:,.0f} | {row['seconds'] / ours:.2f} | {row['peak']:.0f} |")


def memory(path: Path, megabytes: int) -> None:
    """Peak memory while ours reads the column file repeated to this size."""
    unit = path.read_bytes().rstrip(b"\n") + b"\n\n"
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder, "large.tsv")
        with large.open("wb") as stream:
            while stream.tell() < megabytes * 1_000_000:
                stream.write(unit)
        size = large.stat().st_size / 1e6
        found = measure("conll", large, sys.executable)
    print(
        f"\n{size:,.0f} MB of columns, {found['tokens']:,} tokens: {found['seconds']:.0f} s, "
        f"peak memory {found['peak']:.0f} MB"
    )


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("columns", type=Path)
    parser.add_argument("conllu", type=Path)
    parser.add_argument("--flair", metavar="PYTHON")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large file; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    flair = {"Flair columns": arguments.flair, "Flair conllu": arguments.flair} if arguments.flair else {}
    compare(["conll", *(["Flair columns"] if flair else [])], arguments.columns, flair, arguments.rounds)
    compare(
        ["conllu", "conllu library", *(["Flair conllu"] if flair else [])], arguments.conllu, flair, arguments.rounds
    )
    if arguments.megabytes:
        memory(arguments.columns, arguments.megabytes)


if __name__ == "__main__":
    main()
