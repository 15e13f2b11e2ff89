"""Pretraining on toy languages: what is learned, that the reverse model reads in reverse, runs that were stopped."""

from __future__ import annotations

import gzip
import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gatewise.errors import FormatError, ModelError, TrainingError  # noqa: E402
from gatewise.model.language_model import open_language_model  # noqa: E402
from gatewise.training import pretrain, pretrain_run  # noqa: E402
from gatewise.training.character_stream import read_raw_text  # noqa: E402
from gatewise.training.next_character import NextCharacter  # noqa: E402
from gatewise.training.pretrain import Pretraining, PretrainSettings  # noqa: E402
from gatewise.training.pretrain_run import run_pretraining  # noqa: E402
from gatewise.training.stopping import StoppedError  # noqa: E402

pytestmark = pytest.mark.torch

WORDS = ["我们", "学习", "电脑", "today", "𠮷野家", "gut", "再见"]
SETTINGS: dict[str, Any] = {"hidden": 12, "dim": 5, "lanes": 4, "window": 16, "epochs": 3, "learning_rate": 0.02}


def make_settings(**changes: Any) -> PretrainSettings:
    return PretrainSettings(**SETTINGS | changes)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Lines of a few words, in two halves; the second is packed."""
    draw = random.Random(4)
    lines = ["  " + "".join(draw.choices(WORDS, k=draw.randint(2, 6))) + "\r\n" for _ in range(600)]
    path = tmp_path / "text.txt"
    path.write_text("".join(lines) + "\n\n", encoding="utf-8", newline="")
    return path


def bits_of_unigrams(train: list[int], dev: list[int]) -> float:
    """What a character of dev takes by the frequencies of train, add-one."""
    counts, kinds = Counter(train), len(set(train) | set(dev))
    return -sum(math.log2((counts[one] + 1) / (len(train) + kinds)) for one in dev) / len(dev)


def test_a_toy_language_is_learned_in_both_directions(text: Path, tmp_path: Path) -> None:
    settings = make_settings()
    reports = run_pretraining([text], tmp_path / "lm", settings)
    raw = read_raw_text([text], None, vocabulary=5000, seed=1)
    unigrams = bits_of_unigrams(raw.train.tolist(), raw.dev.tolist())
    for direction, report in reports.items():
        assert report.direction == direction
        assert report.perplexity == pytest.approx(2**report.dev_bits)
        assert report.dev_bits < 0.6 * unigrams
    model = open_language_model(tmp_path / "lm")
    assert (model.hidden, model.dim) == (12, 5)
    assert sorted(model.vocabulary.entries) == sorted(set("\n".join(WORDS)))
    assert not (tmp_path / "lm.run").exists()


def test_how_text_becomes_ids(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_text(" ab \n\n" * 300, encoding="utf-8")
    packed.write_bytes(gzip.compress("aa𠮷\r\n".encode() * 300))
    dev = tmp_path / "dev.txt"
    dev.write_text("b𠮷x\nax", encoding="utf-8")
    raw = read_raw_text([plain, packed], dev, vocabulary=3, seed=7)
    assert raw.vocabulary.entries == ("a", "\n", "b")  # by frequency, equals by code point: 𠮷 is the fourth
    assert raw.dev.tolist() == [4, 1, 1, 3, 2, 1, 3]
    assert raw.unknown == 3 / 7
    assert Counter(raw.train.tolist()) == {2: 900, 3: 600, 4: 300, 1: 300}
    again = read_raw_text([plain, packed], dev, vocabulary=3, seed=8)
    assert again.train.tolist() != raw.train.tolist()  # another order of lines
    assert sorted(again.train.tolist()) == sorted(raw.train.tolist())


def test_a_line_in_a_hundred_is_held_out(text: Path) -> None:
    raw = read_raw_text([text], None, vocabulary=5000, seed=1)
    total = len(raw.train) + len(raw.dev)
    assert 0.01 * total <= len(raw.dev) <= 0.01 * total + 40


def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Pretraining]:
    """The directions of the next run, by name, as it goes."""
    found: dict[str, Pretraining] = {}

    class Recorded(Pretraining):
        def __init__(self, direction: str, **arguments: Any) -> None:
            super().__init__(direction, **arguments)
            found[direction] = self

    monkeypatch.setattr(pretrain_run, "Pretraining", Recorded)
    return found


def said_next(network: NextCharacter, ids: list[int]) -> int:
    """The most probable id after these."""
    assert network.linear is not None
    with torch.no_grad():
        states = network.lstm(network.embedding(torch.tensor(ids)[:, None]))[0]
        return int(network.linear(states[-1, 0]).argmax())


def test_the_reverse_model_says_what_stands_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alphabet.txt"
    path.write_text("abcdefgh\n" * 400, encoding="utf-8")
    runs = recorded(monkeypatch)
    run_pretraining([path], tmp_path / "lm", make_settings())
    vocabulary = open_language_model(tmp_path / "lm").vocabulary

    def after(direction: str, read: str) -> str:
        return vocabulary.entries[said_next(runs[direction].network, vocabulary.encode(read)) - 2]

    assert [after("forward", "abc"), after("forward", "efgh")] == ["d", "\n"]
    assert [after("reverse", "hgf"), after("reverse", "dcba")] == ["e", "\n"]


@pytest.mark.parametrize("size", [30, 5000])
def test_the_softmax_over_many_characters_is_one(size: int) -> None:
    torch.manual_seed(2)
    network = NextCharacter(size, hidden=24, dim=5)
    assert (network.softmax is None) == (size == 30)
    ids = torch.tensor([[3], [1], [7]])
    total = 0.0
    for following in range(size):
        with torch.no_grad():
            loss, _ = network(ids[-1:], torch.tensor([[following]]), network.start(1))
        total += math.exp(-loss.item())
    assert total == pytest.approx(1, abs=1e-4)


def stopping_after(steps: int) -> Callable[[], bool]:
    left = [steps]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return should_stop


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stopped_run_goes_on_to_the_same_bytes(text: Path, tmp_path: Path, threads: int) -> None:
    settings = make_settings()
    run_pretraining([text], tmp_path / "whole", settings)
    steps = math.ceil((len(read_raw_text([text], None, vocabulary=5000, seed=1).train) // 4 - 1) / 16)
    # once within the forward direction (in the second epoch), once within the reverse one, or at any two places
    for stop in (steps + 3, 3 * steps):
        with pytest.raises(StoppedError, match=r"^stopped at step \d+ of (forward|reverse); go on with --resume$"):
            run_pretraining(
                [text],
                tmp_path / "parts",
                settings,
                threads=threads,
                resume=(tmp_path / "parts.run").exists(),
                should_stop=stopping_after(stop),
            )
        assert not (tmp_path / "parts").exists()
    run_pretraining([text], tmp_path / "parts", settings, threads=threads, resume=True)
    whole, parts = (tmp_path / name / "model.safetensors" for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


def test_lanes_begin_anew_now_and_then(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as said, whatever the lane, and all others go on from where they were."""
    began: list[list[bool]] = []
    ended: list[torch.Tensor] = []
    real = NextCharacter.forward

    def watched(network: NextCharacter, ids: Any, following: Any, states: Any) -> Any:
        if torch.is_grad_enabled():  # held-out text is read without
            anew = [not states[1][0, lane].any() for lane in range(4)]
            if ended and not all(anew):  # all of them: an epoch begins
                for lane in range(4):
                    assert anew[lane] or torch.equal(states[1][0, lane], ended[-1][0, lane])
            began.append(anew)
        loss, after = real(network, ids, following, states)
        if torch.is_grad_enabled():
            ended.append(after[1])
        return loss, after

    monkeypatch.setattr(NextCharacter, "forward", watched)
    run_pretraining([text], tmp_path / "lm", make_settings(epochs=20))
    within = torch.tensor([anew for anew in began if not all(anew)], dtype=torch.float64)
    assert len(within) > 1000
    assert within.mean(dim=0).tolist() == pytest.approx([pretrain.RESTART] * 4, abs=0.02)


