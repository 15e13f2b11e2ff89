"""Every option of the configuration trained once on real text: 20 sentences of UD Chinese GSDSimp (CC BY-SA 4.0).

Each run must learn: fitted to the sample it must beat what the same run scores without having trained, by far. Marked
slow, and run by default.
"""

from __future__ import annotations

import gzip
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.formats import read_sentences  # noqa: E402
from gatewise.model.config import Config, HeadConfig  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.language_model import LanguageModel, language_model_shapes, save_language_model  # noqa: E402
from gatewise.runtime import load  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SAMPLE = Path(__file__).parents[1] / "data" / "zh_gsdsimp_sample" / "sample.conllu"
NAMES = Path(__file__).parents[1] / "data" / "tiny" / "spans.conll"
# They stand for what the test writes: vectors of tokens, of bigrams, a list of words, a language model, a whole model
VECTORS, BIGRAM_VECTORS, WORDS, LANGUAGE_MODEL = "VECTORS", "BIGRAM_VECTORS", "WORDS", "LANGUAGE_MODEL"
TEACHER = "TEACHER"

# The task says which tokens there are: characters of raw text, or the treebank's words
SEGMENTATION = {"task.kind": "segmentation"}
TAGS = {"task.kind": "tags"}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": SEGMENTATION,
    "words": TAGS,
    "task.column, task.tokenizer": TAGS | {"task.column": "xpos", "task.tokenizer": "whitespace"},
    "task.scheme, task.spaces": SEGMENTATION | {"task.scheme": "BIO", "task.spaces": "within"},
    "features.token_dim": TAGS | {"features.token_dim": 7},
    "features.bigram_dim": SEGMENTATION | {"features.bigram_dim": 0},
    "features.simplified": SEGMENTATION | {"features.simplified": True},
    "features.min_count, features.bigram_min_count": SEGMENTATION
    | {"features.min_count": 2, "features.bigram_min_count": 1},
    "features.characters, features.character_dim, features.character_hidden": TAGS
    | {"features.characters": "lstm", "features.character_dim": 12, "features.character_hidden": 10},
    "features.character_filters": TAGS | {"features.characters": "cnn", "features.character_filters": 20},
    "features.shape_dim": TAGS | {"features.shape_dim": 8},
    "features.affix_length, features.affix_dim": TAGS | {"features.affix_length": 2, "features.affix_dim": 8},
    "features.form_min_count": SEGMENTATION
    | {
        "features.form_min_count": 1,
        "features.characters": "cnn",
        "features.shape_dim": 4,
        "features.affix_length": 1,
    },
    "features.vectors": TAGS | {"features.vectors": VECTORS, "features.token_dim": 16},
    "features.lexicon, features.lexicon_dim, features.lexicon_longest": SEGMENTATION
    | {"features.lexicon": WORDS, "features.lexicon_dim": 8, "features.lexicon_longest": 3},
    "features.lexicon_size, features.lexicon_min_count, features.lexicon_vectors": SEGMENTATION
    | {
        "features.lexicon": WORDS,
        "features.lexicon_dim": 16,
        "features.lexicon_size": 40,
        "features.lexicon_min_count": 1,
        "features.lexicon_vectors": VECTORS,
    },
    "features.vectors_trained": TAGS
    | {"features.vectors": VECTORS, "features.token_dim": 16, "features.vectors_trained": False},
    "features.vectors_added": TAGS
    | {"features.vectors": VECTORS, "features.token_dim": 16, "features.vectors_added": 9},
    "features.bigram_vectors": SEGMENTATION | {"features.bigram_vectors": BIGRAM_VECTORS},
    "features.language_model": SEGMENTATION
    | {
        "features.language_model": LANGUAGE_MODEL,
        "features.language_model_hidden": 12,
        "features.language_model_embedding": 5,
    },
    "features.language_model_dim, features.language_model_spaces": TAGS
    | {
        "features.language_model": LANGUAGE_MODEL,
        "features.language_model_dim": 8,
        "features.language_model_spaces": "outside",
    },
    "features.language_model and features.lexicon": SEGMENTATION
    | {"features.language_model": LANGUAGE_MODEL, "features.lexicon": WORDS, "features.lexicon_dim": 8},
    "encoder.kind": TAGS | {"encoder.kind": "rnn"},
    "encoder.hidden, encoder.layers, encoder.residual": SEGMENTATION
    | {"encoder.hidden": 24, "encoder.layers": 3, "encoder.residual": True},
    "encoder.bidirectional": SEGMENTATION | {"encoder.bidirectional": False},
    "output.kind": SEGMENTATION | {"output.kind": "softmax"},
    "heads of the run's own file": SEGMENTATION
    | {
        "heads.NAME.kind": "segmentation",
        "heads.NAME.scheme": "BIO",
        "heads.NAME.output": "softmax",
        "heads.NAME.column": "xpos",
        "heads.NAME.spaces": "within",
        "heads.NAME.weight": 0.7,
        "heads.NAME.label_weights": {"VV": 3.0},
    },
    "heads with files of their own": SEGMENTATION
    | {
        "heads.NAME.train": str(NAMES),
        "heads.NAME.dev": str(NAMES),
        "heads.NAME.test": str(NAMES),
        "heads.NAME.columns": "token,tag",
        "heads.NAME.weight": 3.0,
    },
    "distillation.teachers, distillation.weight": SEGMENTATION
    | {"distillation.teachers": [TEACHER], "distillation.weight": 1.0},
    "distillation.raw, distillation.raw_sentences, distillation.raw_weight": SEGMENTATION
    | {
        "distillation.teachers": [TEACHER],
        "distillation.raw": str(SAMPLE),
        "distillation.raw_sentences": 15,
        "distillation.raw_weight": 0.5,
    },
    "training.batch_size, training.batch_tokens": SEGMENTATION
    | {"training.batch_size": 3, "training.batch_tokens": 100},
    "training.warmup_steps, training.decay": TAGS | {"training.warmup_steps": 20, "training.decay": "cosine"},
    "training.gradient_clip": TAGS | {"training.gradient_clip": 0.5, "training.decay": "constant"},
    "training.dropout, training.variational_dropout": SEGMENTATION
    | {"training.dropout": 0.3, "training.variational_dropout": True},
    "training.word_dropout": TAGS | {"training.word_dropout": 0.1},
    "training.adversarial": SEGMENTATION | {"training.adversarial": 1.0},
    "training.unknown_weight": TAGS | {"training.unknown_weight": 0.0},
    "training.averaging": TAGS | {"training.averaging": 0.0},
    "training.label_weights": TAGS | {"training.label_weights": {"VERB": 3.0, "NOUN": 0.5}},
    "archive.numbers": SEGMENTATION | {"archive.numbers": "float16"},
    "archive.numbers, int8": SEGMENTATION | {"archive.numbers": "int8"},
}
# These say how long and how often, how the work is done, or what is written on the card.
OTHERS = {
    "name",
    "training.seed",
    "training.epochs",
    "training.longest_sentence",
    "training.learning_rate",
    "training.patience",
    "training.threads",
    "training.device",
    "training.precision",
    "training.checkpoint_seconds",
    "training.tensorboard",
    "card.description",
    "card.data",
    "card.license",
    "card.attribution",
    "card.limits",
}
EPOCHS = 25


