"""The configuration: every key checked, every error a sentence with a remedy, and the way to JSON and back."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError
from gatewise.model.config import Config, EncoderConfig
from gatewise.model.config_reading import config_from_dict, read_config


def refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^here\.toml: {re.escape(message)}"):
        config_from_dict(table, where="here.toml")


def test_defaults_and_changes(tmp_path: Path) -> None:
    assert config_from_dict({}, where="x") == Config() == read_config(None)
    path = tmp_path / "small.toml"
    path.write_text('name = "小"\n[encoder]\nhidden = 50\nbidirectional = false\n[training]\ndropout = 0\n', "utf-8")
    config = read_config(path, ["encoder.layers=3", "output.kind=softmax", 'card.license="CC BY 4.0"'])
    assert config.name == "小"
    assert config.encoder == EncoderConfig(hidden=50, layers=3, bidirectional=False)
    assert config.output.kind == "softmax"
    assert config.card.license == "CC BY 4.0"
    assert (config.training.dropout, type(config.training.dropout)) == (0.0, float)  # a whole number is a number
    assert config.features == Config().features


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"encoder": {"hiden": 5}}, "unknown key 'encoder.hiden'; did you mean 'encoder.hidden'?"),
        ({"encodr": {}}, "unknown key 'encodr'; did you mean 'encoder'?"),
        (
            {"training": {"learningrate": 1}},
            "unknown key 'training.learningrate'; did you mean 'training.learning_rate'?",
        ),
        ({"output": {"zzz": 5}}, "unknown key 'output.zzz'; known keys here are output.kind"),
        ({"encoder": {"hidden": "5"}}, "encoder.hidden: expected a whole number, found '5'"),
        ({"encoder": {"hidden": 5.0}}, "encoder.hidden: expected a whole number, found 5.0"),
        ({"encoder": {"hidden": True}}, "encoder.hidden: expected a whole number, found True"),
        ({"encoder": {"bidirectional": 1}}, "encoder.bidirectional: expected true or false, found 1"),
        ({"training": {"dropout": "x"}}, "training.dropout: expected a number, found 'x'"),
        ({"training": {"dropout": True}}, "training.dropout: expected a number, found True"),
        ({"name": 5}, "name: expected a string, found 5"),
        ({"encoder": 5}, "encoder: expected a table of settings, found 5"),
        ({"encoder": {"hidden": {"x": 1}}}, "encoder.hidden: expected a whole number, found {'x': 1}"),
        ({"encoder": {"hidden": 0}}, "encoder.hidden: expected a whole number of at least 1, found 0"),
        ({"features": {"bigram_dim": -1}}, "features.bigram_dim: expected a whole number of at least 0, found -1"),
        ({"training": {"dropout": 1}}, "training.dropout: expected a number from 0 up to, not including, 1, found 1.0"),
        ({"training": {"averaging": -0.1}}, "training.averaging: expected a number from 0 up to, not including, 1"),
        ({"training": {"learning_rate": 0}}, "training.learning_rate: expected a number above 0, at most 1000"),
        ({"training": {"gradient_clip": float("inf")}}, "training.gradient_clip: expected a number above 0, found inf"),
        (
            {"training": {"learning_rate": float("nan")}},
            "training.learning_rate: expected a number above 0, at most 1000",
        ),
        ({"training": {"unknown_weight": -1}}, "training.unknown_weight: expected a number of at least 0, found -1.0"),
        ({"features": {"characters": "gru"}}, "features.characters: expected one of none, lstm, cnn, found 'gru'"),
        ({"encoder": {"layers": 1001}}, "encoder.layers: expected a whole number of at most 1000, found 1001"),
        ({"features": {"shape_dim": -1}}, "features.shape_dim: expected a whole number of at least 0, found -1"),
        ({"features": {"character_dim": 0}}, "features.character_dim: expected a whole number of at least 1, found 0"),
        ({"encoder": {"kind": "gru"}}, "encoder.kind: expected one of lstm, rnn, found 'gru'"),
        ({"output": {"kind": ""}}, "output.kind: expected one of crf, softmax, found ''"),
        ({"task": {"scheme": "bioes"}}, "task.scheme: expected one of auto, BIO, BIOES, plain, found 'bioes'"),
        (
            {"archive": {"numbers": "int4"}},
            "archive.numbers: expected one of auto, float32, float16, int8, found 'int4'",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(table: dict[str, Any], message: str) -> None:
    refused(table, message)


@pytest.mark.parametrize("key", ["features.bigram_dim", "training.seed", "training.threads"])
def test_zero_is_a_number_where_it_means_something(key: str) -> None:
    section, name = key.split(".")
    assert read_config(None, [f"{key}=0"]).to_dict()[section][name] == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "encoder.hidden",
            "--set: expected key=value, found 'encoder.hidden'; write for example --set encoder.hidden=100",
        ),
        ("encoder.hiden=5", "--set: unknown key 'encoder.hiden'; did you mean 'encoder.hidden'?"),
        ("encoder.hidden=many", "--set: encoder.hidden: expected a whole number, found 'many'"),
        ("encoder.hidden=", "--set: encoder.hidden: expected a whole number, found ''"),
        ("name.x=5", "--set"),
        ("=5", "--set: unknown key ''"),
        ("encoder=5", "--set: encoder: expected a table of settings, found 5"),
        ("encoder.hidden.x=5", "--set: encoder.hidden: expected a whole number"),
    ],
)
def test_wrong_settings_are_refused(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{re.escape(message)}"):
        read_config(None, [setting])


def test_settings_go_over_the_file_and_later_ones_over_earlier(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[encoder]\nhidden = 10\n")
    assert read_config(path, ["encoder.hidden=20", "encoder.hidden = 30"]).encoder.hidden == 30
    with pytest.raises(ConfigError, match=r"--set encoder\.hidden\.x=1: 'hidden' holds a value"):
        read_config(path, ["encoder.hidden.x=1"])
    assert read_config(None, ["name=a=b"]).name == "a=b"


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read \(No such file"):
        read_config(tmp_path / "nothing.toml")
    for content in (b"[encoder\n", b"name = \xff\n", b"a = 1\na = 2\n"):
        (tmp_path / "broken.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"broken\.toml: expected TOML in UTF-8, found an error: "):
            read_config(tmp_path / "broken.toml")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    name=TEXTS,
    hidden=st.integers(1, 10**6),
    dropout=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from(["lstm", "rnn"]),
    bidirectional=st.booleans(),
    description=TEXTS,
)
def test_round_trip_through_json(
    name: str, hidden: int, dropout: float, kind: str, bidirectional: bool, description: str
) -> None:
    table = {
        "name": name,
        "encoder": {"hidden": hidden, "kind": kind, "bidirectional": bidirectional},
        "training": {"dropout": dropout},
        "card": {"description": description},
    }
    config = config_from_dict(table, where="x")
    again = config_from_dict(json.loads(json.dumps(config.to_dict())), where="y")
    assert again == config
    assert set(config.to_dict()) == {entry.name for entry in fields(Config)} - {"heads", "distillation"}  # none


@given(
    teachers=st.lists(TEXTS.filter(bool), min_size=1, unique=True),
    weight=st.floats(0, 1),
    raw=TEXTS,
    sentences=st.integers(1, 10**6),
    raw_weight=st.floats(0, 100, exclude_min=True),
)
def test_distillation_goes_through_json(
    teachers: list[str], weight: float, raw: str, sentences: int, raw_weight: float
) -> None:
    said = {"teachers": teachers, "weight": weight, "raw": raw, "raw_sentences": sentences, "raw_weight": raw_weight}
    config = config_from_dict({"distillation": said}, where="x")
    assert config.distillation.teachers == tuple(teachers)
    assert json.loads(json.dumps(config.to_dict()))["distillation"] == said
    assert config_from_dict(json.loads(json.dumps(config.to_dict())), where="y") == config


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"teachers": "zh"}, "distillation.teachers: expected a list of strings, found 'zh'"),
        ({"teachers": ["zh", 1]}, "distillation.teachers: expected a list of strings, found ['zh', 1]"),
        ({"teachers": ["zh", "zh"]}, "distillation.teachers: expected different names, none of them empty, found"),
        ({"teachers": [""]}, "distillation.teachers: expected different names, none of them empty, found"),
        ({"weight": 1.01}, "distillation.weight: expected a number from 0 to 1, found 1.01"),
        ({"weight": -0.1}, "distillation.weight: expected a number from 0 to 1, found -0.1"),
        ({"raw_weight": 0.0}, "distillation.raw_weight: expected a number above 0, found 0.0"),
        ({"raw_sentences": 0}, "distillation.raw_sentences: expected a whole number of at least 1, found 0"),
        ({"teacher": ["zh"]}, "unknown key 'distillation.teacher'; did you mean 'distillation.teachers'?"),
        (
            {"raw": "raw.txt"},
            "distillation.raw: expected distillation.teachers beside it, whose tags are learned on raw text, found"
            " none; name a trained model",
        ),
    ],
)
def test_what_distillation_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^x: {re.escape(message)}"):
        config_from_dict({"distillation": said}, where="x")
