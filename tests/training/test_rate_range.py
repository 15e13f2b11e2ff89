"""The learning-rate range test: its steps are a run's steps, its curve is read rightly, nothing is changed."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import ConfigError, TrainingError  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.training.events import BatchReport, Silence  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402
from gatewise.training.rate_range import find_learning_rate, read_curve, smooth  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402
from gatewise.training.stopping import StoppedError  # noqa: E402

pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {
    "features": {"token_dim": 5, "bigram_dim": 3},
    "encoder": {"hidden": 5},
    "training": {"batch_size": 4, "learning_rate": 0.02, "decay": "constant", "threads": 1, "seed": 7, "epochs": 7},
}


def prepared(path: Path, *, dev: Path | None = None, **training: Any) -> Prepared:
    config = config_from_dict(SMALL | {"training": SMALL["training"] | training}, where="test")
    corpus = read_splits(config, Files(train=path, dev=dev))
    return prepare(corpus.config, corpus.train, corpus.dev)


class Losses(Silence):
    """The summed loss of each batch, from the reports, which tell the mean of the epoch so far."""

    def __init__(self, sentences: int, size: int) -> None:
        self.sentences, self.size, self.summed = sentences, size, list[float]()
        self.epoch, self.before, self.seen = 0, 0.0, 0

    def on_batch(self, report: BatchReport) -> None:
        if report.epoch != self.epoch:
            self.epoch, self.before, self.seen = report.epoch, 0.0, 0
        self.seen = min(self.seen + self.size, self.sentences)
        self.summed.append(report.loss * self.seen - self.before)
        self.before = report.loss * self.seen


def test_at_one_rate_the_steps_are_those_of_a_run(tiny: Path) -> None:
    data = prepared(tiny / "spans.conll")
    watcher = Losses(sentences=12, size=4)
    train_tagger(data, watcher)
    found = find_learning_rate(data, low=0.02, high=0.02 * (1 + 1e-9), steps=21)
    tokens = [summed / mean for summed, mean in zip(watcher.summed, found.losses, strict=True)]
    assert all(abs(count - round(count)) < 1e-4 for count in tokens), tokens  # whole numbers of tokens
    assert [sum(map(round, tokens[at : at + 3])) for at in range(0, 21, 3)] == [99] * 7  # three batches an epoch


def test_rates_rise_by_one_factor_and_the_rule_holds(tiny: Path) -> None:
    steps: list[int] = []
    found = find_learning_rate(prepared(tiny / "tags.conll"), low=1e-4, high=0.1, steps=31, on_step=steps.append)
    assert steps == list(range(1, len(found.rates) + 1))
    assert found.rates == pytest.approx([1e-4 * 10 ** (step / 10) for step in range(len(found.rates))])
    assert found.lowest == found.rates[found.smoothed.index(min(found.smoothed))]
    assert found.suggestion == pytest.approx(found.highest_good / 10)
    drops = [b - a for a, b in zip(found.smoothed, found.smoothed[1:], strict=False)]
    at = drops.index(min(drops[: found.smoothed.index(min(found.smoothed))]))
    assert found.rates[at] < found.steepest < found.rates[at + 1]


def test_the_same_seed_gives_the_same_curve_and_torch_is_as_it_was(tiny: Path) -> None:
    torch.manual_seed(5)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first = find_learning_rate(prepared(tiny / "spans.conll", threads=threads + 1), steps=30)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(6)
    assert find_learning_rate(prepared(tiny / "spans.conll", threads=threads + 1), steps=30) == first
    assert find_learning_rate(prepared(tiny / "spans.conll", seed=8), steps=30).losses != first.losses


def test_it_stops_when_the_loss_explodes(tiny: Path) -> None:
    found = find_learning_rate(prepared(tiny / "spans.conll"), low=1e-3, high=900.0, steps=60)
    assert found.diverged
    assert len(found.rates) == len(found.losses) < 60
    calm = find_learning_rate(prepared(tiny / "spans.conll"), low=1e-4, high=3e-2, steps=20)
    assert not calm.diverged
    assert len(calm.losses) == 20


def test_with_dev_the_loss_is_that_of_its_known_sentences(tiny: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "dev.conll"
    text = (tiny / "spans.conll").read_text(encoding="utf-8")
    mixed.write_text("火\tB-NEW\n星\tI-NEW\n\n" + text, encoding="utf-8")
    strange = find_learning_rate(prepared(tiny / "spans.conll", dev=mixed), steps=20)
    clean = find_learning_rate(prepared(tiny / "spans.conll", dev=tiny / "spans.conll"), steps=20)
    assert strange.losses == pytest.approx(clean.losses)
    batches = find_learning_rate(prepared(tiny / "spans.conll"), steps=20)
    assert clean.losses != batches.losses
    assert clean.rates[: len(batches.rates)] == batches.rates[: len(clean.rates)]


def test_smoothing_is_a_weighted_mean_to_both_sides() -> None:
    values, given = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6], [2.0, 7.0, 1.0, 8.0, 2.5, 4.0]
    for spread in (0.7, 2.0):
        expected = []
        for place in range(6):
            weights = [given[other] * math.exp(-((other - place) ** 2) / (2 * spread**2)) for other in range(6)]
            expected.append(sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights))
        assert smooth(np.array(values), np.array(given), spread).tolist() == pytest.approx(expected)


def test_a_curve_made_to_have_its_steepest_place_and_its_lowest() -> None:
    exponents = np.linspace(-5, 0, 201)
    falling = 1 / (1 + np.exp(-(exponents + 3) / 0.2))  # 1.25 a power of 10 at 1e-3
    pit = 0.5 * np.exp(-0.5 * ((exponents + 1.5) / 0.3) ** 2)  # at most 1.02 a power of 10, deepest at 10^-1.5
    losses = 3 - falling - pit
    found = read_curve(10**exponents, losses, np.ones(201), 201)
    assert math.log10(found.steepest) == pytest.approx(-3, abs=0.06)
    assert math.log10(found.lowest) == pytest.approx(-1.5, abs=0.03)
    assert found.lowest < found.highest_good < 10 * found.lowest
    assert not found.diverged
    cut = read_curve(10 ** exponents[:150], np.append(losses[:149], math.nan), np.ones(150), 201)
    assert cut.diverged
    assert cut.lowest <= 10 ** exponents[148]


def test_a_flat_bottom_is_good_to_its_end() -> None:
    """Where in a flat bottom the lowest place lies is chance, so the rule does not hang on it."""
    exponents = np.linspace(-5, 0, 201)
    walls = 2 * np.clip(-3 - exponents, 0, 1) + 2 * np.clip(exponents + 1, 0, 1)
    for dip in (-2.5, -1.5):
        losses = 1 + walls - 0.01 * np.exp(-0.5 * ((exponents - dip) / 0.05) ** 2)
        found = read_curve(10**exponents, losses, np.ones(201), 201)
        assert math.log10(found.lowest) == pytest.approx(dip, abs=0.03)
        assert math.log10(found.highest_good) == pytest.approx(-1, abs=0.15)
        assert found.suggestion == found.highest_good / 10


def test_what_gives_no_answer_is_told(tiny: Path) -> None:
    data = prepared(tiny / "spans.conll")
    with pytest.raises(ConfigError, match=r"range of rates: expected 0 < low < high, found 0\.1 and 0\.001"):
        find_learning_rate(data, low=0.1, high=0.001)
    with pytest.raises(ConfigError, match="expected at least 20, found 19"):
        find_learning_rate(data, steps=19)
    with pytest.raises(TrainingError, match="expected a loss that falls somewhere, found none that does; begin lower"):
        read_curve(np.geomspace(0.1, 1, 5), np.array([1.0, 2.0, 3.0, 5.0, 9.0]), np.ones(5), 20)
    with pytest.raises(TrainingError, match="expected a loss that falls somewhere"):
        read_curve(np.array([0.1]), np.array([math.inf]), np.ones(1), 20)
    with pytest.raises(StoppedError, match="stopped at step 1; there is no result"):
        find_learning_rate(data, should_stop=lambda: True)


def test_the_command_shows_the_curve_in_80_columns(gatewise_command: Any, tiny: Path, tmp_path: Path) -> None:
    corpus = tiny / "spans.conll"
    said = ("--set", "training.batch_size=4", "--set", "encoder.hidden=6", "--seed", 3, "--device", "cpu")
    ran = gatewise_command("find-lr", corpus, "--dev", corpus, *said)
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    told = re.search(r"--set training\.learning_rate=([\d.e-]+)\n$", ran.out)
    assert told
    report = json.loads(gatewise_command("find-lr", corpus, "--dev", corpus, *said, "--json").out)
    assert float(told[1]) == pytest.approx(report["suggestion"], rel=0.06)
    assert report["suggestion"] == pytest.approx(report["highest_good"] / 10)
    assert len(report["rates"]) == len(report["losses"])
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_in_a_sentence(gatewise_command: Any, tiny: Path) -> None:
    corpus = tiny / "spans.conll"
    for arguments, message in {
        ("no.conll",): r"no\.conll: expected a file, found nothing",
        (corpus, "--low", "1", "--high", "0.1"): "expected 0 < low < high, found 1 and 0.1",
        (corpus, "--low", "50", "--high", "100", "--steps", "20"): "expected a loss that falls somewhere|found none",
        (corpus, "--set", "encoder.hiden=3"): "did you mean 'encoder.hidden'",
    }.items():
        ran = gatewise_command("find-lr", *arguments)
        assert ran.code == 2
        assert re.search(message, ran.err), ran.err
        assert ran.err.startswith("error: ")
        assert len(ran.err.splitlines()) == 1
    assert gatewise_command("find-lr", corpus, "--device", "tpu").err.startswith("Usage: ")


def test_unequal_losses_would_be_noticed(tiny: Path) -> None:
    """The check above fails when the range test's steps are another run's."""
    data = prepared(tiny / "spans.conll")
    watcher = Losses(sentences=12, size=4)
    train_tagger(replace(data, config=replace(data.config, training=replace(data.config.training, seed=8))), watcher)
    found = find_learning_rate(data, low=0.02, high=0.02 * (1 + 1e-9), steps=21)
    tokens = [summed / mean for summed, mean in zip(watcher.summed, found.losses, strict=True)]
    assert not all(abs(count - round(count)) < 1e-4 for count in tokens)
