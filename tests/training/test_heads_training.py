"""Training several heads on one encoder: from files to a folder that says what torch says, and on after a stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import gatewise  # noqa: E402
from gatewise.errors import ConfigError, FormatError, TrainingError  # noqa: E402
from gatewise.formats import write_sentences  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.labeled import labeled_for  # noqa: E402
from gatewise.model.scoring import score_tags  # noqa: E402
from gatewise.text.schemes import check_tags, spans_from_tags  # noqa: E402
from gatewise.text.sentence import Heads, sentence_from_forms  # noqa: E402
from gatewise.training.events import BatchReport, EpochReport  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.prepare import prepare  # noqa: E402
from gatewise.training.run import RunResult, run_training  # noqa: E402
from gatewise.training.splits import Corpus, Files, read_splits  # noqa: E402
from gatewise.training.start import new_network  # noqa: E402
from gatewise.training.stopping import StoppedError  # noqa: E402
from gatewise.training.tensorboard_log import scalars  # noqa: E402

pytestmark = pytest.mark.torch

SAMPLE = Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample" / "sample.conllu"


class Recorder:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.epochs: list[EpochReport] = []

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def make_config(tiny: Path, training: dict[str, Any] | None = None, **sections: Any) -> Config:
    names = str(tiny / "spans.conll")
    table: dict[str, Any] = {
        "name": "three",
        "task": {"kind": "segmentation"},
        "features": {"token_dim": 16, "bigram_dim": 8, "bigram_min_count": 1},
        "encoder": {"hidden": 24},
        "heads": {
            "xpos": {"column": "xpos", "weight": 0.7},
            "names": {"train": names, "dev": names, "test": names, "scheme": "BIO", "output": "softmax", "weight": 2.0},
        },
        "training": {
            "epochs": 6,
            "batch_size": 4,
            "learning_rate": 0.01,
            "averaging": 0.9,
            "dropout": 0.1,
            "patience": 100,
            "threads": 1,
            **(training or {}),
        },
        "archive": {"numbers": "float32"},
    }
    return config_from_dict(table | sections, where="test")


def files() -> Files:
    return Files(train=SAMPLE, dev=SAMPLE)


@pytest.fixture(scope="module")
def learned(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, RunResult, Recorder]:
    """Trained until it knows its data by heart."""
    surely = {"epochs": 60, "dropout": 0.0, "unknown_weight": 0.0, "decay": "constant", "patience": 60}
    corpus, recorder = read_splits(make_config(tiny, surely), files()), Recorder()
    result = run_training(corpus, files(), tmp_path_factory.mktemp("run") / "model", recorder)
    assert result is not None
    return corpus, result, recorder


def test_every_head_learns_its_data(learned: tuple[Corpus, RunResult, Recorder]) -> None:
    _, result, recorder = learned
    assert set(result.head_scores) == {"xpos", "names"}
    assert set(result.head_scores["names"]) == {"dev", "test"}
    assert set(result.head_scores["xpos"]) == {"dev"}  # the run has no test file
    assert result.scores["dev"].main > 0.95
    assert result.head_scores["xpos"]["dev"].main > 0.95
    assert result.head_scores["names"]["dev"].main > 0.95
    best = max(recorder.epochs, key=lambda report: report.dev_score or 0.0)
    assert best.is_best
    assert {name: scores.main for name, scores in recorder.epochs[0].heads.items()}.keys() == {"xpos", "names"}
    assert 100 * result.scores["dev"].main == pytest.approx(best.dev_score)
    for name in ("xpos", "names"):
        assert result.head_scores[name]["dev"].main == pytest.approx(best.heads[name].main)


def test_the_folder_says_of_every_head_what_the_corpus_says(learned: tuple[Corpus, RunResult, Recorder]) -> None:
    corpus, result, _ = learned
    tagger = gatewise.load(result.folder)
    tagged = tagger.tag_sentences(corpus.train)
    for name in ("", "xpos", "names"):
        scheme = tagger.archive.head(name).scheme
        gold = labeled_for(corpus.train, name)
        said = [t if not name else t.heads[name] for t, s in zip(tagged, corpus.train, strict=True)
                if (s.tags is not None if not name else name in s.heads)]  # fmt: skip
        found = sum(len({*spans_from_tags(a.tags or (), scheme)} & {*spans_from_tags(b.tags or (), scheme)})
                    for a, b in zip(gold, said, strict=True))  # fmt: skip
        total = sum(len(spans_from_tags(a.tags or (), scheme)) for a in gold)
        assert found / total > 0.95
        for sentence in tagged:
            check_tags((sentence.heads[name] if name else sentence).tags or (), scheme)


def test_metrics_and_report_have_the_scores_of_every_head(
    learned: tuple[Corpus, RunResult, Recorder],
) -> None:
    corpus, result, recorder = learned
    lines = [json.loads(line) for line in (result.report.parent / "metrics.jsonl").read_text("utf-8").splitlines()]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    assert len(epochs) == len(recorder.epochs)
    for line, report in zip(epochs, recorder.epochs, strict=True):
        said = {name: found["F1"] for name, found in line["heads"].items()}
        assert said == {name: scores.main for name, scores in report.heads.items()}
    assert lines[-1]["head_scores"]["names"]["test"]["F1"] == result.head_scores["names"]["test"].main
    page = result.report.read_text("utf-8")
    data = json.loads(page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0])
    wanted = [100 * report.heads["names"].main for report in recorder.epochs]
    assert data["head_history"]["names"] == pytest.approx(wanted)
    assert ["heads.names.weight", 2.0] in data["config"]
    assert [split["name"] for split in data["splits"]] == ["train", "dev"]
    texts = {sentence.text for sentence in corpus.train}
    assert all(any(text.startswith(entry["text"]) for text in texts) for entry in data["slowest"])
    assert {name.split("/")[0] for name, _ in scalars(epochs[0])} >= {"dev", "dev_names", "dev_xpos"}
    assert "end_test_names/F1" in dict(scalars(lines[-1]))


def test_a_head_has_its_own_file_beside_sentences_in_memory(tiny: Path, tmp_path: Path) -> None:
    names = str(tiny / "spans.conll")
    words = [sentence_from_forms(["小明", "来", "了"], ["NR", "VV", "AS"])] * 4
    table = {
        "task": {"kind": "segmentation"},
        "encoder": {"hidden": 4},
        "heads": {"names": {"train": names, "dev": names}},
        "training": {"epochs": 1, "threads": 1},
    }
    made = gatewise.train(table, train=words, dev=words, output=tmp_path / "model")
    assert set(made.head_scores) == {"names"}
    assert set(made.history[0].heads) == {"names"}
    assert made.tagger.tag("小明来了").heads["names"].tags is not None
    table["heads"] = {"xpos": {"column": "xpos"}}
    with pytest.raises(ConfigError, match=r"heads\.xpos: expected a file of its own beside sentences in memory"):
        gatewise.train(table, train=words, output=tmp_path / "other")


def test_what_a_file_says_of_other_heads_is_not_trained_on(tiny: Path, tmp_path: Path) -> None:
    """JSON Lines hold heads too; this run's head of the same name has a file of its own."""
    bare = sentence_from_forms(["小", "明", "去"], ["B-PER", "I-PER", "O"])
    with (tmp_path / "a.jsonl").open("w", encoding="utf-8") as stream:
        write_sentences([replace(bare, heads=Heads({"names": bare.with_tags(["O"] * 3)}))], stream, "jsonl")
    table = {"heads": {"names": {"train": str(tiny / "spans.conll")}}}
    corpus = read_splits(config_from_dict(table, where="test"), Files(train=tmp_path / "a.jsonl"))
    assert [list(sentence.heads) for sentence in corpus.train] == [[], *[["names"]] * 12]


