"""A whole training run: labeled files in, a model folder out, scored by the runtime that users will run.

In: a configuration and paths. Out: the folder, and a `RunResult` with the scores on dev and test. The scores, and the
temperature that dev suggests (ADR 0022), are taken from the saved folder, through the exported graph, not from torch. A
run has a folder of its own beside the model's (ADR 0007): while it lasts its state is there, from which it can go on,
and its metrics and report stay.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from gatewise.errors import TrainingError
from gatewise.model.archive import check_target, save_model
from gatewise.model.calibrated import store_temperature
from gatewise.model.calibration import CalibrationChange
from gatewise.model.card import TrainingFacts, format_card
from gatewise.model.config import Config
from gatewise.model.heads import MAIN_HEAD, ModelHead, task_of
from gatewise.model.label_facts import label_facts
from gatewise.model.labeled import labeled_for
from gatewise.model.numbers import stored
from gatewise.model.scoring import Scores
from gatewise.runtime.calibration import calibrate
from gatewise.runtime.evaluate import evaluate_file
from gatewise.runtime.tagger import Tagger, load
from gatewise.training.annotation import labeled_sentences
from gatewise.training.choose_numbers import Storage, choose_numbers
from gatewise.training.distributed import process_group
from gatewise.training.events import Listener, Listeners, TeacherListener
from gatewise.training.export import onnx_graph
from gatewise.training.facts import training_facts
from gatewise.training.loop import TrainedTagger, train_tagger
from gatewise.training.place import device_of
from gatewise.training.prepare import Prepared, prepare
from gatewise.training.report_data import RunFacts
from gatewise.training.run_log import RunLog
from gatewise.training.splits import Corpus, Files, readings_of
from gatewise.training.stopping import StoppedError, never

CHECKPOINT_FILE = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run leaves behind; `scores` maps dev and test to what the saved model scores there, `head_scores` does so
    for each further head.

    `calibrations` maps dev and test to what the temperature that was fitted on dev changes there, and is empty without
    dev; `doubt` says why the temperature stayed 1. `report` is the page about the run, in the run folder.
    """

    folder: Path
    report: Path
    config: Config
    facts: TrainingFacts
    scores: dict[str, Scores]
    head_scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    calibrations: dict[str, CalibrationChange] = field(default_factory=dict)
    doubt: str = ""


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
    """Train on a corpus that was read, save the model, calibrate it on dev, score it on dev and test, write its card.

    With `resume` a run that was stopped or killed goes on from its checkpoint; without one it starts anew. Of several
    processes (see `training.distributed`) only the first saves and has a result, the others have None.
    Raises ModelError, before any time is spent on training, when the folder is taken, TrainingError when a
    checkpoint is in the way, StoppedError when asked to stop.
    """
    check_target(folder)
    checkpoint = run_folder(folder) / CHECKPOINT_FILE
    if checkpoint.exists() and not resume:
        raise TrainingError(
            f"{checkpoint}: expected no unfinished run, found one; go on with --resume, or delete {checkpoint.parent}"
        )

    def on_answers(share: float) -> None:
        if should_stop():
            left = "go on with --resume" if checkpoint.exists() else "nothing was saved"
            raise StoppedError(f"stopped before training, with {share:.0%} of the teachers' answers; {left}")
        if isinstance(listener, TeacherListener):
            listener.on_answers(share)

    prepared = prepare(corpus.config, corpus.train, corpus.dev, columns=corpus.columns, on_answers=on_answers)
    with ExitStack() as stack:
        group = stack.enter_context(process_group(device_of(prepared.config.training)))
        log = None
        if group.is_first:
            log = stack.enter_context(closing(_run_log(corpus, prepared, folder, resume=resume)))
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
        result = _saved(trained, corpus, files, Path(folder), report=log.report)
        log.finish(
            result.scores,
            head_scores=result.head_scores,
            calibrations=result.calibrations,
            best_epoch=trained.best_epoch,
            seconds=trained.seconds,
        )
    checkpoint.unlink(missing_ok=True)
    return result


