"""A row of docs/results.md again, by one command: `python benchmarks/accuracy.py ROW --data DATA --work WORK`.

In: the row's name, the folder of the corpora (docs/results.md says where each is at home), a folder to work in. Does
what the row needs and WORK does not have yet: vectors from raw text (`gatewise embed`), the teachers that it learns
from, which are a row of their own, then the trainings (`gatewise train` with recipes/ROW.toml, as many seeds as the
row says). Every command is printed before it runs; they
can be typed as well. At the end stand the scores of dev and test, mean ± standard deviation, and what a training took.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

RECIPES = Path(__file__).resolve().parents[1] / "recipes"

ENGLISH = tuple(
    f"{corpus}/{split}{end}"
    for corpus, end in (("conll2003", ".tsv"), ("conll2000", ".tsv"), ("wnut17", ".tsv"), ("ud_en_ewt", ".conllu"))
    for split in ("train", "dev")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Vectors of raw text: which files of DATA, and the options of `gatewise embed`; of the tokens of `also`, those
    that are rare get vectors composed from their parts. `cut`: jieba cuts the text into words first."""

    texts: str
    options: tuple[str, ...]
    also: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The files of DATA, the names of the vectors, and how many seeds; where dev is none, it is held out of train.

    `words` is a list of words whose convention train and dev are put into (pku_convention.py), with `more` that is
    trained on as well. `thinned` are files of WORK, each by its name, a file of DATA and how
    many: of so many sentences in a row the last is taken. `teachers` is the row whose models it learns from. With
    `neighbors`, dev and test are scored once more, as running text (`gatewise evaluate --neighbors`).
    """

    train: str
    more: tuple[str, ...] = ()
    words: str = ""
    dev: str
    test: str
    vectors: tuple[str, ...] = ()
    thinned: tuple[tuple[str, str, int], ...] = ()
    teachers: str = ""
    neighbors: int = 0
    seeds: int = 5


def row(folder: str, end: str, *vectors: str) -> Row:
    """A corpus whose splits are files of one folder."""
    train, dev, test = (f"{folder}/{split}{end}" for split in ("train", "dev", "test"))
    return Row(train=train, dev=dev, test=test, vectors=vectors)


VECTORS = {
    "zh_char64.txt": Vectors(texts="raw_zh/*.txt.gz", options=("--tokenizer", "characters", "--dim", "64")),
    "zh_bigram64.txt": Vectors(
        texts="raw_zh/*.txt.gz",
        options=("--unit", "bigram", "--dim", "64", "--min-count", "5", "--split", "--subwords", "0"),
    ),
    "zh_word50.txt": Vectors(
        texts="raw_zh/*.txt.gz",
        options=("--tokenizer", "whitespace", "--dim", "50", "--subwords", "0", "--epochs", "3"),
        cut=True,
    ),
    "en_word100.txt": Vectors(
        texts="raw_en/*.txt.gz",
        options=("--tokenizer", "english", "--dim", "100", "--subwords", "3-6"),
        also=ENGLISH,
    ),
    "en_whole100.txt": Vectors(
        texts="raw_en/*.txt.gz",
        options=("--tokenizer", "english", "--dim", "100", "--min-count", "4", "--subwords", "0"),
    ),
}
ROWS = {
    "weibo": row("weibo", ".tsv", "zh_char64.txt", "zh_word50.txt"),
    "resume": replace(row("resume", ".tsv", "zh_char64.txt"), teachers="resume-teacher"),
    "resume-teacher": replace(row("resume", ".tsv", "zh_char64.txt", "zh_word50.txt"), seeds=3),
    "conll2003": replace(row("conll2003", ".tsv", "en_whole100.txt"), teachers="conll2003-teacher", neighbors=50),
    "conll2003-teacher": row("conll2003", ".tsv", "en_whole100.txt"),
    "conll2000": row("conll2000", ".tsv", "en_word100.txt"),
    "ud_en_ewt": row("ud_en_ewt", ".conllu", "en_word100.txt"),
    "ud_vi_vtb": row("ud_vi_vtb", ".conllu"),
    "ud_ko_gsd": row("ud_ko_gsd", ".conllu"),
    "ud_zh_gsdsimp_v1.4": row("ud_zh_gsdsimp_v1.4", ".conllu", "zh_char64.txt", "zh_bigram64.txt"),
    "ud_zh_gsdsimp_v2": Row(
        train="ud_zh_gsdsimp_v2/train_silver_upgraded.conllu",
        dev="ud_zh_gsdsimp_v2/dev.conllu",
        test="ud_zh_gsdsimp_v2/test.conllu",
        vectors=("zh_word50.txt",),
        thinned=(("pku_quarter.conllu", "pku_199801/train.conllu.gz", 4),),
    ),
    "wnut17": Row(
        train="wnut17/train.tsv",
        dev="wnut17/dev.tsv",
        test="wnut17/test.tsv",
        vectors=("en_whole100.txt",),
    ),
    "en-ner": Row(
        train="wnut17/train.tsv",
        dev="wnut17/dev.tsv",
        test="wnut17/test.tsv",
        vectors=("en_whole100.txt",),
        seeds=1,
    ),
    "msra": replace(
        row("msra", ".tsv", "zh_char64.txt", "zh_word50.txt"), dev="", seeds=3, teachers="msra-teacher", neighbors=50
    ),
    "msra-teacher": replace(row("msra", ".tsv", "zh_char64.txt", "zh_word50.txt"), dev="", seeds=3),
    "pku": Row(
        train="pku_199801/train.conllu.gz",
        more=("pku_199801/test.conllu.gz",),
        words="sighan2005_pku/pku_training_words.txt",
        dev="pku_199801/dev.conllu.gz",
        test="sighan2005_pku/pku_test_gold.txt",
        vectors=("zh_char64.txt", "zh_word50.txt"),
        seeds=3,
    ),
}
BLOCK, EVERY, HELD_OUT = 100, 15, 7  # sentences in a block; of so many blocks in a row, this one is dev


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
    texts = cut_words(data, made.texts, work) if made.cut else data / made.texts
    run(work, "embed", str(texts), "-o", name, *made.options, *also)


def cut_words(data: Path, texts: str, work: Path) -> Path:
    """The raw text in the words of jieba (pip install jieba), a space between them, in a file of WORK."""
    import jieba

    path = work / f"{Path(texts).parent.name}_words.txt"
    with path.open("w", encoding="utf-8") as stream:
        for packed in sorted(data.glob(texts)):
            with gzip.open(packed, "rt", encoding="utf-8") as lines:
                for line in filter(None, map(str.strip, lines)):
                    stream.write(" ".join(word for word in jieba.cut(line) if word.strip()) + "\n")
    return path


def hold_out(train: Path, work: Path) -> tuple[Path, Path]:
    """Train and dev of a column file without dev: one block of sentences in so many, in files of WORK.

    Blocks, because neighbors are of one article: a sentence alone would have its article in train.
    """
    sentences = train.read_text(encoding="utf-8").strip("\n").split("\n\n")
    parts: tuple[list[str], list[str]] = ([], [])
    for number, sentence in enumerate(sentences):
        parts[number // BLOCK % EVERY == HELD_OUT].append(sentence)
    paths = (work / f"{train.parent.name}_train.tsv", work / f"{train.parent.name}_dev.tsv")
    for path, part in zip(paths, parts, strict=True):
        path.write_text("\n\n".join(part) + "\n\n", encoding="utf-8")
    return paths


def in_convention(made: Row, data: Path, work: Path) -> tuple[Path, Path]:
    """Train, with what is trained on as well, and dev in the words of the row's list, in files of WORK."""
    from pku_convention import convert

    parts = {"train": [data / made.train, *(data / path for path in made.more)], "dev": [data / made.dev]}
    paths = (work / "pku_train.txt", work / "pku_dev.txt")
    for path, sources in zip(paths, parts.values(), strict=True):
        convert(data / made.words, path, sources, counted=[*parts["train"], *parts["dev"]])
    return paths