def test_labels_of_dev_that_a_head_s_training_has_not_are_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "dev.conll").write_text("小\tB-X\n明\tO\n\n", encoding="utf-8")
    config = make_config(tiny)
    heads = {"names": replace(config.heads["names"], dev=str(tmp_path / "dev.conll"))}
    with pytest.raises(TrainingError, match=r"heads\.names: .*dev\.conll: expected labels that .*spans\.conll has"):
        read_splits(replace(config, heads=heads), files())


def test_the_folder_holds_the_heads(learned: tuple[Corpus, RunResult, Recorder]) -> None:
    corpus, result, _ = learned
    description = json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
    assert description["heads"]["names"]["labels"] == ["B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O"]
    assert description["heads"]["names"]["label_counts"] == {"LOC": 8, "ORG": 4, "PER": 10}
    assert "S-VV" in description["heads"]["xpos"]["labels"]
    assert "S-VERB" in description["labels"]
    stored = set(load_file(result.folder / "model.safetensors"))
    assert {name for name in stored if name.startswith("heads.names.")} == {
        "heads.names.emission.weight",
        "heads.names.emission.bias",
    }
    assert "heads.xpos.crf.transitions" in stored
    card = (result.folder / "README.md").read_text(encoding="utf-8")
    for line in (
        "## Scores of head xpos on dev",
        "## Scores of head names on test",
        "| head names | spans, scheme BIO, 7 tags, softmax, loss weight 2 |",
        "| train (names) split | 12 sentences, 99 tokens |",
        "| train split | 20 sentences, 740 tokens |",
    ):
        assert line in card
    assert len(corpus.train) == 32


