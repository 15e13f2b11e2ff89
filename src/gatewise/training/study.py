"""A study on disk: a folder with Optuna's journal, from which a search goes on after it was killed at any moment.

In: a folder, and what is searched over what data. Out: a `Study`, held by one process at a time. The journal is a file
that is only ever appended to (ADR 0016); a line that was cut by a kill or a full disk is taken off before it is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from gatewise.errors import TrainingError

JOURNAL_FILE = "journal.jsonl"
NAME = "gatewise"
FIRST_TRIALS = 5  # that run to their end before others are compared with their median
FIRST_EPOCHS = 2  # that are never the last of a trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One training of a study. `number` counts the trials that were not broken off, from 1.

    `state`: `complete`, or `pruned`: stopped early because it was worse than the median, or because it could not go on
    (`why`). `score` is the best on dev, in percent, None when there is none; `values` are the settings by key.
    """

    number: int
    state: str
    score: float | None
    epochs: int
    seconds: float
    values: dict[str, Any]
    why: str = ""


@contextmanager
def open_study(folder: Path, *, of: dict[str, Any], resume: bool) -> Iterator[optuna.Study]:
    """The study of a folder, a new one where there is none; `of` says what it is about, and must not change.

    Trials that another process left unfinished are marked as failed. Raises TrainingError when there is a study and
    `resume` is false, when it is about something else, when another process has it, or when the folder is none.
    """
    journal = folder / JOURNAL_FILE
    if journal.exists() and not resume:
        raise TrainingError(f"{folder}: expected no study, found one; go on with --resume, or choose another folder")
    if not journal.exists() and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(f"{folder}: expected no folder or a study to go on with, found other files")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _held(folder), _quiet():
            _mend(journal)
            yield _study(journal, of)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be written ({error.strerror}); check the path and the disk") from error


def counted(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have a result, in order; those that were broken off do not count."""
    found: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return found


def _study(journal: Path, of: dict[str, Any]) -> optuna.Study:
    backend = JournalFileBackend(str(journal), lock_obj=JournalFileOpenLock(str(journal)))
    try:
        study = optuna.create_study(
            storage=JournalStorage(backend),
            study_name=NAME,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=FIRST_EPOCHS + 1),
        )
    except (ValueError, KeyError) as error:
        raise TrainingError(f"{journal}: expected Optuna's journal, found a damaged file ({error})") from error
    for number in [trial.number for trial in study.trials if trial.state == TrialState.RUNNING]:
        study.tell(number, state=TrialState.FAIL)
    for key, value in json.loads(json.dumps(of)).items():
        before = study.user_attrs.get(key)
        if before is None:
            study.set_user_attr(key, value)
        elif before != value:
            raise TrainingError(
                f"{journal.parent}: expected the study of this {key}, found one of another; give the same files and"
                " settings again, or choose another folder"
            )
    return study


def _mend(journal: Path) -> None:
    """Take off a last line without its end, and a lock that a killed process left."""
    Path(f"{journal}.lock").unlink(missing_ok=True)
    if not journal.exists():
        return
    with journal.open("rb+") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            stream.truncate(whole)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder for this process alone; the system gives it back when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: nothing holds the folder
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingError(
                f"{folder}: expected a study that nobody works on, found another process at it"
            ) from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna without its reports; what is to be told, the command tells."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
