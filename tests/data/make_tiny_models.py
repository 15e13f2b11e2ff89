"""Makes the stored tiny models of the current format version: `python tests/data/make_tiny_models.py`.

In: the few hand-made sentences in `tiny/`. Out: `models/v1-spans/` and its sisters, and beside each what it says of a
few texts (`v1-spans.expected.json`), so that every later version that loads it is checked against numbers. A folder
that is there already is left alone: what a released version wrote is never written again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from gatewise.model.archive import FORMAT_VERSION, open_model, save_model
from gatewise.model.config_reading import config_from_dict
from gatewise.runtime import Tagger, Trace, load
from gatewise.text.sentence import Sentence
from gatewise.training.pretrain import PretrainSettings
from gatewise.training.pretrain_run import run_pretraining
from gatewise.training.run import run_folder, run_training
from gatewise.training.splits import Files, read_splits

HERE = Path(__file__).parent
CORPORA, MODELS = HERE / "tiny", HERE / "models"

TRAINING = {
    "seed": 7,
    "epochs": 100,
    "batch_size": 3,
    "learning_rate": 0.03,
    "averaging": 0.9,
    "dropout": 0.1,
    "unknown_weight": 0.2,
    "threads": 1,
}
CHINESE = ("小明住在北京。", "我叫李，从上海来。", "龘去👩‍👧南京𠮷𠮷大学", "今天", "我", "我 们，\r\n去！", "")
ENGLISH = ("The old man saw a dog .", "She RAN in the zzyzx park", "他 has 42 cats !", "on", "")

# name → corpus, its texts, and what departs from the defaults
RECIPES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "spans": (
        "spans.conll",
        CHINESE,
        {"features": {"token_dim": 6, "bigram_dim": 4}, "encoder": {"hidden": 5}},
    ),
    "simplified": (
        "spans.conll",
        ("小明住在北京。", "小明來自上海，學習漢語"),
        {"features": {"token_dim": 6, "bigram_dim": 4, "simplified": True}, "encoder": {"hidden": 5}},
    ),
    "segmentation": (
        "segmentation.conllu",
        CHINESE,
        {
            "task": {"kind": "segmentation"},
            "features": {"token_dim": 6, "bigram_dim": 4, "bigram_min_count": 1},
            "encoder": {"hidden": 6, "layers": 2},
            "archive": {"numbers": "float16"},
        },
    ),
    "softmax-rnn": (
        "chunks.conll",
        ENGLISH,
        {
            "task": {"scheme": "BIO"},
            "features": {"token_dim": 6},
            "encoder": {"kind": "rnn", "hidden": 7},
            "output": {"kind": "softmax"},
        },
    ),
    "tags": (
        "tags.conll",
        ENGLISH,
        {
            "task": {"tokenizer": "whitespace"},
            "features": {"token_dim": 5},
            "encoder": {"hidden": 8, "bidirectional": False},
        },
    ),
    "heads": (
        "segmentation.conllu",
        CHINESE,
        {
            "task": {"kind": "segmentation"},
            "features": {"token_dim": 5, "bigram_dim": 3, "bigram_min_count": 1},
            "encoder": {"hidden": 7},
            "heads": {
                "names": {
                    "train": "tiny/spans.conll",
                    "dev": "tiny/spans.conll",
                    "scheme": "BIO",
                    "output": "softmax",
                    "weight": 2.0,
                },
                "chunks": {"train": "tiny/spans.conll", "kind": "spans"},
            },
        },
    ),
    # from here on with the sums of the files
    "calibrated": (
        "spans.conll",
        CHINESE,
        {"features": {"token_dim": 5, "bigram_dim": 3}, "encoder": {"hidden": 6}},
    ),
    "half-heads": (
        "segmentation.conllu",
        CHINESE,
        {
            "task": {"kind": "segmentation"},
            "features": {"token_dim": 4, "bigram_dim": 0},
            "encoder": {"hidden": 6},
            "heads": {"names": {"train": "tiny/spans.conll", "scheme": "BIOES"}},
            "archive": {"numbers": "float16"},
        },
    ),
    "forms-cnn": (
        "chunks.conll",
        ENGLISH,
        {
            "features": {
                "token_dim": 4,
                "bigram_dim": 0,
                "characters": "cnn",
                "character_dim": 3,
                "character_filters": 5,
                "shape_dim": 2,
                "affix_length": 2,
                "affix_dim": 2,
                "form_min_count": 1,
            },
            "encoder": {"hidden": 4, "layers": 2, "residual": True},
            "archive": {"numbers": "float16"},
        },
    ),
    "forms-lstm": (
        "tags.conll",
        ENGLISH,
        {
            "task": {"tokenizer": "words"},
            "features": {"token_dim": 4, "bigram_dim": 0, "characters": "lstm", "character_hidden": 3},
            "encoder": {"hidden": 5},
        },
    ),
    "integers": (
        "spans.conll",
        CHINESE,
        {
            "features": {"token_dim": 6, "bigram_dim": 4},
            "encoder": {"hidden": 6, "layers": 2},
            "archive": {"numbers": "int8"},
        },
    ),
    "lexicon": (
        "spans.conll",
        CHINESE,
        {
            "features": {
                "token_dim": 5,
                "bigram_dim": 0,
                "lexicon": "tiny/words.txt",
                "lexicon_dim": 4,
                "lexicon_longest": 4,
            },
            "encoder": {"hidden": 6},
        },
    ),
    "language-model": (
        "spans.conll",
        CHINESE,
        {
            "features": {"token_dim": 4, "bigram_dim": 0, "language_model": "lm", "language_model_dim": 3},
            "encoder": {"hidden": 5},
            "archive": {"numbers": "float16"},
        },
    ),
}
TEMPERATURES = {"calibrated": 1.75}
LANGUAGE_MODEL_TEXT = "小明住在北京。我从上海来。今天我们去南京大学。\n" * 200


def main() -> None:
    """Make what is missing."""
    for name, (corpus, texts, settings) in RECIPES.items():
        folder = MODELS / f"v{FORMAT_VERSION}-{name}"
        if not folder.exists():
            make(folder, CORPORA / corpus, settings)
            if name in TEMPERATURES:
                calibrate(folder, TEMPERATURES[name])
            lines = [json.dumps(entry, ensure_ascii=False) for entry in expectations(load(folder), texts)]
            text = "[\n" + ",\n".join(lines) + "\n]\n"
            folder.with_name(f"{folder.name}.expected.json").write_text(text, encoding="utf-8")


def make(folder: Path, corpus: Path, settings: dict[str, Any]) -> None:
    """Train on the corpus and save."""
    card = {"license": "Apache-2.0", "data": f"`tests/data/tiny/{corpus.name}`, a few sentences made up for the tests."}
    table = {"name": folder.name, "card": card, "training": TRAINING, "archive": {"numbers": "float32"}, **settings}
    files = Files(train=corpus, dev=corpus)
    with chdir(HERE), language_model():  # the files of heads and of features are named from here
        run_training(read_splits(config_from_dict(table, where="make_tiny_models.py"), files), files, folder)
    rmtree(run_folder(folder))


@contextmanager
def language_model() -> Iterator[None]:
    """A small language model in the folder `lm`, for as long as it is read."""
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as text:
        text.write(LANGUAGE_MODEL_TEXT)
        text.flush()
        settings = PretrainSettings(hidden=6, dim=4, vocabulary=30, lanes=4, window=8, epochs=2)
        run_pretraining([Path(text.name)], Path("lm"), settings)
    try:
        yield
    finally:
        rmtree("lm")


def calibrate(folder: Path, temperature: float) -> None:
    """Save the model again, with a temperature."""
    archive = open_model(folder)
    save_model(
        folder,
        config=archive.config,
        scheme=archive.scheme,
        labels=archive.labels,
        vocabularies=archive.vocabularies,
        arrays=load_file(folder / "model.safetensors"),
        graph=archive.graph_path.read_bytes(),
        card=archive.card,
        facts=archive.facts,
        temperature=temperature,
        heads=archive.heads,
    )


def expectations(tagger: Tagger, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """What the model says of each text: tokens, tags, spans, the probabilities, and the emissions of the reference."""
    found = []
    for text in texts:
        trace = tagger.trace(text)
        sentence = tagger.tag(text)
        found.append(
            {
                "text": text,
                "tokens": [[token.start, token.end] for token in sentence],
                "tags": list(sentence.tags or ()),
                "scores": [round(score, 6) for score in sentence.scores or ()],
                "spans": [[span.start, span.end, span.label, round(span.score, 6)] for span in sentence.spans],
                "emissions": np.round(trace.emissions, 5).tolist(),
            }
        )
        if tagger.heads:
            found[-1]["heads"] = {name: _said(sentence.heads[name], tagger.trace(text, name)) for name in tagger.heads}
    return found


def _said(sentence: Sentence, trace: Trace) -> dict[str, Any]:
    return {
        "tags": list(sentence.tags or ()),
        "scores": [round(score, 6) for score in sentence.scores or ()],
        "spans": [[span.start, span.end, span.label, round(span.score, 6)] for span in sentence.spans],
        "emissions": np.round(trace.emissions, 5).tolist(),
    }


if __name__ == "__main__":
    main()