def test_the_saved_model_says_what_torch_says(tiny: Path, tmp_path: Path) -> None:
    corpus = read_splits(make_config(tiny), files())
    result = run_training(corpus, files(), tmp_path / "model")
    assert result is not None
    tagger = gatewise.load(result.folder)
    prepared = prepare(corpus.config, corpus.train, corpus.dev)
    trained = train_tagger(prepared)  # the same again: the seed is the same
    stored = load_file(result.folder / "model.safetensors")
    assert stored.keys() == trained.arrays.keys()
    assert all(np.array_equal(stored[name], array.numpy()) for name, array in trained.arrays.items())
    network = new_network(prepared)
    for name, array in network.arrays().items():
        array.copy_(trained.arrays[name])
    tagged = tagger.tag_sentences(labeled_for(corpus.dev, "names"))
    for name, head in prepared.heads.items():
        assert len(head.dev) == {"names": 12, "xpos": 20}[name]
        by_torch = predict(network, head.dev, head.labels, name)
        by_graph = tagger.tag_sentences(labeled_for(corpus.dev, name))
        assert by_torch == [sentence.heads[name].tags for sentence in by_graph]
    main = predict(network, prepared.heads["names"].dev, prepared.labels)
    assert main == [sentence.tags for sentence in tagged]


@pytest.mark.parametrize("stop_at", [3, 9, 16])
def test_a_stopped_run_ends_with_the_same_weights(tiny: Path, tmp_path: Path, stop_at: int) -> None:
    """Batches of two sentences: some hold none that is labeled for a head, which Adam must not forget."""
    config = make_config(tiny, {"epochs": 3, "batch_size": 2})
    corpus = read_splits(config, files())
    prepared = prepare(corpus.config, corpus.train, corpus.dev)
    whole = train_tagger(prepared)
    steps = iter(range(1000))
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(StoppedError):
        train_tagger(prepared, checkpoint=path, should_stop=lambda: next(steps) == stop_at)
    again = train_tagger(prepared, checkpoint=path, resume=True)
    assert whole.arrays.keys() == again.arrays.keys()
    for name, array in whole.arrays.items():
        assert torch.equal(array, again.arrays[name]), name


def test_another_head_s_labels_are_another_run(tiny: Path, tmp_path: Path) -> None:
    corpus = read_splits(make_config(tiny), files())
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(StoppedError):
        train_tagger(prepare(corpus.config, corpus.train), checkpoint=path, should_stop=lambda: True)
    first = corpus.train[20]
    changed = replace(first, heads=Heads({"names": first.heads["names"].with_tags(["O"] * len(first))}))
    assert changed != first
    with pytest.raises(TrainingError, match="expected the checkpoint of this configuration and this data"):
        train_tagger(
            prepare(corpus.config, [*corpus.train[:20], changed, *corpus.train[21:]]), checkpoint=path, resume=True
        )
    moved = {**corpus.config.heads, "names": replace(corpus.config.heads["names"], train="elsewhere/spans.conll")}
    same = prepare(replace(corpus.config, heads=moved), corpus.train)
    assert same.fingerprint() == prepare(corpus.config, corpus.train).fingerprint()


def test_a_head_moves_the_encoder_and_its_weight_says_how_much(tiny: Path) -> None:
    def weights(**heads: Any) -> dict[str, Any]:
        config = make_config(tiny, {"epochs": 1, "dropout": 0.0}, heads=heads)
        corpus = read_splits(config, files())
        return {
            name: array.numpy() for name, array in train_tagger(prepare(corpus.config, corpus.train)).arrays.items()
        }

    alone, light, heavy = weights(), weights(x={"column": "xpos"}), weights(x={"column": "xpos", "weight": 9.0})
    name = "encoder.weight_hh_l0"
    assert not np.array_equal(alone[name], light[name])
    assert not np.array_equal(light[name], heavy[name])


