"""Which columns of a file are read and written, as users name them, for the formats that have columns.

In: `token,_,tag`, the columns of a column file by their place; `tokens=words,tags=labels`, those of a Parquet file by
their names; `xpos`, the one that holds the tags in CoNLL-U or DocBin. Out: what the reader or writer of a format takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewise.errors import ConfigError

DEFAULT_COLUMNS = ("token", "tag")
PARTS = ("text", "tokens", "tags", "spans", "scores")  # of a sentence, each a column of a Parquet file

_POSITIONS = ("token", "tag", "_")
_TAG_COLUMNS: Mapping[str, Mapping[str, str]] = {  # the same annotation has a name in each of the two formats
    "conllu": {"upos": "upos", "xpos": "xpos", "pos": "upos", "tag": "xpos"},
    "docbin": {"ents": "ents", "tag": "tag", "pos": "pos", "xpos": "tag", "upos": "pos"},
}


def check_columns(columns: Sequence[str]) -> None:
    """Raise ConfigError unless the columns hold `token` once, `tag` at most once, and `_` for the rest."""
    for name in columns:
        if name not in _POSITIONS:
            raise ConfigError(
                f'columns: expected "token", "tag" or "_", found "{name}"; write "_" for what is not read'
            )
    if columns.count("token") != 1 or columns.count("tag") > 1:
        raise ConfigError(
            f'columns: expected "token" once and "tag" at most once, found "{",".join(columns)}"; '
            'write for example "token,_,tag"'
        )


def placed_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Those that are named by place, for a column file; the default ones where there is none."""
    return tuple(entry for entry in columns if "=" not in entry) or DEFAULT_COLUMNS


def column_names(columns: Sequence[str]) -> dict[str, str]:
    """Those that are named by name, for a Parquet file: `tokens=words` says that `words` holds the tokens.

    What is not named has its usual name. Raises ConfigError for a part that no sentence has, and for one named twice.
    """
    names: dict[str, str] = {}
    for entry in columns:
        part, is_named, name = entry.partition("=")
        if is_named and (part not in PARTS or not name):
            raise ConfigError(
                f'columns: expected names of Parquet columns, such as "tokens=words" ({", ".join(PARTS)}), '
                f'found "{entry}"; write what a column holds, "=", and its name'
            )
        if part in names:
            raise ConfigError(f'columns: expected one column for "{part}", found two; leave one out')
        if is_named:
            names[part] = name
    if len(set(names.values())) < len(names):
        raise ConfigError(f'columns: expected a column for each part, found one twice in "{",".join(columns)}"')
    return names


def tag_column(format: str, column: str | None) -> str | None:
    """The column of this format that `column` names, `pos` and `upos` being the same, and `tag` and `xpos`.

    None without a choice, or for a format that has none. Raises ConfigError, with what there is to choose from.
    """
    if column is None or format not in _TAG_COLUMNS:
        return None
    known = _TAG_COLUMNS[format]
    if column not in known:
        raise ConfigError(
            f'column: expected one that {format} has ({", ".join(known)}), found "{column}"; choose one of these'
        )
    return known[column]
