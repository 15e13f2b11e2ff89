"""A sentence too long for one piece: window after window, the same emissions; where windows do not agree, wider ones.

The oracle is a recurrence of our own in both directions whose memory fades as slowly as asked, and for real models the
same sentence in one piece.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gatewise
from gatewise.runtime import session as session_module
from gatewise.runtime import windows
from gatewise.runtime.session import Session
from gatewise.runtime.windows import Float32s, emissions_in_windows, windows_of

WINDOW, MARGIN = 16, 4
TEXT = "小明住在北京大学。我叫李明，Tom在上海 2024年毕业。" * 12


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (windows, session_module):
        monkeypatch.setattr(module, "WINDOW", WINDOW)
        monkeypatch.setattr(module, "MARGIN", MARGIN)


class Fading:
    """x_t, what is left of all before it and of all behind it: each step keeps `kept` of that; two outputs."""

    def __init__(self, length: int, kept: float) -> None:
        self.kept, self.x = kept, np.random.default_rng(4).normal(size=length)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> list[Float32s]:
        self.asked.append((start, end))
        sides = [self._passed(self.x[start:end]), self._passed(self.x[start:end][::-1])[::-1]]
        return [
            np.stack([sides[0] - sides[1]], axis=1)[..., None].astype("f"),
            np.stack(sides, axis=1)[:, None].astype("f"),
        ]

    def _passed(self, x: np.ndarray) -> np.ndarray:
        state, found = 0.0, []
        for value in x:
            state = self.kept * state + value
            found.append(state)
        return np.array(found)


def test_windows_answer_for_every_token_once(small: None) -> None:
    found = list(windows_of(50, 4))
    assert [(w.first, w.start, w.end, w.past) for w in found] == [
        (0, 0, 16, 20),
        (12, 16, 32, 36),
        (28, 32, 48, 50),
        (44, 48, 50, 50),
    ]


@pytest.mark.parametrize(("kept", "margins"), [(0.1, [4]), (0.35, [4, 8]), (0.55, [4, 8, 16])])
def test_the_margin_grows_until_the_windows_agree(small: None, kept: float, margins: list[int]) -> None:
    length = 8 * WINDOW + 5
    run = Fading(length, kept)
    whole = run(0, length)
    run.asked.clear()
    found = emissions_in_windows(run, length, 1e-3)
    assert [part.shape for part in found] == [part.shape for part in whole]
    for part, wanted in zip(found, whole, strict=True):
        assert np.abs(part - wanted).max() < 2e-3
    assert [end - WINDOW for start, end in run.asked if not start and end < 2 * WINDOW + 1] == margins
    assert max(end - start for start, end in run.asked) == WINDOW + 2 * margins[-1]


def test_what_never_fades_is_run_in_one_piece(small: None) -> None:
    length = 8 * WINDOW + 5
    run = Fading(length, 1.0)
    found = emissions_in_windows(run, length, 1e-3)
    assert run.asked[-1] == (0, length)
    assert all(np.array_equal(part, wanted) for part, wanted in zip(found, run(0, length), strict=True))


@pytest.mark.parametrize(
    "name", ["v1-spans", "v1-segmentation", "v1-softmax-rnn", "v1-tags", "v1-forms-cnn", "v1-forms-lstm"]
)
def test_real_models_say_the_same_in_windows(name: str, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = gatewise.load(stored / name, threads=1)
    text = " ".join(TEXT)
    whole = tagger.tag(text)
    runs: list[int] = []
    run = Session._run

    def watched(self: Session, outputs: list[str], batch: session_module.EncodedBatch) -> list[Float32s]:
        runs.append(int(batch.lengths.max()))
        return run(self, outputs, batch)

    monkeypatch.setattr(Session, "_run", watched)
    for module in (windows, session_module):
        monkeypatch.setattr(module, "WINDOW", 64)
        monkeypatch.setattr(module, "MARGIN", 32)
    found = tagger.tag(text)
    assert len(runs) > 2
    assert (found.tags, found.forms) == (whole.tags, whole.forms)
    assert found.scores == pytest.approx(whole.scores, abs=1e-3)
    assert tagger.n_best(text, 1)[0].tags == whole.tags