def test_another_seed_gives_other_weights(text: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        run_pretraining([text], tmp_path / f"seed-{seed}", make_settings(epochs=1, seed=seed))
    first, second = ((tmp_path / f"seed-{seed}" / "model.safetensors").read_bytes() for seed in (1, 2))
    assert first != second


def test_minutes_end_a_run(text: Path, tmp_path: Path) -> None:
    reports = run_pretraining([text], tmp_path / "lm", make_settings(epochs=10_000, minutes=0.01))
    for report in reports.values():
        assert report.fraction == 1
        assert 0.6 <= report.seconds < 60


def test_a_pause_does_not_count(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every step takes a second, and one of them a day."""
    ticks = itertools.count(1)
    monkeypatch.setattr(
        pretrain, "time", SimpleNamespace(perf_counter=lambda: next(ticks) + 86_400 * (next(ticks) > 60))
    )
    settings = make_settings(epochs=1, save_seconds=1e9, report_seconds=1e9)
    reports = run_pretraining([text], tmp_path / "lm", settings)
    steps = reports["forward"].characters / (4 * 16)
    assert reports["forward"].seconds < 2.1 * steps + 20


def test_what_is_in_the_way_is_told(text: Path, tmp_path: Path) -> None:
    settings, folder = make_settings(epochs=1), tmp_path / "lm"
    with pytest.raises(StoppedError):
        run_pretraining([text], folder, settings, should_stop=lambda: True)
    state = tmp_path / "lm.run"
    with pytest.raises(TrainingError) as caught:
        run_pretraining([text], folder, settings)
    assert str(caught.value) == (
        f"{state}: expected no unfinished run, found one; go on with --resume, or delete {state}"
    )
    with pytest.raises(TrainingError) as caught:
        run_pretraining([text], folder, make_settings(epochs=2), resume=True)
    assert str(caught.value) == (
        f"{state / 'forward.safetensors'}: expected the checkpoint of these settings and this text, found another's;"
        " give the same again, or start anew without --resume"
    )
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "diary.txt").write_text("mine")
    with pytest.raises(ModelError) as model_caught:
        run_pretraining([text], taken, settings)
    assert str(model_caught.value) == (
        f"{taken}: expected no folder or a language model to replace, found diary.txt; choose another -o"
    )


def test_a_tagger_is_not_replaced(text: Path, stored: Path) -> None:
    with pytest.raises(ModelError, match=r"no folder or a language model to replace, found model\.onnx, "):
        run_pretraining([text], stored / "v1-spans", make_settings())


def test_text_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    short = tmp_path / "short.txt"
    short.write_text("我们学习\n" * 20, encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        run_pretraining([short], tmp_path / "lm", make_settings())
    assert str(caught.value) == (
        f"{short}: expected at least 1,000 characters to learn from and some held out, found 95 and 5; give more text"
    )
    with pytest.raises(FormatError) as format_caught:
        run_pretraining([tmp_path / "none.txt"], tmp_path / "lm", make_settings())
    assert str(format_caught.value) == (
        f"{tmp_path / 'none.txt'}: expected a file, found nothing under this name; check the path"
    )
    short.write_bytes("好\n".encode() * 3 + b"\xff")
    with pytest.raises(FormatError, match=r"short.txt:4: expected UTF-8, found the byte 0xFF after 0 good bytes"):
        run_pretraining([short], tmp_path / "lm", make_settings())
