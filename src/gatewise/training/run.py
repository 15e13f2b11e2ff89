"""A whole training run: labeled files in, a model folder out, scored by the runtime that users will run.

In: a configuration and paths. Out: the folder, and a `RunResult` with the scores on dev and test. The scores are
taken from the saved folder, through the exported graph, not from torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

import gatewise
from gatewise.errors import TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.archive import CARD_FILE, check_target, save_model
from gatewise.model.card import TrainingFacts, format_card
from gatewise.model.config import Config
from gatewise.model.corpus import read_corpus, resolve_config
from gatewise.model.label_facts import label_facts
from gatewise.model.scoring import Scores
from gatewise.runtime.evaluate import evaluate_file
from gatewise.runtime.tagger import load
from gatewise.text.sentence import Sentence
from gatewise.training.events import Listener
from gatewise.training.export import onnx_graph
from gatewise.training.loop import TrainedTagger, train_tagger
from gatewise.training.prepare import prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The labeled files of a run; `columns` says how column files are laid out."""

    train: Path
    dev: Path | None = None
    test: Path | None = None
    columns: Sequence[str] = DEFAULT_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run leaves behind; `scores` maps dev and test to what the saved model scores there."""

    folder: Path
    config: Config
    facts: TrainingFacts
    scores: dict[str, Scores]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The splits of a run, read, and the configuration they decided."""

    config: Config
    train: list[Sentence]
    dev: list[Sentence]


def read_splits(config: Config, files: Files) -> Corpus:
    """Read train and dev, and decide what the configuration left to the data.

    Raises FormatError, ConfigError or TrainingError, before any time is spent on training.
    """
    config = resolve_config(config, files.train, files.columns)
    train = list(read_corpus(files.train, config.task, files.columns))
    dev = list(read_corpus(files.dev, config.task, files.columns)) if files.dev else []
    for path, split in ((files.train, train), *([(files.dev, dev)] if files.dev else [])):
        if not any(len(sentence) for sentence in split):
            raise TrainingError(f"{path}: expected at least one sentence, found none; check the path and the format")
    return Corpus(config=config, train=train, dev=dev)


def run_training(corpus: Corpus, files: Files, folder: str | Path, listener: Listener | None = None) -> RunResult:
    """Train on a corpus that was read, save the model, score it on dev and test, and write its card.

    Raises ModelError, before any time is spent on training, when the folder is taken.
    """
    check_target(folder)
    prepared = prepare(corpus.config, corpus.train, corpus.dev)
    trained = train_tagger(prepared, listener)
    config = prepared.config
    number_type = np.dtype(corpus.config.archive.numbers)
    arrays = {name: array.numpy().astype(number_type) for name, array in trained.arrays.items()}
    facts = _facts(trained, corpus)
    save_model(
        folder,
        config=config,
        scheme=config.task.scheme,
        labels=prepared.labels,
        tokens=prepared.tokens,
        bigrams=prepared.bigrams,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card=format_card(config, facts, {}),
        facts=label_facts(corpus.train, config.task.scheme),
    )
    tagger = load(Path(folder))
    splits = {"dev": files.dev, "test": files.test}
    scores = {name: evaluate_file(tagger, path, files.columns) for name, path in splits.items() if path is not None}
    (Path(folder) / CARD_FILE).write_text(format_card(config, facts, scores), encoding="utf-8")
    return RunResult(folder=Path(folder), config=config, facts=facts, scores=scores)


def _facts(trained: TrainedTagger, corpus: Corpus) -> TrainingFacts:
    splits = {"train": corpus.train, "dev": corpus.dev}
    return TrainingFacts(
        date=date.today().isoformat(),
        version=gatewise.__version__,
        splits={name: (len(split), sum(map(len, split))) for name, split in splits.items() if split},
        best_epoch=trained.best_epoch,
        seconds=trained.seconds,
        parameters=sum(array.numel() for array in trained.arrays.values()),
        num_tags=len(trained.prepared.labels),
    )
