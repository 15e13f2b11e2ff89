"""A whole run: files in, a folder out that tags without torch what torch would, with a card that tells its scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import gatewise  # noqa: E402
from gatewise.errors import ConfigError, FormatError, ModelError, TrainingError  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.training import run as run_module  # noqa: E402
from gatewise.training.batches import encode_sentences  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.prepare import prepare  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402

pytestmark = pytest.mark.torch


def make_config(**sections: Any) -> Config:
    table: dict[str, Any] = {
        "name": "small",
        "features": {"token_dim": 5, "bigram_dim": 3},
        "encoder": {"hidden": 5},
        "training": {"epochs": 8, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
        "archive": {"numbers": "float32"},
    }
    return config_from_dict(table | sections, where="test")


@pytest.mark.parametrize(
    ("file", "sections"),
    [
        ("spans.conll", {}),
        ("spans.conll", {"archive": {"numbers": "float16"}, "output": {"kind": "softmax"}}),
        ("chunks.conll", {"encoder": {"kind": "rnn", "hidden": 5, "layers": 2}}),
        ("tags.conll", {"task": {"tokenizer": "whitespace"}}),
    ],
)
def test_the_saved_model_says_what_torch_says(tiny: Path, tmp_path: Path, file: str, sections: dict[str, Any]) -> None:
    files = Files(train=tiny / file, dev=tiny / file, test=tiny / file)
    corpus = read_splits(make_config(**sections), files)
    result = run_training(corpus, files, tmp_path / "model")
    tagger = gatewise.load(result.folder)

    prepared = prepare(corpus.config, corpus.train, corpus.dev)
    trained = train_tagger(prepared)  # the same again: the seed is the same
    network = TaggerNetwork(prepared.config, sizes=prepared.sizes, legality=tagger.archive.legality)
    for name, array in network.arrays().items():
        array.copy_(trained.arrays[name])
    encoded = encode_sentences(corpus.train, FeatureEncoder(prepared.config.features, prepared.vocabularies), {})
    assert [s.tags for s in tagger.tag_sentences(corpus.train)] == predict(network, encoded, prepared.labels)

    stored = load_file(result.folder / "model.safetensors")
    for name, array in trained.arrays.items():
        assert stored[name].dtype == np.dtype(corpus.config.archive.numbers)
        assert np.array_equal(stored[name].astype(np.float32), array.numpy())
    assert result.scores["dev"].main == result.scores["test"].main
    assert 100 * result.scores["dev"].main == pytest.approx(trained.dev_score)


def test_the_folder_and_its_card(tiny: Path, tmp_path: Path) -> None:
    files = Files(train=tiny / "segmentation.conllu", dev=tiny / "segmentation.conllu")
    card = {"license": "CC0", "data": "Twelve sentences.", "attribution": "By hand."}
    config = make_config(task={"kind": "segmentation"}, card=card)
    corpus = read_splits(config, files)
    result = run_training(corpus, files, tmp_path / "deep" / "er" / "model")
    names = {"config.json", "vocabulary.json", "model.safetensors", "model.onnx", "README.md"}
    assert {path.name for path in result.folder.iterdir()} == names
    assert {path.name for path in result.folder.parent.iterdir()} == {"model", "model.run"}
    text = (result.folder / "README.md").read_text(encoding="utf-8")
    assert f"- words with their labels: F1 {result.scores['dev'].main:.2%}" in text
    assert "## Scores on test" not in text  # no such split was given
    for part in (
        "# small",
        "## License\n\nCC0",
        "Twelve sentences.",
        "By hand.",
        f"| gatewise | {gatewise.__version__} |",
    ):
        assert part in text
    assert f"| train split | 12 sentences, {sum(map(len, corpus.train))} tokens |" in text
    assert (
        f"{sum(array.size for array in load_file(result.folder / 'model.safetensors').values()):,} parameters" in text
    )
    description = json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
    assert description["config"]["task"] == {
        "kind": "segmentation",
        "tokenizer": "characters",
        "scheme": "BIOES",
        "column": "upos",
        "spaces": "between",
    }
    parts_of_speech = {span.label for span in gatewise.load(result.folder).tag("我们去北京").spans}
    assert {f"{prefix}-{label}" for prefix in "BIES" for label in parts_of_speech} <= set(description["labels"])


def test_an_older_model_is_replaced_and_anything_else_is_refused_before_training(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(train=tiny / "spans.conll")
    corpus = read_splits(make_config(training={"epochs": 1, "threads": 1}), files)
    run_training(corpus, files, tmp_path / "model")
    first = (tmp_path / "model" / "model.onnx").read_bytes()
    other = read_splits(make_config(training={"epochs": 1, "threads": 1, "seed": 5}), files)
    run_training(other, files, tmp_path / "model")
    assert (tmp_path / "model" / "model.onnx").read_bytes() != first

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained, though there is no place to save")

    monkeypatch.setattr(run_module, "train_tagger", never)
    (tmp_path / "model" / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match=r"model: expected no folder or a model to replace, found thesis\.txt"):
        run_training(corpus, files, tmp_path / "model")
    with pytest.raises(ModelError, match=r"thesis\.txt: expected a folder to write the model to, found a file"):
        run_training(corpus, files, tmp_path / "model" / "thesis.txt")
    assert (tmp_path / "model" / "thesis.txt").read_text() == "years of work"


def test_splits_that_cannot_be_used_are_named(tiny: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.conll"
    empty.write_text("\n\n")
    with pytest.raises(TrainingError, match=r"empty\.conll: expected at least one sentence, found none"):
        read_splits(make_config(), Files(train=empty))
    with pytest.raises(TrainingError, match=r"empty\.conll: expected at least one sentence, found none"):
        read_splits(make_config(), Files(train=tiny / "tags.conll", dev=empty))
    with pytest.raises(FormatError, match=r"tags\.conll: expected tags of spans"):
        read_splits(make_config(), Files(train=tiny / "spans.conll", dev=tiny / "tags.conll"))
    with pytest.raises(ConfigError, match=r"spans\.conll: task\.kind segmentation: expected words, in CoNLL-U"):
        read_splits(make_config(task={"kind": "segmentation"}), Files(train=tiny / "spans.conll"))