def make_config(settings: dict[str, Any], vectors: Path, *, epochs: int) -> Config:
    table: dict[str, Any] = {
        "features": {"token_dim": 16, "bigram_dim": 16, "bigram_min_count": 1},
        "encoder": {"hidden": 24},
        "training": {
            "epochs": epochs,
            "batch_size": 4,
            "learning_rate": 0.02,
            "averaging": 0.9,
            "dropout": 0.1,
            "unknown_weight": 0.1,
            "threads": 1,
        },
        "archive": {"numbers": "float32"},
    }
    for key, value in settings.items():
        *sections, name = key.split(".")
        section = table
        for one in sections:
            section = section.setdefault(one, {})
        files = {name: vectors / name for name in (VECTORS, BIGRAM_VECTORS, LANGUAGE_MODEL)}
        files[WORDS] = vectors / VECTORS
        section[name] = str(files[value]) if isinstance(value, str) and value in files else value
        if value == [TEACHER]:
            section[name] = [str(vectors / TEACHER)]
    return config_from_dict(table, where="test")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random vectors of half the sample's words, and of half the bigrams in its text, a language
    model of random weights, and a model that was trained on the sample."""
    sentences = list(read_sentences(SAMPLE))
    words = {form for sentence in sentences for form in sentence.forms}
    pairs = {"".join(pair) for sentence in sentences for pair in pairwise(sentence.text)}
    draw = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("vectors")
    for name, keys in ((VECTORS, sorted(words)[::2]), (BIGRAM_VECTORS, sorted(pairs)[::2])):
        lines = [f"{key} " + " ".join(f"{number:.4f}" for number in draw.normal(size=16) / 4) for key in keys]
        (folder / name).write_bytes(gzip.compress("\n".join([f"{len(keys)} 16", *lines, ""]).encode()))
    characters = tuple(sorted({"\n", " "}.union(*(sentence.text for sentence in sentences))))
    shapes = language_model_shapes(hidden=12, dim=5, size=len(characters) + 2)
    arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    model = LanguageModel(hidden=12, dim=5, vocabulary=Vocabulary(entries=characters), arrays=arrays)
    save_language_model(folder / LANGUAGE_MODEL, model, card="# made up\n")
    run(SEGMENTATION, folder, folder / TEACHER, epochs=EPOCHS)
    return folder


def run(settings: dict[str, Any], vectors: Path, folder: Path, *, epochs: int) -> float:
    """The score of the saved model on what it was trained on, that of its weakest head."""
    files = Files(train=SAMPLE, dev=SAMPLE)
    corpus = read_splits(make_config(settings, vectors, epochs=epochs), files)
    result = run_training(corpus, files, folder)
    assert result is not None
    return min(scores["dev"].main for scores in (result.scores, *result.head_scores.values()))


@pytest.mark.parametrize("name", OPTIONS)
def test_it_learns_and_what_is_saved_can_be_explained(tmp_path: Path, vectors: Path, name: str) -> None:
    settings = OPTIONS[name]
    score = run(settings, vectors, tmp_path / "model", epochs=EPOCHS)
    assert score > 0.8, "25 epochs over 20 sentences must fit them"
    tagger = load(tmp_path / "model")
    for sentence in list(read_sentences(SAMPLE))[:3]:
        trace = tagger.trace(sentence.text)
        assert trace.fast_path_agrees or settings.get("archive.numbers") == "int8"
        assert trace.parts[-1].stop == trace.x.shape[1]


def test_the_bound_says_something(tmp_path: Path, vectors: Path) -> None:
    for task in (SEGMENTATION, TAGS):
        rate = {"training.learning_rate": 1e-9}
        assert run(task | rate, vectors, tmp_path / task["task.kind"], epochs=1) < 0.5


def test_no_option_is_left_out() -> None:
    """A new option is trained here as well, or said to be none that changes what is learned."""
    keys = set()
    for section in fields(Config):
        if section.name == "heads":
            keys |= {f"heads.NAME.{one.name}" for one in fields(HeadConfig)}
            continue
        value = getattr(Config(), section.name)
        keys |= {section.name} if isinstance(value, str) else {f"{section.name}.{one.name}" for one in fields(value)}
    tried = {key for settings in OPTIONS.values() for key in settings}
    assert tried | OTHERS == keys
    assert not tried & OTHERS
