"""A row of docs/results.md again, by one command: `python benchmarks/accuracy.py ROW --data DATA --work WORK`.

In: the row's name, the folder of the corpora (docs/results.md says where each is at home), a folder to work in. Does
what the row needs and WORK does not have yet: vectors from raw text (`gatewise embed`), then the trainings
(`gatewise train` with recipes/ROW.toml, as many seeds as the row says). Every command is printed before it runs; they
can be typed as well. At the end stand the scores of dev and test, mean ± standard deviation, and what a training took.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"

ENGLISH = tuple(
    f"{corpus}/{split}{end}"
    for corpus, end in (("conll2003", ".tsv"), ("conll2000", ".tsv"), ("wnut17", ".tsv"), ("ud_en_ewt", ".conllu"))
    for split in ("train", "dev")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Vectors of raw text: which files of DATA, and the options of `gatewise embed`; of the tokens of `also`, those
    that are rare get vectors composed from their parts."""

    texts: str
    options: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The files of DATA, the names of the vectors, and how many seeds."""

    train: str
    dev: str
    test: str
    vectors: tuple[str, ...] = ()
    seeds: int = 5


VECTORS = {
    "zh_char64.txt": Vectors(texts="raw_zh/*.txt.gz", options=("--tokenizer", "characters", "--dim", "64")),
    "zh_bigram64.txt": Vectors(
        texts="raw_zh/*.txt.gz", options=("--unit", "bigram", "--dim", "64", "--min-count", "5", "--split")
    ),
    "en_word100.txt": Vectors(
        texts="raw_en/*.txt.gz", options=("--tokenizer", "english", "--dim", "100"), also=ENGLISH
    ),
}
ROWS = {
    "weibo": Row(train="weibo/train.tsv", dev="weibo/dev.tsv", test="weibo/test.tsv", vectors=("zh_char64.txt",)),
    "resume": Row(train="resume/train.tsv", dev="resume/dev.tsv", test="resume/test.tsv", vectors=("zh_char64.txt",)),
    "ud_en_ewt": Row(
        train="ud_en_ewt/train.conllu",
        dev="ud_en_ewt/dev.conllu",
        test="ud_en_ewt/test.conllu",
        vectors=("en_word100.txt",),
    ),
    "ud_vi_vtb": Row(train="ud_vi_vtb/train.conllu", dev="ud_vi_vtb/dev.conllu", test="ud_vi_vtb/test.conllu"),
    "ud_ko_gsd": Row(train="ud_ko_gsd/train.conllu", dev="ud_ko_gsd/dev.conllu", test="ud_ko_gsd/test.conllu"),
}


def run(work: Path, *command: str) -> None:
    """Print a gatewise command and run it in WORK."""
    print("$ gatewise " + shlex.join(command), flush=True)
    subprocess.run([sys.executable, "-m", "gatewise", *command], cwd=work, check=True)


def make_vectors(name: str, data: Path, work: Path) -> None:
    """Vectors under their name in WORK, unless they are there."""
    if (work / name).exists():
        return
    made = VECTORS[name]
    also = [part for path in made.also for part in ("--also", str(data / path))]
    run(work, "embed", str(data / made.texts), "-o", name, *made.options, *also)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=sorted(ROWS))
    parser.add_argument("--data", type=Path, required=True, help="the folder of the corpora")
    parser.add_argument("--work", type=Path, required=True, help="the folder to work in")
    parser.add_argument("--set", action="append", default=[], help="a setting, such as training.threads=1")
    asked = parser.parse_args(arguments)
    row, data, work = ROWS[asked.row], asked.data.resolve(), asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    for name in row.vectors:
        make_vectors(name, data, work)
    files = [str(data / row.train), "--dev", str(data / row.dev), "--test", str(data / row.test)]
    settings = [part for one in asked.set for part in ("--set", one)]
    seeds = ("--seeds", str(row.seeds)) if row.seeds > 1 else ()
    recipe = str(RECIPES / f"{asked.row}.toml")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(work, "train", *files, "--config", recipe, "-o", asked.row, *seeds, "--resume", *settings)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    print(f"CPU seconds of one training, scoring included: {spent / row.seeds:.0f}")


if __name__ == "__main__":
    main()
