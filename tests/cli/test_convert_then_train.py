"""Training on annotation tools' exports and on Parquet: the same model as from the column file they were made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

pytestmark = pytest.mark.torch

Run = Any  # the fixture `gatewise_command`

SETTINGS = (
    "features.token_dim=3", "features.bigram_dim=2", "encoder.hidden=3", "training.epochs=2", "training.batch_size=4",
    "training.threads=1", "card.license=CC0-1.0", "name=same",
)  # fmt: skip
NAMES = ("--columns", "tokens=words,tags=ner,text=raw")


def weights(run: Run, path: Path, folder: Path, *options: str) -> bytes:
    """The weights of a model trained on a file, which `evaluate` reads too."""
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    ran = run("train", path, "--dev", path, "-o", folder, "--seed", 5, *settings, *options)
    assert ran.code == 0, ran.err
    assert "12 sentences, 99 tokens" in ran.err
    evaluated = run("evaluate", folder, path, "--json", *options)
    assert (evaluated.code, evaluated.err) == (0, "")
    assert set(json.loads(evaluated.out)["labels"]) == {"LOC", "ORG", "PER"}
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("format", "name", "options"),
    [
        ("doccano", "a.jsonl", ()),
        ("label-studio", "a.json", ()),
        ("prodigy", "a.jsonl", ()),
        ("cluener", "a.json", ()),
        ("parquet", "a.parquet", ()),
        ("parquet", "b.parquet", NAMES),
        ("docbin", "a.spacy", ()),
    ],
)
def test_the_same_model_from_every_format(
    gatewise_command: Run, tiny: Path, tmp_path: Path, format: str, name: str, options: tuple[str, ...]
) -> None:
    for needed in {"parquet": ["pyarrow"], "docbin": ["spacy"]}.get(format, []):
        pytest.importorskip(needed)
    path = tmp_path / name
    made = gatewise_command("convert", tiny / "spans.conll", path, "--to", format, *options)
    assert (made.code, made.err) == (0, "")
    assert weights(gatewise_command, path, tmp_path / "model", *options) == weights(
        gatewise_command, tiny / "spans.conll", tmp_path / "other"
    )
