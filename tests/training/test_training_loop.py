"""The training loop on a dozen sentences: it learns them, it repeats itself to the bit, it keeps the best."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gatewise.errors import TrainingError  # noqa: E402
from gatewise.model.archive import legality_of  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.corpus import read_corpus, resolve_config  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.scoring import score_tags  # noqa: E402
from gatewise.text.schemes import check_tags, complete_tags  # noqa: E402
from gatewise.text.sentence import Sentence, sentence_from_forms  # noqa: E402
from gatewise.training import loop  # noqa: E402
from gatewise.training.batches import encode_sentences  # noqa: E402
from gatewise.training.events import BatchReport, EpochReport, Listener  # noqa: E402
from gatewise.training.look import Looker, Seen  # noqa: E402
from gatewise.training.loop import TrainedTagger  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.optimizer import Optimizer  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.prepare import prepare  # noqa: E402

pytestmark = pytest.mark.torch

Corpus = tuple[Config, list[Sentence]]


class Recorder:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.batches: list[BatchReport] = []
        self.epochs: list[EpochReport] = []

    def on_batch(self, report: BatchReport) -> None:
        self.batches.append(report)

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def read(path: Path, training: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Corpus:
    """A resolved configuration of a very small tagger, and the sentences of the file."""
    defaults = {"epochs": 4, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "dropout": 0.1, "threads": 1}
    table = {
        "features": {"token_dim": 5, "bigram_dim": 3, "bigram_min_count": 1},
        "encoder": {"hidden": 6},
        "training": defaults | (training or {}),
        **sections,
    }
    config = resolve_config(config_from_dict(table, where="test"), path)
    return config, list(read_corpus(path, config.task))


def train_tagger(
    config: Config, train: list[Sentence], dev: Sequence[Sentence] = (), listener: Listener | None = None
) -> TrainedTagger:
    """From sentences to weights."""
    return loop.train_tagger(prepare(config, train, dev), listener)


@pytest.fixture
def spans(tiny: Path) -> Corpus:
    return read(tiny / "spans.conll")


def network_of(trained: TrainedTagger) -> TaggerNetwork:
    """A network that holds the weights found."""
    prepared = trained.prepared
    legality = legality_of(prepared.labels, prepared.config.task.scheme)
    network = TaggerNetwork(prepared.config, sizes=prepared.sizes, legality=legality)
    for name, array in network.arrays().items():
        array.copy_(trained.arrays[name])
    return network


def predicted(trained: TrainedTagger, sentences: list[Sentence]) -> list[tuple[str, ...]]:
    prepared = trained.prepared
    encoded = encode_sentences(sentences, FeatureEncoder(prepared.config.features, prepared.vocabularies), {})
    return predict(network_of(trained), encoded, prepared.labels)


@pytest.mark.parametrize(
    ("file", "sections"),
    [
        ("spans.conll", {}),
        ("spans.conll", {"output": {"kind": "softmax"}, "task": {"scheme": "BIO"}}),
        ("segmentation.conllu", {"task": {"kind": "segmentation"}, "encoder": {"hidden": 6, "layers": 2}}),
        ("chunks.conll", {"encoder": {"kind": "rnn", "hidden": 8}}),
        ("tags.conll", {"encoder": {"hidden": 10, "bidirectional": False}, "output": {"kind": "softmax"}}),
    ],
)
def test_a_tiny_corpus_is_learned(tiny: Path, file: str, sections: dict[str, Any]) -> None:
    surely = {"epochs": 60, "patience": 60, "dropout": 0.0, "unknown_weight": 0.0}
    config, sentences = read(tiny / file, surely, **sections)
    trained = train_tagger(config, sentences, sentences)
    assert trained.dev_score is not None
    assert trained.dev_score >= 97
    tags = predicted(trained, sentences)
    assert score_tags([s.tags or () for s in sentences], tags, config.task.scheme).main >= 0.97
    for sequence in tags:
        check_tags(sequence, config.task.scheme)
    seen = {tag for sentence in sentences for tag in sentence.tags or ()}
    assert trained.prepared.labels == tuple(complete_tags(seen, config.task.scheme))
    assert ("bigrams" in trained.prepared.vocabularies) == (config.task.tokenizer == "characters")


def test_the_seed_decides_everything_and_nothing_outside_is_touched(spans: Corpus, tiny: Path) -> None:
    config, sentences = spans
    torch_state, python_state, threads = torch.get_rng_state(), random.getstate(), torch.get_num_threads()
    first = train_tagger(config, sentences)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert torch.get_num_threads() == threads
    torch.rand(3)  # whatever the caller has drawn
    random.random()
    second = train_tagger(config, sentences)
    assert first.arrays.keys() == second.arrays.keys()
    assert all(torch.equal(array, second.arrays[name]) for name, array in first.arrays.items())
    other = train_tagger(read(tiny / "spans.conll", {"seed": 2})[0], sentences)
    assert not any(torch.equal(array, other.arrays[name]) for name, array in first.arrays.items() if "weight" in name)


def test_the_state_outside_is_left_alone_when_training_fails(spans: Corpus, tiny: Path) -> None:
    config, sentences = read(tiny / "spans.conll", {"learning_rate": 1000.0})
    torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(TrainingError, match=r"step \d+: expected a finite loss, found .*lower training.learning_rate"):
        train_tagger(config, sentences)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert torch.get_num_threads() == threads


def test_early_stopping_keeps_the_best_epoch(tiny: Path) -> None:
    config, sentences = read(tiny / "spans.conll", {"epochs": 40, "patience": 3, "averaging": 0.0})
    train, dev, heard = sentences[:6], sentences[6:], Recorder()
    trained = train_tagger(config, train, dev, heard)
    scores = [report.dev_score for report in heard.epochs]
    assert None not in scores
    best = max(range(len(scores)), key=lambda epoch: scores[epoch])
    assert trained.best_epoch == best + 1
    assert trained.dev_score == scores[best]
    assert len(scores) == min(40, trained.best_epoch + 3)
    assert [report.is_best for report in heard.epochs] == [
        all(score > earlier for earlier in scores[:epoch]) for epoch, score in enumerate(scores)
    ]
    found = score_tags([s.tags or () for s in dev], predicted(trained, dev), config.task.scheme)
    assert 100 * found.main == scores[best]


def test_stopping_waits_as_long_as_it_has_patience_and_returns_the_weights_of_the_best(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, sentences = read(tiny / "spans.conll", {"epochs": 9, "patience": 3})
    said = iter([10.0, 30.0, 20.0, 30.0, 25.0, 99.0])
    weights: list[dict[str, torch.Tensor]] = []

    class Said:
        main = 0.0

    def look(looker: Looker, network: object, now: dict[str, torch.Tensor]) -> Seen:
        weights.append({name: array.clone() for name, array in now.items()})
        scores: Any = Said()
        scores.main = next(said) / 100
        return Seen(gates=(), scores=scores)

    monkeypatch.setattr(Looker, "look", look)
    trained = train_tagger(config, sentences, sentences)
    assert (len(weights), trained.best_epoch, trained.dev_score) == (5, 2, 30.0)
    for name, array in trained.arrays.items():
        assert torch.equal(array, weights[1][name])
        assert not torch.equal(array, weights[4][name])


def test_patience_begins_once_anything_is_found(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, sentences = read(tiny / "spans.conll", {"epochs": 12, "patience": 2})
    said = iter([0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 5.0, 6.0, 99.0])

    class Said:
        main = 0.0

    def look(looker: Looker, network: object, now: dict[str, torch.Tensor]) -> Seen:
        scores: Any = Said()
        scores.main = next(said) / 100
        return Seen(gates=(), scores=scores)

    monkeypatch.setattr(Looker, "look", look)
    heard = Recorder()
    trained = train_tagger(config, sentences, sentences, heard)
    assert (len(heard.epochs), trained.best_epoch) == (8, 6)
    assert trained.dev_score == pytest.approx(7.0)


def test_without_dev_all_epochs_are_run_and_the_last_weights_kept(spans: Corpus) -> None:
    config, sentences = spans
    heard = Recorder()
    trained = train_tagger(config, sentences, listener=heard)
    assert (trained.best_epoch, trained.dev_score) == (4, None)
    assert [report.epoch for report in heard.epochs] == [1, 2, 3, 4]
    assert [report.dev_score for report in heard.epochs] == [None] * 4


def test_scoring_on_dev_does_not_change_training(tiny: Path) -> None:
    config, sentences = read(tiny / "spans.conll", {"epochs": 3, "averaging": 0.0})
    heard, alone = Recorder(), Recorder()
    train_tagger(config, sentences, sentences, heard)
    train_tagger(config, sentences, listener=alone)
    assert [report.loss for report in heard.epochs] == [report.loss for report in alone.epochs]


def test_averaged_weights_are_a_moving_average(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, sentences = read(tiny / "spans.conll", {"epochs": 5, "averaging": 0.6})
    weights: list[dict[str, torch.Tensor]] = []
    step = Optimizer.step

    def watched(optimizer: Optimizer, *given: Any) -> torch.Tensor:
        before = {name: array.double().clone() for name, array in optimizer._network.arrays().items()}
        norm = step(optimizer, *given)
        weights.extend([before] if not weights else [])
        weights.append({name: array.double().clone() for name, array in optimizer._network.arrays().items()})
        return norm

    monkeypatch.setattr(Optimizer, "step", watched)
    trained = train_tagger(config, sentences)
    assert len(weights) == 1 + 15
    for name, found in trained.arrays.items():
        average = weights[0][name]  # the random start
        for number, entry in enumerate(weights[1:], start=1):
            decay = min(0.6, (1 + number) / (10 + number))
            average = decay * average + (1 - decay) * entry[name]
        torch.testing.assert_close(found.double(), average, rtol=0, atol=1e-5)
        if name != "crf.transitions":  # where what is forbidden stays at zero
            assert not torch.equal(found, weights[-1][name].float())
    config, _ = read(tiny / "spans.conll", {"epochs": 5, "averaging": 0.0})
    weights.clear()
    plain = train_tagger(config, sentences)
    assert all(torch.equal(array, weights[-1][name].float()) for name, array in plain.arrays.items())


def test_float16_rounds_before_dev_is_scored(tiny: Path) -> None:
    config, sentences = read(tiny / "spans.conll", archive={"numbers": "float16"})
    trained = train_tagger(config, sentences, sentences)
    for array in trained.arrays.values():
        assert torch.equal(array, array.half().float())
    found = score_tags([s.tags or () for s in sentences], predicted(trained, sentences), config.task.scheme)
    assert trained.dev_score == 100 * found.main


def test_a_tag_that_only_dev_has_counts_as_an_error(tiny: Path) -> None:
    config, sentences = read(tiny / "tags.conll", {"epochs": 50, "patience": 50}, encoder={"hidden": 8})
    first = sentences[0]
    strange = first.with_tags(["NEVER", *(first.tags or ())[1:]])
    trained = train_tagger(config, sentences, [strange])
    assert "NEVER" not in trained.prepared.labels
    assert trained.dev_score == 100 * 7 / 8


def test_empty_sentences_are_left_out_and_an_empty_split_is_refused(spans: Corpus) -> None:
    config, sentences = spans
    empty = sentence_from_forms([], [])
    without, among = train_tagger(config, sentences), train_tagger(config, [empty, *sentences, empty])
    assert all(torch.equal(array, among.arrays[name]) for name, array in without.arrays.items())
    for split in ([], [empty]):
        with pytest.raises(TrainingError, match="training split: expected at least one sentence, found none"):
            train_tagger(config, split)


def test_two_tokens_are_enough_and_one_is_refused(spans: Corpus) -> None:
    trained = train_tagger(spans[0], [sentence_from_forms(["我", "你"], ["O", "O"])])
    assert predicted(trained, [sentence_from_forms(["龘", "我"])]) == [("O", "O")]
    with pytest.raises(TrainingError, match=r"expected at least 2 different tokens seen 1 time\(s\) or more, found 1;"):
        train_tagger(spans[0], [sentence_from_forms(["我", "我"], ["O", "O"])])


def test_the_events_tell_the_truth(spans: Corpus) -> None:
    config, sentences = spans
    heard = Recorder()
    train_tagger(config, sentences, sentences, heard)
    assert len(heard.batches) == 4 * 3  # 12 sentences by 4
    fractions = [report.fraction for report in heard.batches]
    assert fractions == pytest.approx([number / 12 for number in range(1, 13)])
    assert [report.epoch for report in heard.batches] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert all(report.tokens_per_second > 0 <= report.seconds_left for report in heard.batches)
    assert [report.loss for report in heard.epochs] == [heard.batches[3 * epoch + 2].loss for epoch in range(4)]
    assert heard.epochs[-1].loss < heard.epochs[0].loss
    seconds = [report.seconds for report in heard.epochs]
    assert seconds == sorted(seconds)


def test_vectors_are_where_training_starts(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("小 30 31 32 33 34\n", encoding="utf-8")
    features = {"token_dim": 5, "bigram_dim": 3, "vectors": str(path)}
    config, sentences = read(tiny / "spans.conll", {"epochs": 1, "averaging": 0.0}, features=features)
    trained = train_tagger(config, sentences)
    [row] = trained.prepared.vocabularies["tokens"].encode(["小"])
    vector = trained.arrays["token_embedding.weight"][row]
    start = torch.tensor([30.0, 31, 32, 33, 34])
    torch.testing.assert_close(vector, start / start.norm(), rtol=0, atol=0.1)  # one vector alone comes in 1 long


def test_the_padding_vector_stays_zero_and_the_start_is_as_documented(spans: Corpus) -> None:
    config, sentences = spans
    trained = train_tagger(config, sentences)
    assert not trained.arrays["token_embedding.weight"][0].any()
    network = network_of(trained)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network.initialize()
    start = network.arrays()
    for gate in start["encoder.weight_hh_l0"].split(6):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), rtol=0, atol=1e-5)
    assert start["encoder.bias_ih_l0_reverse"].split(6)[1].tolist() == [1] * 6  # the forget gate is open
    assert float(start["encoder.bias_ih_l0_reverse"].sum() + start["encoder.bias_hh_l0_reverse"].abs().sum()) == 6
    assert not start["token_embedding.weight"][0].any()
    assert not start["crf.transitions"].any()
