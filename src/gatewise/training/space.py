"""What a search may change: for settings of the configuration, a range of numbers or a list of choices.

In: a TOML file with the tables of the configuration, where a setting's value is `{ low = …, high = … }` (with `log =
true` for a range that is searched by its logarithm, `step = …` for a grid) or `{ choices = […] }`. Out: a `Space`,
every key and every end of a range checked as a configuration would be.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise.errors import ConfigError
from gatewise.model.config import Config
from gatewise.model.config_reading import config_from_dict

FIXED = ("name", "task", "archive", "card", "training.seed", "training.threads", "training.device")
DIGITS = 3  # significant ones, of numbers that are drawn from a range without a grid

DEFAULT_SPACE = """
[features]
token_dim = { choices = [32, 64, 128] }
bigram_dim = { choices = [0, 32, 64] }     # where tokens are characters

[encoder]
hidden = { low = 100, high = 300, step = 50 }
layers = { low = 1, high = 2 }

[training]
learning_rate = { low = 0.0005, high = 0.01, log = true }
batch_size = { choices = [8, 16, 32] }
dropout = { low = 0.2, high = 0.6, step = 0.05 }
word_dropout = { low = 0.0, high = 0.2, step = 0.05 }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; `log`: searched by logarithm; `step`: a grid; whole or not."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def holds(self, value: float) -> bool:
        if not self.low <= value <= self.high:
            return False
        places = (value - self.low) / self.step if self.step else 0.0
        return abs(places - round(places)) < 1e-6

    def value(self, drawn: float) -> float:
        """The number that a configuration gets: short enough to be read."""
        if self.whole:
            return int(drawn)
        return float(f"{drawn:.{DIGITS}g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        return value in self.values

    def value(self, drawn: Any) -> Any:
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The settings that are searched, by their keys such as `encoder.hidden`."""

    dimensions: Mapping[str, Range | Choices]

    def __iter__(self) -> Iterator[str]:
        return iter(self.dimensions)

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """What the configuration gets for what was drawn."""
        return {key: dimension.value(drawn[key]) for key, dimension in self.dimensions.items()}

    def to_dict(self) -> dict[str, Any]:
        """For JSON, to tell two spaces apart."""
        return {
            key: list(dimension.values)
            if isinstance(dimension, Choices)
            else [dimension.low, dimension.high, dimension.log, dimension.step]
            for key, dimension in self.dimensions.items()
        }


def read_space(path: str | Path | None, config: Config) -> Space:
    """The space of a TOML file, or the default one, around a resolved configuration. Raises ConfigError."""
    characters = config.task.tokenizer == "characters"
    if path is None:
        table = tomllib.loads(DEFAULT_SPACE)
        if not characters:
            del table["features"]["bigram_dim"]
        return space_from_dict(table, config, where="the default space")
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path given to --space") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML in UTF-8, found an error: {error}") from error
    space = space_from_dict(table, config, where=str(path))
    if not characters and "features.bigram_dim" in space.dimensions:
        raise ConfigError(
            f"{path}: features.bigram_dim: expected tokens that are characters, found the tokenizer"
            f" {config.task.tokenizer}; take it out"
        )
    return space


def space_from_dict(table: Mapping[str, Any], config: Config, *, where: str) -> Space:
    """A checked space; `where` opens each error message."""
    known = dict(_leaves(config.to_dict()))
    dimensions: dict[str, Range | Choices] = {}
    for key, said in _leaves(table):
        if any(key == fixed or key.startswith(fixed + ".") for fixed in FIXED):
            raise ConfigError(f"{where}: {key}: expected a setting that can be searched, found one that stays as it is")
        dimension = _dimension(said, whole=type(known.get(key)) is int, place=f"{where}: {key}")
        for value in dimension.values if isinstance(dimension, Choices) else (dimension.low, dimension.high):
            changed(config, {key: value}, where=where)
        dimensions[key] = dimension
    if not dimensions:
        raise ConfigError(f"{where}: expected at least one setting to search, found none")
    return Space(dimensions=dimensions)


def changed(config: Config, values: Mapping[str, Any], *, where: str) -> Config:
    """The configuration with other values for some keys, checked."""
    table = config.to_dict()
    for key, value in values.items():
        *parents, last = key.split(".")
        section = table
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    return config_from_dict(table, where=where)


def value_of(config: Config, key: str) -> Any:
    """What the configuration says for a key such as `encoder.hidden`; None where it says nothing."""
    return dict(_leaves(config.to_dict())).get(key)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each key with what it holds; a table that says a dimension is a leaf."""
    for name, entry in table.items():
        if isinstance(entry, Mapping) and entry and not {"low", "high", "choices"} & entry.keys():
            yield from _leaves(entry, f"{prefix}{name}.")
        else:
            yield prefix + name, entry


def _dimension(said: Any, *, whole: bool, place: str) -> Range | Choices:
    form = "{ low = …, high = … } or { choices = […] }"
    if not isinstance(said, Mapping):
        raise ConfigError(f"{place}: expected {form}, found {said!r}; a setting with one value belongs into --config")
    if "choices" in said:
        choices = said["choices"]
        if len(said) > 1 or not isinstance(choices, list) or not choices or not all(map(_is_plain, choices)):
            raise ConfigError(f"{place}: expected choices alone, a list of values, found {said!r}")
        return Choices(values=tuple(choices))
    if not {"low", "high"} <= said.keys() or said.keys() - {"low", "high", "log", "step"}:
        raise ConfigError(f"{place}: expected {form}, with log or step, found {said!r}")
    low, high, step, log = said["low"], said["high"], said.get("step"), said.get("log", False)
    kinds = (int,) if whole else (int, float)
    numbers = [low, high] if step is None else [low, high, step]
    if not all(type(number) in kinds for number in numbers) or not low < high or (step is not None and step <= 0):
        kind = "whole numbers" if whole else "numbers"
        raise ConfigError(f"{place}: expected {kind} with low below high and a step above 0, found {said!r}")
    if type(log) is not bool or (log and (step is not None or low <= 0)):
        raise ConfigError(f"{place}: expected log = true with a low above 0 and without step, found {said!r}")
    return Range(low=low, high=high, log=log, step=step, whole=whole)


def _is_plain(value: Any) -> bool:
    return type(value) in (bool, int, float, str)
