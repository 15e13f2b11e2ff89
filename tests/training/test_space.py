"""What a search may change: files of ranges and choices, checked as a configuration is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from gatewise.errors import ConfigError
from gatewise.model.config import Config
from gatewise.training.space import DEFAULT_SPACE, Choices, Range, changed, read_space, space_from_dict, value_of

CHARACTERS = replace(Config(), task=replace(Config().task, tokenizer="characters"))
WORDS = replace(Config(), task=replace(Config().task, tokenizer="words"))


def test_the_default_space_holds_the_defaults_and_knows_words() -> None:
    space = read_space(None, CHARACTERS)
    assert all(dimension.holds(value_of(CHARACTERS, key)) for key, dimension in space.dimensions.items())
    assert set(read_space(None, WORDS)) == set(space) - {"features.bigram_dim"}
    assert set(space) == {f"{section}.{key}" for section, keys in tomllib.loads(DEFAULT_SPACE).items() for key in keys}


def test_a_file_is_read_with_the_kind_of_each_setting(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        "[encoder]\nhidden = { low = 64, high = 256, step = 64 }\nkind = { choices = ['lstm', 'rnn'] }\n"
        "[training]\nlearning_rate = { low = 0.001, high = 1, log = true }\nbatch_size = { low = 1, high = 9 }\n",
        encoding="utf-8",
    )
    assert dict(read_space(path, WORDS).dimensions) == {
        "encoder.hidden": Range(low=64, high=256, step=64, whole=True),
        "encoder.kind": Choices(values=("lstm", "rnn")),
        "training.learning_rate": Range(low=0.001, high=1, log=True),
        "training.batch_size": Range(low=1, high=9, whole=True),
    }


def test_what_is_drawn_becomes_a_short_number() -> None:
    space = space_from_dict(
        {"training": {"learning_rate": {"low": 1e-4, "high": 1.0}}, "encoder": {"layers": {"low": 1, "high": 3}}},
        WORDS,
        where="test",
    )
    drawn = {"training.learning_rate": 0.00123456, "encoder.layers": 2}
    assert space.values(drawn) == {"training.learning_rate": 0.00123, "encoder.layers": 2}
    config = changed(WORDS, space.values(drawn), where="test")
    assert (config.training.learning_rate, config.encoder.layers) == (0.00123, 2)
    assert replace(config, training=WORDS.training, encoder=WORDS.encoder) == WORDS


def test_a_range_holds_its_ends_and_its_grid() -> None:
    grid = Range(low=0.1, high=0.7, step=0.15)
    assert [value for value in (0.1, 0.25, 0.3, 0.4, 0.55, 0.7, 0.85) if grid.holds(value)] == [
        0.1,
        0.25,
        0.4,
        0.55,
        0.7,
    ]
    assert not Range(low=1, high=2).holds(2.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[encoder]\nhiden = { low = 1, high = 2 }", r"unknown key 'encoder\.hiden'; did you mean 'encoder\.hidden'"),
        ("[encoder]\nhidden = 100", r"encoder\.hidden: expected \{ low = .* found 100; a setting with one"),
        ("[encoder]\nhidden = { low = 0, high = 20 }", r"encoder\.hidden: expected a whole number of at least 1"),
        ("[encoder]\nhidden = { low = 1.5, high = 20 }", r"encoder\.hidden: expected whole numbers with low"),
        ("[encoder]\nhidden = { low = 20, high = 20 }", r"encoder\.hidden: expected whole numbers with low"),
        ("[encoder]\nhidden = { low = 2, high = 20, steps = 2 }", r"encoder\.hidden: expected \{ low = .*, with log"),
        ("[encoder]\nhidden = { low = 2 }", r"encoder\.hidden: expected \{ low = "),
        ("[encoder]\nkind = { choices = ['lstm', 'gru'] }", r"encoder\.kind: expected one of lstm, rnn, found 'gru'"),
        ("[encoder]\nkind = { choices = [] }", r"encoder\.kind: expected choices alone, a list of values"),
        ("[encoder]\nkind = { choices = ['rnn'], low = 1 }", r"encoder\.kind: expected choices alone"),
        ("[training]\ndropout = { low = 0.1, high = 1.5 }", r"training\.dropout: expected a number from 0 up to"),
        ("[training]\ndropout = { low = 0.0, high = 0.5, log = true }", r"training\.dropout: expected log = true with"),
        ("[training]\ndropout = { low = 0.1, high = 0.5, step = 0 }", r"a step above 0"),
        ("[training]\nseed = { low = 1, high = 5 }", r"training\.seed: expected a setting that can be"),
        ("[task]\nscheme = { choices = ['BIO', 'BIOES'] }", r"task\.scheme: expected a setting that can be"),
        ("", "expected at least one setting to search, found none"),
        ("[features]\nbigram_dim = { choices = [0, 8] }", "bigram_dim: expected tokens that are characters, found"),
        ("[encoder\n", "expected TOML in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        read_space(path, WORDS)
    assert str(caught.value).startswith(f"{path}: ")


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read .*--space"):
        read_space(tmp_path / "no.toml", WORDS)