def _run_log(corpus: Corpus, prepared: Prepared, folder: str | Path, *, resume: bool) -> RunLog:
    lessons = prepared.lessons
    facts = RunFacts(
        name=Path(os.path.abspath(folder)).name,
        config=prepared.config,
        splits=corpus.splits_of(MAIN_HEAD),
        trained_on=[*labeled_sentences(corpus.train), *(() if lessons is None else lessons.raw)],
        distilled=None if lessons is None else lessons.distilled,
    )
    return RunLog(run_folder(folder), facts, resume=resume)


def _saved(trained: TrainedTagger, corpus: Corpus, files: Files, folder: Path, *, report: Path) -> RunResult:
    """The model folder, calibrated and scored as its users will run it."""
    storage = choose_numbers(trained.prepared.config.archive.numbers, partial(_dev_score, trained, corpus, files))
    config, facts = _decided(trained, storage), replace(training_facts(trained, corpus), numbers_scores=storage.scores)
    _save(trained, corpus, folder, storage, card=format_card(config, facts, {}))
    tagger = load(folder)
    by_head = score_model(tagger, config, files)
    scores = by_head.pop(MAIN_HEAD, {})
    temperature, doubt, calibrations = _calibrated(tagger, corpus)
    card = format_card(config, facts, scores, calibrations, head_scores=by_head)
    store_temperature(folder, temperature, card)
    return RunResult(
        folder=folder,
        report=report,
        config=config,
        facts=facts,
        scores=scores,
        head_scores=by_head,
        calibrations=calibrations,
        doubt=doubt,
    )


def _calibrated(tagger: Tagger, corpus: Corpus) -> tuple[float, str, dict[str, CalibrationChange]]:
    """The temperature that dev suggests for the main head, a doubt, and what it changes, by split; 1 without dev."""
    splits = {name: split for name, split in corpus.splits_of(MAIN_HEAD).items() if name != "train"}
    if "dev" not in splits:
        return 1.0, "", {}
    chosen, changes = calibrate(tagger, splits)
    return chosen.temperature, chosen.doubt, changes


def _decided(trained: TrainedTagger, storage: Storage) -> Config:
    config = trained.prepared.config
    return replace(config, archive=replace(config.archive, numbers=storage.numbers))


def _dev_score(trained: TrainedTagger, corpus: Corpus, files: Files, storage: Storage) -> float | None:
    """What the model, stored like this, scores on the main head's dev file; None where there is none."""
    config = _decided(trained, storage)
    reading = next((found for found in readings_of(config, files, "dev") if found.head == MAIN_HEAD), None)
    if reading is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        _save(trained, corpus, folder, storage, card="")
        return evaluate_file(load(folder), reading.path, reading.columns, head=MAIN_HEAD).main


def _save(trained: TrainedTagger, corpus: Corpus, folder: Path, storage: Storage, *, card: str) -> None:
    """The model folder, at temperature 1."""
    prepared, config = trained.prepared, _decided(trained, storage)
    arrays = stored(config, {name: array.numpy() for name, array in trained.arrays.items()}, storage.reach)
    save_model(
        folder,
        config=config,
        scheme=config.task.scheme,
        labels=prepared.labels,
        vocabularies=prepared.vocabularies,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card=card,
        facts=label_facts(labeled_for(corpus.train), config.task.scheme),
        heads={name: _model_head(name, head.labels, corpus) for name, head in prepared.heads.items()},
        distilled=None if prepared.lessons is None else prepared.lessons.distilled,
    )


def score_model(tagger: Tagger, config: Config, files: Files) -> dict[str, dict[str, Scores]]:
    """What a saved model scores on the dev and test files of the run, by head and split."""
    found: dict[str, dict[str, Scores]] = {}
    for split in ("dev", "test"):
        for reading in readings_of(config, files, split):
            scores = evaluate_file(tagger, reading.path, reading.columns, head=reading.head)
            found.setdefault(reading.head, {})[split] = scores
    return found


def _model_head(name: str, labels: tuple[str, ...], corpus: Corpus) -> ModelHead:
    settings = corpus.config.heads[name]
    return ModelHead(
        name=name,
        task=task_of(settings, corpus.config.task),
        output=settings.output,
        labels=labels,
        facts=label_facts(labeled_for(corpus.train, name), settings.scheme),
    )
