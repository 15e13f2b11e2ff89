"""How fast training is, beside Flair and beside the bare kernels of torch, at the same sizes and batches.

    python benchmarks/train_speed.py RESUME_TRAIN.tsv [--flair PYTHON] [--batches 16,32] [--threads 0] [--rounds 3]

A BiLSTM-CRF of 200 units a direction that reads 192 numbers a token (characters and bigrams, 64 each). Every trainer
runs whole epochs in a process of its own; rounds take turns: gatewise, Flair, kernels, gatewise, … What is counted of
gatewise is all that training does, from the batches' order to the averaged weights; encoding, done once, is in its
first epoch. The kernels are one bidirectional nn.LSTM, forward and backward, on random tensors of the lengths that
gatewise's batches have, and nothing else. Tokens are real ones, padding is never counted. `--threads 0` is what each
takes by itself, `--threads 1,2` measures both counts for all.

`--flair` names the Python of an environment that has Flair, which can be one apart. There it trains its SequenceTagger
with its ModelTrainer and Adam, on trained vectors of 192 numbers a character without bigrams: the same LSTM and fewer
vectors to look up. `--flair-sentences 1000` trains it on the first thousand sentences only. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

INPUT, HIDDEN, SEED = 192, 200, 1
Found = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a child trains on and how; `threads` 0: its own choice, `sentences` 0: all (only Flair is ever cut)."""

    path: str
    batch: int
    threads: int
    epochs: int
    sentences: int


def prepared(job: Job) -> Any:
    """The file as gatewise trains on it, all defaults but the job's, and how long encoding took."""
    from gatewise.model.config_reading import config_from_dict
    from gatewise.model.corpus import read_corpus, resolve_config
    from gatewise.training.prepare import prepare

    settings = {
        "batch_size": job.batch,
        "threads": job.threads,
        "epochs": job.epochs,
        "patience": job.epochs,
        "seed": SEED,
    }
    config = resolve_config(config_from_dict({"training": settings}, where="benchmark"), Path(job.path))
    sentences = list(read_corpus(Path(job.path), config.task))
    began = time.perf_counter()
    return prepare(config, sentences), time.perf_counter() - began


