"""A search for good settings: one training after the other, each with settings that the results so far suggest.

In: a corpus, a configuration, a space. Out: a `Search`, all trials and the best configuration, which is also kept in
the study's folder as TOML. Each trial is seeded by how many there were before it, so that a search that was killed and
resumed takes the very trials that it would have taken. Sampler: tree-structured Parzen estimators (Bergstra 2011), as
Optuna has them; trials that are worse than the median of the others after as many epochs are stopped (Golovin 2017).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import optuna
import tomli_w
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from gatewise.errors import TrainingError
from gatewise.formats.target import appearing
from gatewise.model.config import Config
from gatewise.model.labeled import labeled_for
from gatewise.training.events import BatchReport, EpochReport
from gatewise.training.loop import train_tagger
from gatewise.training.prepare import prepare
from gatewise.training.space import Choices, Range, Space, changed, value_of
from gatewise.training.splits import Corpus
from gatewise.training.stopping import DivergedError, StoppedError, never
from gatewise.training.study import Trial, counted, open_study
from gatewise.training.teachers import Lessons

BEST_FILE = "best.toml"
RANDOM_TRIALS = 8  # before the sampler has enough to go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a study holds: its trials in order, and the configuration of the best; `stopped` when it was asked to."""

    trials: tuple[Trial, ...]
    best: Trial | None
    config: Config | None
    folder: Path
    stopped: bool


class Watcher(Protocol):
    """Whoever wants to see a search go on."""

    def on_trial(self, number: int) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...

    def on_result(self, trial: Trial, *, is_best: bool) -> None: ...


def search(
    corpus: Corpus,
    config: Config,
    space: Space,
    folder: Path,
    watcher: Watcher,
    *,
    trials: int,
    timeout: float | None = None,
    resume: bool = False,
    should_stop: Callable[[], bool] = never,
) -> Search:
    """Take trials until the study has `trials` of them, or `timeout` seconds are over when one ends.

    The first trial has the settings of `config`, where the space holds them. Raises TrainingError without dev sentences
    and for a folder that is in the way (see `open_study`).
    """
    if not labeled_for(corpus.dev):
        raise TrainingError("tuning: expected dev sentences, by which settings are compared, found none; give --dev")
    began = time.monotonic()
    prepared = prepare(corpus.config, corpus.train, corpus.dev, columns=corpus.columns)
    of, lessons = {"space": space.to_dict(), "configuration or data": prepared.fingerprint()}, prepared.lessons
    del prepared  # each trial has its own
    with open_study(folder, of=of, resume=resume) as study:
        found = read_trials(study, space)
        while len(found) < trials and not (timeout is not None and time.monotonic() - began >= timeout):
            watcher.on_trial(len(found) + 1)
            if should_stop() or not _take_trial(study, corpus, lessons, space, watcher, should_stop):
                break
            found = read_trials(study, space)
            best = best_of(found)
            is_best = best is not None and best.number == len(found)
            if best is not None and is_best:
                _keep(folder, best, config)
            watcher.on_result(found[-1], is_best=is_best)
        best = best_of(found)
        if best is not None:
            _keep(folder, best, config)  # a kill may have come between a result and its file
        return Search(
            trials=tuple(found),
            best=best,
            config=None if best is None else changed(config, best.values, where="the best trial"),
            folder=folder,
            stopped=should_stop(),
        )


def read_trials(study: optuna.Study, space: Space) -> list[Trial]:
    """The trials that count."""
    return [_trial(number, trial, space) for number, trial in enumerate(counted(study), start=1)]


def best_of(trials: list[Trial]) -> Trial | None:
    """The complete trial with the best score, the first of equals."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.score is not None]
    return max(complete, key=lambda trial: trial.score or 0.0, default=None)


def _trial(number: int, trial: FrozenTrial, space: Space) -> Trial:
    scores = trial.intermediate_values
    return Trial(
        number=number,
        state="complete" if trial.state == TrialState.COMPLETE else "pruned",
        score=max(scores.values(), default=None),
        epochs=len(scores),
        seconds=trial.user_attrs.get("seconds", 0.0),
        values=space.values(trial.params),
        why=trial.user_attrs.get("why", ""),
    )


def _take_trial(
    study: optuna.Study,
    corpus: Corpus,
    lessons: Lessons | None,
    space: Space,
    watcher: Watcher,
    should_stop: Callable[[], bool],
) -> bool:
    """Train once and put the result into the study; False when it was asked to stop, and the trial does not count.

    Teachers, where there are some, are not asked again for each trial: `lessons` is what they said.
    """
    trial = _ask(study, corpus.config, space)
    config = changed(corpus.config, space.values(trial.params), where="trial")
    began, state, why = time.perf_counter(), TrialState.FAIL, ""
    score: float | None = None
    try:
        prepared = prepare(config, corpus.train, corpus.dev, columns=corpus.columns, lessons=lessons)
        score = train_tagger(prepared, _Reporter(trial, watcher), should_stop=should_stop).dev_score
        state = TrialState.COMPLETE
    except optuna.TrialPruned:
        state, why = TrialState.PRUNED, "below the median"
    except DivergedError:
        state, why = TrialState.PRUNED, "diverged"
    except torch.OutOfMemoryError:
        state, why = TrialState.PRUNED, "out of memory"
    except StoppedError:
        pass
    finally:
        trial.set_user_attr("seconds", round(time.perf_counter() - began, 3))
        trial.set_user_attr("why", why)
        study.tell(trial, score, state=state)
    counts: bool = state != TrialState.FAIL
    return counts


def _ask(study: optuna.Study, config: Config, space: Space) -> optuna.Trial:
    done = len(counted(study))
    name = f"{config.training.seed}/{done}"
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest())
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if not done and not waiting:
        given = {key: value_of(config, key) for key in space}
        held = {key: value for key, value in given.items() if value is not None and space.dimensions[key].holds(value)}
        study.enqueue_trial(held)
    distributions = {key: _distribution(dimension) for key, dimension in space.dimensions.items()}
    asked: optuna.Trial = study.ask(distributions)
    return asked


def _distribution(dimension: Range | Choices) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        step = int(dimension.step) if dimension.step else 1
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


class _Reporter:
    """Tells the study of each epoch, and ends the trial when it is worse than the others were."""

    def __init__(self, trial: optuna.Trial, watcher: Watcher) -> None:
        self._trial, self._watcher = trial, watcher

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None:
        self._trial.report(report.dev_score or 0.0, report.epoch)
        self._watcher.on_epoch(report)
        if report.epoch < report.epochs and self._trial.should_prune():
            raise optuna.TrialPruned


def _keep(folder: Path, best: Trial, config: Config) -> None:
    """The best configuration as TOML: what was given and is not the default, and everything that was searched."""
    defaults, table = asdict(Config()), dict[str, Any]()
    for name, entry in changed(config, best.values, where="the best trial").to_dict().items():
        if isinstance(entry, dict):
            said = {
                key: value
                for key, value in entry.items()
                if value != defaults[name].get(key)
                or any(f"{part}.".startswith(f"{name}.{key}.") for part in best.values)
            }
            table |= {name: said} if said else {}
        elif entry != defaults[name]:
            table[name] = entry
    head = f"# Trial {best.number} of a search with gatewise tune; best score on dev: {best.score:.2f}\n\n"
    with appearing(folder / BEST_FILE) as stream:
        stream.write((head + tomli_w.dumps(table)).encode())
