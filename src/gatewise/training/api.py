"""Training from Python: the same run as the command line's, with callbacks, from files or from sentences in memory.

In: a configuration, data, and where the model goes. Out: a `TrainResult` with the loaded tagger. This module itself
needs no torch, so that `gatewise.train` exists everywhere and says what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.errors import ConfigError, TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import Config
from gatewise.model.config_reading import config_from_dict, read_config
from gatewise.model.given import Data, GivenSentences
from gatewise.runtime.tagger import Tagger, load
from gatewise.text.sentence import Sentence
from gatewise.training.extras import training_extra

if TYPE_CHECKING:
    from gatewise.model.calibration import CalibrationChange
    from gatewise.model.scoring import Scores
    from gatewise.training.events import EpochReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """A trained model: `tagger` is loaded from `folder` and needs no torch.

    `scores` maps dev and test to what it scores there, `head_scores` does so for each further head; `calibrations` maps
    them to what the temperature that was fitted on dev changes there (empty without dev); `config` has every `auto`
    decided; `history` has one report for each epoch of this call (a run that goes on with `resume` begins with the
    epoch that it was stopped in).
    """

    tagger: Tagger
    scores: dict[str, Scores]
    folder: Path
    config: Config
    history: tuple[EpochReport, ...]
    head_scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    calibrations: dict[str, CalibrationChange] = field(default_factory=dict)


def train(
    config: Config | Mapping[str, Any] | str | Path | None = None,
    *,
    train: str | Path | Iterable[Sentence],
    dev: str | Path | Iterable[Sentence] | None = None,
    test: str | Path | Iterable[Sentence] | None = None,
    output: str | Path,
    callbacks: Sequence[object] = (),
    resume: bool = False,
    seed: int | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
) -> TrainResult:
    """Train a tagger, save it to the folder `output`, and score it on dev and test, as `gatewise train` does.

    `config` is a `Config`, nested dictionaries or a TOML file (docs/configuration.md); None takes the defaults. Data
    are files in any format that `gatewise train` reads, or tagged sentences, which for segmentation hold words; further
    heads (docs/heads.md) then need files of their own.
    `callbacks` are objects with any of `on_start`, `on_batch`, `on_epoch(report)` (`training.events` says what a report
    holds); one that raises `StopTraining` ends training early, and the best weights so far are kept. `seed` stands for
    `training.seed`. With `resume`, a run that was killed goes on and ends with the same weights. `columns` says how
    column files are laid out.

    Raises MissingExtraError without torch and onnx; ConfigError, FormatError, ModelError or TrainingError for whatever
    cannot be trained on or written to.

    >>> import tempfile
    >>> import gatewise
    >>> from gatewise.text import sentence_from_forms
    >>> names = [sentence_from_forms(["小", "明", "来", "了"], ["B-PER", "I-PER", "O", "O"])] * 4
    >>> small = {"encoder": {"hidden": 8}, "training": {"epochs": 30, "learning_rate": 0.03, "averaging": 0.0}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = gatewise.train(small, train=names, output=folder + "/names", seed=3)
    >>> [(span.text, span.label) for span in result.tagger.tag("小明来了").spans]
    [('小明', 'PER')]
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError(
            "gatewise.train: expected one process, found the environment of torch's launcher;"
            " several processes train with torchrun --nproc-per-node N -m gatewise train"
        )
    with training_extra():
        from gatewise.training.callbacks import Callbacks
        from gatewise.training.run import run_training
        from gatewise.training.splits import Files, read_splits

    history = _History()
    listener = Callbacks([history, *callbacks])
    files = Files(
        train=_given("train", train),
        dev=None if dev is None else _given("dev", dev),
        test=None if test is None else _given("test", test),
        columns=columns,
    )
    corpus = read_splits(_checked(config, seed), files)
    made = run_training(corpus, files, output, listener, resume=resume, should_end=listener.asked_to_stop)
    if made is None:
        raise TrainingError("expected this process to save the model, found that another one does")
    return TrainResult(
        tagger=load(made.folder),
        scores=made.scores,
        folder=made.folder,
        config=made.config,
        history=tuple(history.epochs),
        head_scores=made.head_scores,
        calibrations=made.calibrations,
    )


class _History:
    """Keeps the reports of the epochs."""

    def __init__(self) -> None:
        self.epochs: list[EpochReport] = []

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def _checked(config: Config | Mapping[str, Any] | str | Path | None, seed: int | None) -> Config:
    """A configuration that was read like any other, whatever it came as."""
    if config is None or isinstance(config, str | Path):
        found = read_config(config)
    elif isinstance(config, Config | Mapping):
        found = config_from_dict(config.to_dict() if isinstance(config, Config) else config, where="config")
    else:
        raise ConfigError(f"config: expected a Config, a dictionary or a path, found {type(config).__name__}")
    if seed is None:
        return found
    return config_from_dict(replace(found, training=replace(found.training, seed=seed)).to_dict(), where="seed")


def _given(name: str, data: str | Path | Iterable[Sentence]) -> Data:
    """A path as it is, sentences under the name of their split."""
    if isinstance(data, str | Path):
        return Path(data)
    found = tuple(data) if isinstance(data, Iterable) else (data,)
    wrong = next((entry for entry in found if not isinstance(entry, Sentence)), None)
    if wrong is not None:
        raise TrainingError(f"{name}: expected a path or sentences, found {type(wrong).__name__}")
    if not found:
        raise TrainingError(f"{name}: expected at least one sentence, found none")
    return GivenSentences(name=name, sentences=found)