class Clock:
    """The seconds of each epoch, from the end of the last one."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = time.perf_counter()

    def on_epoch(self, report: object) -> None:  # noqa: ARG002 - the signature of a listener
        now = time.perf_counter()
        self.seconds.append(now - self._began)
        self._began = now


def gatewise(job: Job) -> Found:
    import gatewise as package
    from gatewise.training.events import Silence
    from gatewise.training.loop import train_tagger

    class Watch(Clock, Silence):
        """Silent but for the clock."""

    corpus, encoding = prepared(job)
    clock = Watch()
    train_tagger(corpus, clock)
    clock.seconds[0] += encoding
    return {"tokens": sum(corpus.train.lengths), "seconds": clock.seconds, "version": package.__version__}


def kernels(job: Job) -> Found:
    import torch

    from gatewise.training.batches import cut_batches

    corpus, _ = prepared(job)
    torch.set_num_threads(job.threads or torch.get_num_threads())
    lengths, cap = corpus.train.lengths, corpus.config.training.batch_tokens
    lstm = torch.nn.LSTM(INPUT, HIDDEN, bidirectional=True)
    inputs, gradients = torch.randn(cap, INPUT), torch.randn(cap, 2 * HIDDEN)  # no sentence is as long
    clock = Clock()
    for epoch in range(1, job.epochs + 1):
        for rows in cut_batches(lengths, size=job.batch, max_tokens=cap, shuffle=random.Random(f"{SEED}/{epoch}")):
            shape = (max(lengths[row] for row in rows), len(rows), -1)
            places = shape[0] * shape[1]
            x = inputs[:places].view(shape).requires_grad_()
            lstm(x)[0].backward(gradients[:places].view(shape))
            lstm.zero_grad()
        clock.on_epoch(None)
    return {"tokens": sum(lengths), "seconds": clock.seconds, "version": torch.__version__}


def flair(job: Job) -> Found:
    import torch
    from flair import __version__
    from flair.data import Corpus
    from flair.datasets import ColumnDataset
    from flair.embeddings import OneHotEmbeddings
    from flair.models import SequenceTagger
    from flair.trainers import ModelTrainer
    from flair.trainers.plugins import TrainerPlugin

    class Watch(TrainerPlugin, Clock):
        def __init__(self) -> None:
            TrainerPlugin.__init__(self)
            Clock.__init__(self)

        @TrainerPlugin.hook
        def before_training_epoch(self, **_: object) -> None:
            self._began = time.perf_counter()

        @TrainerPlugin.hook
        def after_training_epoch(self, **_: object) -> None:
            self.on_epoch(None)

    torch.set_num_threads(job.threads or torch.get_num_threads())
    sentences = list(ColumnDataset(job.path, {0: "text", 1: "ner"}, column_delimiter="\t"))[: job.sentences or None]
    corpus = Corpus(train=sentences, sample_missing_splits=False)
    vectors = OneHotEmbeddings.from_corpus(corpus, min_freq=1, embedding_length=INPUT)
    tags = corpus.make_label_dictionary("ner", add_unk=False)
    tagger = SequenceTagger(vectors, tags, "ner", hidden_size=HIDDEN, reproject_embeddings=False)
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        ModelTrainer(tagger, corpus).train(
            folder,
            learning_rate=0.001,
            optimizer=torch.optim.Adam,
            mini_batch_size=job.batch,
            max_epochs=job.epochs,
            save_final_model=False,
            create_file_logs=False,
            create_loss_file=False,
            plugins=[watch],
        )
    return {"tokens": sum(map(len, sentences)), "seconds": watch.seconds, "version": __version__}


TRAINERS: dict[str, Callable[[Job], Found]] = {
    "gatewise": gatewise,
    "Flair": flair,
    "kernels": kernels,
}


def measure(name: str, python: str, job: Job) -> Found:
    """What one child found; the last line that it prints. Threads wait as `gatewise train` makes them wait."""
    command = [python, __file__, "--child", name, json.dumps(asdict(job))]
    waits = {"GOMP_SPINCOUNT": "2000"} if name == "gatewise" else {}
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **waits}).stdout
    found: Found = json.loads(printed.splitlines()[-1])
    first, *later = found["seconds"]
    speed = found["tokens"] * len(later) / sum(later)
    return {"first": found["tokens"] / first, "later": speed, "version": found["version"]}


def compare(pythons: dict[str, str], job: Job, rounds: int) -> dict[str, str]:
    """Print the rows of a batch size and a number of threads; returns the versions."""
    found: list[dict[str, Found]] = []
    for number in range(1, rounds + 1):
        found.append({})
        for name, python in pythons.items():
            one = measure(name, python, replace(job, epochs=2) if name == "Flair" else job)
            found[-1][name] = one
            print(f"round {number}, {name}, batch {job.batch}: {one['later']:,.0f} tokens/s", file=sys.stderr)
    for name in pythons:
        first, later = (sorted(one[name][which] for one in found) for which in ("first", "later"))
        ratio = statistics.median(one["gatewise"]["later"] / one[name]["later"] for one in found)
        print(
            f"| {job.batch} | {job.threads or 'own choice'} | {name} | {statistics.median(first):,.0f} |"
            f" {statistics.median(later):,.0f} ({later[0]:,.0f}–{later[-1]:,.0f}) | {ratio:.2f} |",
            flush=True,
        )
    return {name: found[-1][name]["version"] for name in pythons}


def processor() -> str:
    """The processor's name, where the system tells it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print("\n" + json.dumps(TRAINERS[sys.argv[2]](Job(**json.loads(sys.argv[3])))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--flair", metavar="PYTHON")
    parser.add_argument("--flair-sentences", type=int, default=0, help="train Flair on so many; 0: on all")
    parser.add_argument("--batches", default="16,32")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--epochs", type=int, default=4, help="of gatewise and the kernels, at least 2; Flair has 2")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pythons = {"gatewise": sys.executable, "Flair": options.flair, "kernels": sys.executable}
    pythons = {name: python for name, python in pythons.items() if python}
    print("| batch | threads | | tokens/s, first epoch | tokens/s, later epochs | gatewise / it |")
    print("|---:|---:|---|---:|---:|---:|")
    versions: dict[str, str] = {}
    for batch in map(int, options.batches.split(",")):
        for threads in map(int, options.threads.split(",")):
            job = Job(
                path=str(options.train),
                batch=batch,
                threads=threads,
                epochs=options.epochs,
                sentences=options.flair_sentences,
            )
            versions = compare(pythons, job, options.rounds)
    named = ", ".join(f"{name if name != 'kernels' else 'torch'} {version}" for name, version in versions.items())
    print(f"\nMedian of {options.rounds} rounds (lowest–highest). {named}; Python {platform.python_version()};")
    print(f"{os.cpu_count()} cores, {processor()}.")


if __name__ == "__main__":
    main()