def thin(name: str, packed: Path, every: int, work: Path) -> None:
    """Every so many-th sentence of a packed file, in a file of WORK."""
    sentences = gzip.decompress(packed.read_bytes()).decode("utf-8").strip("\n").split("\n\n")
    (work / name).write_text("\n\n".join([*sentences[every - 1 :: every], ""]), encoding="utf-8")


def head_files(recipe: Path, data: Path, work: Path) -> list[str]:
    """Settings that say where the files of further heads are, which a recipe names from WORK or from DATA."""
    heads = tomllib.loads(recipe.read_text(encoding="utf-8")).get("heads", {})
    return [
        f"heads.{name}.{split}={(work if (work / settings[split]).exists() else data) / settings[split]}"
        for name, settings in heads.items()
        for split in ("train", "dev", "test")
        if split in settings
    ]


def score_running_text(models: Sequence[str], files: Sequence[Path], neighbors: int, work: Path) -> None:
    """Print what each model scores on each file with neighbors, and mean ± standard deviation, in percent."""
    for path in files:
        found = []
        for model in models:
            command = ("evaluate", model, str(path), "--neighbors", str(neighbors), "--json")
            print("$ gatewise " + shlex.join(command), flush=True)
            done = subprocess.run(
                [sys.executable, "-m", "gatewise", *command], cwd=work, check=True, stdout=subprocess.PIPE, text=True
            )
            found.append(100 * json.loads(done.stdout)["F1"])
        each = ", ".join(f"{score:.2f}" for score in found)
        spread = f" ± {stdev(found):.2f}" if len(found) > 1 else ""
        print(f"{path.name}, neighbors {neighbors}: F1 {mean(found):.2f}{spread} ({each})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=sorted(ROWS))
    parser.add_argument("--data", type=Path, required=True, help="the folder of the corpora")
    parser.add_argument("--work", type=Path, required=True, help="the folder to work in")
    parser.add_argument("--set", action="append", default=[], help="a setting, such as training.threads=1")
    asked = parser.parse_args(arguments)
    made, data, work = ROWS[asked.row], asked.data.resolve(), asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if made.teachers:
        further = [part for one in asked.set for part in ("--set", one)]
        main([made.teachers, "--data", str(data), "--work", str(work), *further])
    for name in made.vectors:
        make_vectors(name, data, work)
    for name, packed, every in made.thinned:
        thin(name, data / packed, every, work)
    train, dev = (data / made.train, data / made.dev) if made.dev else hold_out(data / made.train, work)
    if made.words:
        train, dev = in_convention(made, data, work)
    files = [str(train), "--dev", str(dev), "--test", str(data / made.test)]
    recipe = RECIPES / f"{asked.row}.toml"
    settings = [part for one in (*head_files(recipe, data, work), *asked.set) for part in ("--set", one)]
    seeds = ("--seeds", str(made.seeds)) if made.seeds > 1 else ()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(work, "train", *files, "--config", str(recipe), "-o", asked.row, *seeds, "--resume", *settings)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    print(f"CPU seconds of one training, scoring included: {spent / made.seeds:.0f}")
    if made.neighbors:
        models = [f"{asked.row}/seed-{number}" for number in range(1, made.seeds + 1)]
        score_running_text(models, (dev, data / made.test), made.neighbors, work)


if __name__ == "__main__":
    main()
