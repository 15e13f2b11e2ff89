"""A whole training run: labeled files in, a model folder out, scored by the runtime that users will run.

In: a configuration and paths. Out: the folder, and a `RunResult` with the scores on dev and test. The scores are
taken from the saved folder, through the exported graph, not from torch. A run has a folder of its own beside the
model's (ADR 0007): while it lasts its state is there, from which it can go on, and its metrics and report stay.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

import gatewise
from gatewise.errors import TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.answers import read_gold
from gatewise.model.archive import CARD_FILE, check_target, save_model
from gatewise.model.card import TrainingFacts, format_card
from gatewise.model.config import Config
from gatewise.model.corpus import read_corpus, resolve_config
from gatewise.model.given import Data
from gatewise.model.label_facts import label_facts
from gatewise.model.scoring import Scores
from gatewise.runtime.evaluate import evaluate_file
from gatewise.runtime.tagger import load
from gatewise.text.sentence import Sentence
from gatewise.training.distributed import process_group
from gatewise.training.events import Listener, Listeners
from gatewise.training.export import onnx_graph
from gatewise.training.loop import TrainedTagger, device_of, never, train_tagger
from gatewise.training.prepare import prepare
from gatewise.training.report_data import RunFacts
from gatewise.training.run_log import RunLog

CHECKPOINT_FILE = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The labeled files of a run, or sentences in memory; `columns` says how column files are laid out."""

    train: Data
    dev: Data | None = None
    test: Data | None = None
    columns: Sequence[str] = DEFAULT_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run leaves behind; `scores` maps dev and test to what the saved model scores there.

    `report` is the page about the run, in the run folder.
    """

    folder: Path
    report: Path
    config: Config
    facts: TrainingFacts
    scores: dict[str, Scores]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The splits of a run, read, and the configuration they decided."""

    config: Config
    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence] = field(default_factory=list)

    @property
    def splits(self) -> dict[str, list[Sentence]]:
        """The splits that are there, by name, without their empty sentences."""
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        return {name: [s for s in split if len(s)] for name, split in named.items() if split}


def read_splits(config: Config, files: Files) -> Corpus:
    """Read all files, and decide what the configuration left to the data.

    Raises FormatError, ConfigError or TrainingError, before any time is spent on training.
    """
    config = resolve_config(config, files.train, files.columns)
    splits: dict[str, list[Sentence]] = {}
    for name, path in (("train", files.train), ("dev", files.dev), ("test", files.test)):
        splits[name] = list(read_corpus(path, config.task, files.columns)) if path else []
        if path and not any(map(len, splits[name])):
            raise TrainingError(f"{path}: expected at least one sentence, found none; check the path and the format")
    if files.test is not None:
        read_gold(files.test, config.task, files.columns)
    if files.dev:
        _expect_known_labels(files, splits["train"], splits["dev"], config.task.scheme)
    return Corpus(config=config, **splits)


def _expect_known_labels(files: Files, train: list[Sentence], dev: list[Sentence], scheme: str) -> None:
    """Labels that only dev has can never be right; when it has no others, something is wrong with the files."""
    known, wanted = label_facts(train, scheme).counts, label_facts(dev, scheme).counts
    if wanted and not set(wanted) & set(known):
        raise TrainingError(
            f"{files.dev}: expected labels that {files.train} has ({_first(known)}), found only others"
            f" ({_first(wanted)}); check that both files are of one corpus and --columns names the same column"
        )


def _first(labels: Iterable[str], count: int = 8) -> str:
    names = list(labels)
    return ", ".join(names[:count]) + (", …" if len(names) > count else "") or "none"


def run_folder(folder: str | Path) -> Path:
    """Where a run keeps its state: `NAME.run` beside the model folder `NAME`."""
    target = Path(os.path.abspath(folder))
    return target.with_name(target.name + ".run")


def run_training(
    corpus: Corpus,
    files: Files,
    folder: str | Path,
    listener: Listener | None = None,
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = never,
    should_end: Callable[[], bool] = never,
) -> RunResult | None:
    """Train on a corpus that was read, save the model, score it on dev and test, and write its card.

    With `resume` a run that was stopped or killed goes on from its checkpoint; without one it starts anew. Of several
    processes (see `training.distributed`) only the first saves and has a result, the others have None.
    Raises ModelError, before any time is spent on training, when the folder is taken, and TrainingError when a
    checkpoint is in the way.
    """
    check_target(folder)
    checkpoint = run_folder(folder) / CHECKPOINT_FILE
    if checkpoint.exists() and not resume:
        raise TrainingError(
            f"{checkpoint}: expected no unfinished run, found one; go on with --resume, or delete {checkpoint.parent}"
        )
    prepared = prepare(corpus.config, corpus.train, corpus.dev)
    with ExitStack() as stack:
        group = stack.enter_context(process_group(device_of(prepared.config.training)))
        log = None
        if group.is_first:
            log = stack.enter_context(closing(_run_log(corpus, prepared.config, folder, resume=resume)))
        trained = train_tagger(
            prepared,
            Listeners(*(one for one in (listener, log) if one is not None and group.is_first)),
            checkpoint=checkpoint,
            resume=resume,
            group=group,
            should_stop=should_stop,
            should_end=should_end,
        )
        if log is None:
            return None
        facts, scores = _save(trained, corpus, files, Path(folder))
        log.finish(scores, best_epoch=trained.best_epoch, seconds=trained.seconds)
    checkpoint.unlink(missing_ok=True)
    return RunResult(folder=Path(folder), report=log.report, config=prepared.config, facts=facts, scores=scores)


def _run_log(corpus: Corpus, config: Config, folder: str | Path, *, resume: bool) -> RunLog:
    facts = RunFacts(name=Path(os.path.abspath(folder)).name, config=config, splits=corpus.splits)
    return RunLog(run_folder(folder), facts, resume=resume)


def _save(
    trained: TrainedTagger, corpus: Corpus, files: Files, folder: Path
) -> tuple[TrainingFacts, dict[str, Scores]]:
    """The model folder, scored as its users will run it."""
    prepared, config = trained.prepared, trained.prepared.config
    arrays = {name: array.numpy().astype(np.dtype(config.archive.numbers)) for name, array in trained.arrays.items()}
    facts = _facts(trained, corpus)
    save_model(
        folder,
        config=config,
        scheme=config.task.scheme,
        labels=prepared.labels,
        vocabularies=prepared.vocabularies,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card=format_card(config, facts, {}),
        facts=label_facts(corpus.train, config.task.scheme),
    )
    tagger = load(folder)
    splits = {"dev": files.dev, "test": files.test}
    scores = {name: evaluate_file(tagger, path, files.columns) for name, path in splits.items() if path is not None}
    (folder / CARD_FILE).write_text(format_card(config, facts, scores), encoding="utf-8")
    return facts, scores


def _facts(trained: TrainedTagger, corpus: Corpus) -> TrainingFacts:
    splits, vectors = {"train": corpus.train, "dev": corpus.dev}, trained.prepared.vectors
    return TrainingFacts(
        date=date.today().isoformat(),
        version=gatewise.__version__,
        splits={name: (len(split), sum(map(len, split))) for name, split in splits.items() if split},
        best_epoch=trained.best_epoch,
        seconds=trained.seconds,
        parameters=sum(array.numel() for array in trained.arrays.values()),
        num_tags=len(trained.prepared.labels),
        vectors=(len(vectors.ids), vectors.entries) if vectors is not None else None,
    )
