"""Configurations from TOML files, `key=value` settings and dictionaries, every key and value checked.

Out: a frozen `Config`. An unknown key is refused with the nearest known one, a value out of its range with what was
expected; messages name the place.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from gatewise.errors import ConfigError
from gatewise.model.config import (
    CHARACTER_NETWORKS,
    DECAYS,
    DEVICES,
    ENCODERS,
    LANGUAGE_MODEL_SPACES,
    NUMBER_TYPES,
    OUTPUTS,
    PRECISIONS,
    TAG_COLUMNS,
    TASK_SCHEMES,
    TASK_TOKENIZERS,
    TASKS,
    Config,
    HeadConfig,
)


def read_config(path: str | Path | None, settings: Iterable[str] = ()) -> Config:
    """The configuration of a TOML file (none: all defaults), changed by settings such as `encoder.hidden=100`."""
    table: dict[str, Any] = {}
    if path is not None:
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path given to --config") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected TOML in UTF-8, found an error: {error}") from error
    for setting in settings:
        _apply(table, setting)
    return config_from_dict(table, where=str(path) if path is not None else "--set")


def config_from_dict(table: Mapping[str, Any], *, where: str) -> Config:
    """A checked configuration from nested dictionaries; `where` opens each error message."""
    config = _section(Config, table, where=where, prefix="")
    for name in config.heads:
        if not _HEAD_NAME.fullmatch(name):
            raise ConfigError(
                f"{where}: heads: expected a name of letters, digits, _ and - for a head, found {name!r}; rename it"
            )
    for key, value in _leaves(config):
        if expected := _expected(key, value):
            raise ConfigError(f"{where}: {key}: expected {expected}, found {value!r}")
    if config.distillation.raw and not config.distillation.teachers:
        raise ConfigError(
            f"{where}: distillation.raw: expected distillation.teachers beside it, whose tags are learned on raw text,"
            " found none; name a trained model"
        )
    return config


def _apply(table: dict[str, Any], setting: str) -> None:
    """Put `encoder.hidden=100` into the nested table; the value is TOML, or else taken as a string."""
    key, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set: expected key=value, found {setting!r}; write for example --set encoder.hidden=100")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = key.strip().split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {setting}: {parent!r} holds a value, not a table of settings")
    table[last] = value


SectionType = TypeVar("SectionType")


def _section(cls: type[SectionType], table: Any, *, where: str, prefix: str) -> SectionType:
    """One dataclass from one table, keys and types checked."""
    if not isinstance(table, Mapping):
        place = f"{where}: {prefix.rstrip('.')}" if prefix else where
        raise ConfigError(f"{place}: expected a table of settings, found {table!r}")
    types = get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in types:
            raise ConfigError(f"{where}: unknown key {prefix + key!r}; {_nearest(key, prefix, types)}")
        values[key] = _value(types[key], value, where=where, key=prefix + key)
    return cls(**values)


def _nearest(key: str, prefix: str, types: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, types, n=1, cutoff=0.5)
    if close:
        return f"did you mean {prefix + close[0]!r}?"
    return "known keys here are " + ", ".join(prefix + name for name in types)


def _value(wanted: Any, value: Any, *, where: str, key: str) -> Any:
    if get_origin(wanted) is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where}: {key}: expected {_table_of(wanted)}, found {value!r}")
        inner = get_args(wanted)[1]
        return {str(name): _value(inner, entry, where=where, key=f"{key}.{name}") for name, entry in value.items()}
    if get_origin(wanted) is tuple:
        if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
            raise ConfigError(f"{where}: {key}: expected a list of strings, found {value!r}")
        return tuple(value)
    if wanted not in (int, float, bool, str):
        return _section(wanted, value, where=where, prefix=key + ".")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}
        raise ConfigError(f"{where}: {key}: expected {names[wanted]}, found {value!r}")
    return value


def _table_of(wanted: Any) -> str:
    if get_args(wanted)[1] is HeadConfig:
        return "a table of heads with their settings"
    return "a table of labels with their numbers"


_HEAD_NAME = re.compile(r"[\w-]+")  # it stands in the names of weights and of the graph's outputs
_CHOICES = {
    "task.kind": TASKS,
    "task.tokenizer": TASK_TOKENIZERS,
    "task.scheme": TASK_SCHEMES,
    "task.column": TAG_COLUMNS,
    "task.spaces": ("auto", "between", "within"),
    "features.characters": CHARACTER_NETWORKS,
    "features.language_model_spaces": LANGUAGE_MODEL_SPACES,
    "encoder.kind": ENCODERS,
    "output.kind": OUTPUTS,
    "heads.NAME.kind": TASKS,
    "heads.NAME.scheme": TASK_SCHEMES,
    "heads.NAME.output": ("auto", *OUTPUTS),
    "heads.NAME.column": TAG_COLUMNS,
    "heads.NAME.spaces": ("auto", "between", "within"),
    "training.decay": DECAYS,
    "training.device": DEVICES,
    "training.precision": PRECISIONS,
    "archive.numbers": NUMBER_TYPES,
}
_FROM_ZERO = {  # every other whole number: at least 1
    "features.bigram_dim",
    "features.shape_dim",
    "features.affix_length",
    "features.affix_dim",
    "features.vectors_added",
    "features.language_model_dim",
    "features.language_model_hidden",
    "features.language_model_embedding",
    "training.seed",
    "training.warmup_steps",
    "training.threads",
    "training.checkpoint_seconds",
}
_AT_MOST = {"encoder.layers": 1000, "features.affix_length": 1000, "features.lexicon_longest": 16}
_BELOW_ONE = ("training.dropout", "training.word_dropout", "training.averaging")
_POSITIVE = ("training.gradient_clip", "heads.NAME.weight", "distillation.raw_weight")


def _expected(key: str, value: Any) -> str:
    """What was expected of a value that is out of its range; empty when it fits."""
    key = re.sub(r"^heads\.[^.]+\.", "heads.NAME.", key)
    if isinstance(value, str):
        choices = _CHOICES.get(key)
        return "one of " + ", ".join(choices) if choices and value not in choices else ""
    if isinstance(value, bool):
        return ""
    if isinstance(value, dict):
        wrong = [weight for weight in value.values() if not 0 < weight < float("inf")]
        return "a table of labels with numbers above 0" if wrong else ""
    if isinstance(value, tuple):
        return "different names, none of them empty" if "" in value or len(set(value)) < len(value) else ""
    return _expected_number(key, value)


def _expected_number(key: str, value: float) -> str:
    if isinstance(value, int):
        least = 0 if key in _FROM_ZERO else 1
        if value > _AT_MOST.get(key, value):
            return f"a whole number of at most {_AT_MOST[key]}"
        return f"a whole number of at least {least}" if value < least else ""
    if key in _BELOW_ONE:
        return "" if 0 <= value < 1 else "a number from 0 up to, not including, 1"
    if key == "distillation.weight":
        return "" if 0 <= value <= 1 else "a number from 0 to 1"
    if key == "training.learning_rate":
        return "" if 0 < value <= 1000 else "a number above 0, at most 1000"
    positive = key in _POSITIVE
    fits = value > 0 if positive else value >= 0
    return "" if fits and value < float("inf") else f"a number {'above' if positive else 'of at least'} 0"


def _leaves(config: Config) -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for part in fields(config):
        value = getattr(config, part.name)
        if isinstance(value, str):
            leaves.append((part.name, value))
            continue
        named = value.items() if isinstance(value, dict) else [("", value)]
        for name, section in named:
            prefix = f"{part.name}.{name}." if name else f"{part.name}."
            leaves += [(prefix + entry.name, getattr(section, entry.name)) for entry in fields(section)]
    return leaves