def test_labels_of_one_head_may_count_more(tiny: Path) -> None:
    heads = {"x": {"column": "xpos", "label_weights": {"VV": 5.0}}}
    corpus = read_splits(make_config(tiny, {"epochs": 1}, heads=heads), files())
    train_tagger(prepare(corpus.config, corpus.train))
    wrong = {"x": replace(corpus.config.heads["x"], label_weights={"VERB": 2.0})}
    prepared = prepare(replace(corpus.config, heads=wrong), corpus.train)
    with pytest.raises(TrainingError, match=r"heads\.x\.label_weights: expected labels of .* found VERB; it has "):
        train_tagger(prepared)


def test_what_cannot_be_trained_on_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.conll").write_text("\n", encoding="utf-8")
    config = make_config(tiny)
    for split in ("dev", "train"):
        head = replace(config.heads["names"], scheme="auto", **{split: str(tmp_path / "empty.conll")})
        with pytest.raises((TrainingError, FormatError), match=r"heads\.names: .*empty\.conll"):
            read_splits(replace(config, heads={"names": head}), files())
    corpus = read_splits(config, files())
    with pytest.raises(TrainingError, match=r"heads\.names: expected at least one training sentence labeled for it"):
        prepare(corpus.config, labeled_for(corpus.train))
    with pytest.raises(TrainingError, match="the training split: expected at least one sentence, found none"):
        prepare(corpus.config, corpus.train[20:])


def test_dev_of_a_head_alone_does_not_decide(tiny: Path) -> None:
    """Without a dev split for the main head all epochs are run, the last weights are kept, heads are still scored."""
    corpus = read_splits(make_config(tiny, {"epochs": 3}), Files(train=SAMPLE))
    recorder = Recorder()
    trained = train_tagger(prepare(corpus.config, corpus.train, corpus.dev), recorder)
    assert (trained.best_epoch, trained.dev_score) == (3, None)
    assert [list(report.heads) for report in recorder.epochs] == [["names"]] * 3


def test_a_tag_that_training_has_not_counts_as_an_error(tiny: Path) -> None:
    corpus = read_splits(make_config(tiny, {"epochs": 1}), files())
    strange = sentence_from_forms(["小", "明"])
    strange = replace(strange, heads=Heads({"names": strange.with_tags(["B-NEW", "I-NEW"])}))
    recorder = Recorder()
    train_tagger(prepare(corpus.config, corpus.train, [strange]), recorder)
    assert recorder.epochs[0].heads["names"].main == 0.0
    assert score_tags([["B-NEW", "I-NEW"]], [["O", "O"]], "BIO").main == 0.0


def test_words_with_two_sets_of_tags(tmp_path: Path) -> None:
    """A column file: the head reads another column of the run's own file, here of words."""
    path = tmp_path / "three.conll"
    rows = [("the", "DT", "O"), ("Bank", "NN", "B-ORG"), ("of", "IN", "I-ORG"), ("Rome", "NN", "I-ORG")]
    path.write_text("\n".join(" ".join(row) for row in rows) + "\n\n" + "Bank NN O\nin IN O\nRome NN B-LOC\n", "utf-8")
    table = {
        "features": {"token_dim": 8},
        "encoder": {"hidden": 8},
        "heads": {"pos": {"columns": "token,tag,_"}},
        "training": {"epochs": 60, "learning_rate": 0.03, "averaging": 0.0, "dropout": 0.0, "unknown_weight": 0.0,
                     "patience": 60, "threads": 1},
    }  # fmt: skip
    run = Files(train=path, dev=path, columns=("token", "_", "tag"))
    corpus = read_splits(config_from_dict(table, where="test"), run)
    result = run_training(corpus, run, tmp_path / "model")
    assert result is not None
    assert (result.scores["dev"].main, result.head_scores["pos"]["dev"].main) == (1.0, 1.0)
    sentence = gatewise.load(result.folder).tag_tokens(["the", "Bank", "of", "Rome"])
    assert sentence.heads["pos"].tags == ("DT", "NN", "IN", "NN")
    assert [span.label for span in sentence.spans] == ["ORG"]
