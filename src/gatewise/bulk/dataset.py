"""A data set of Ray Data in, the same with tags out: one model an actor, and every other column kept.

In: rows with a column of texts, or of tokens. Out: the rows with the columns `tokens`, `tags`, `spans` and `scores`, as
`gatewise tag --to parquet` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.bulk.extra import ray_extra
from gatewise.bulk.failed_runs import free_workers_on_failure
from gatewise.bulk.packed_model import pack_model, unpack_model
from gatewise.errors import ConfigError, FormatError, GatewiseError
from gatewise.jobs.stream import CHUNK
from gatewise.runtime import load
from gatewise.text import Sentence, sentence_from_forms
from gatewise.text.tokenize import check_text

if TYPE_CHECKING:
    from ray.data import Dataset

_RESULTS = ("tokens", "tags", "spans", "scores")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a worker is asked: see `tag_dataset`; `column` holds texts, or lists of tokens."""

    column: str
    in_tokens: bool
    head: str
    prefix: str
    errors: str | None
    threads: int


def tag_dataset(
    ds: Dataset,
    model: str | Path = "zh",
    *,
    text: str = "text",
    tokens: str | None = None,
    head: str = "",
    prefix: str = "",
    errors: str | None = None,
    workers: int | None = None,
    threads: int = 1,
) -> Dataset:
    """The data set with what the model says of each row; nothing is computed before it is asked for, as always in Ray.

    Read is the column `text`, or with `tokens` a column of lists of strings, sentences that are cut already. Results
    are named `prefix` + `tokens`, `tags`, `spans`, `scores`. `errors` names a column for the sentence that says why a
    row has none (null where it has); without it a row that cannot be tagged stops the job. There are at most so many
    `workers` (None: one a CPU of the cluster), each an actor with the model and so many `threads`.
    Raises ModelError for a model or a head that is not there, MissingExtraError without Ray.

    The last digits of scores can differ from those of one process: docs/bulk.md.
    """
    with ray_extra():
        import ray
        import ray.data
    load(model, threads=1).archive.head(head)  # what is wrong with the model is told here, not by an actor
    most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    ds.context.execution_options.preserve_order = True
    ds.context.raise_original_map_exception = True  # so that errors of a row can be caught as what they are
    free_workers_on_failure(ds)
    column = text if tokens is None else tokens
    asked = Asked(column=column, in_tokens=tokens is not None, head=head, prefix=prefix, errors=errors, threads=threads)
    return ds.map_batches(
        RowTagger,
        fn_constructor_args=(ray.put(pack_model(model)), asked),
        batch_size=CHUNK,
        batch_format="pyarrow",
        num_cpus=threads,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),  # from one on: what reads needs a CPU too
    )


class RowTagger:
    """An actor: one model, and batches of rows in and out. `model` refers to a `PackedModel` in Ray's store."""

    def __init__(self, model: Any, asked: Asked) -> None:
        import ray

        self._tagger = unpack_model(ray.get(model), threads=asked.threads)
        self._asked = asked

    def __call__(self, table: Any) -> Any:
        import pyarrow

        from gatewise.formats.parquet import table_of

        asked = self._asked
        self._check(table.column_names)
        read = [self._read(value) for value in table.column(asked.column).to_pylist()]
        good = [entry for entry in read if isinstance(entry, Sentence)]
        tagged = iter(self._tagger.tag_sentences(good, head=asked.head))
        nothing = Sentence(text="", tokens=())
        found = table_of([next(tagged) if isinstance(entry, Sentence) else nothing for entry in read])
        failed = pyarrow.array([isinstance(entry, str) for entry in read], type=pyarrow.bool_())
        for name in _RESULTS:
            values = found.column(name).combine_chunks()
            blank = pyarrow.scalar(None, type=values.type)
            table = table.append_column(asked.prefix + name, pyarrow.compute.if_else(failed, blank, values))
        if asked.errors is not None:
            said = [entry if isinstance(entry, str) else None for entry in read]
            table = table.append_column(asked.errors, pyarrow.array(said, type=pyarrow.string()))
        return table

    def _check(self, columns: list[str]) -> None:
        asked = self._asked
        there = ", ".join(f'"{name}"' for name in columns) or "no columns"
        if asked.column not in columns:
            raise FormatError(f'expected a column "{asked.column}", found {there}; name yours: text=… or tokens=…')
        made = [asked.prefix + name for name in _RESULTS] + [asked.errors] * (asked.errors is not None)
        if taken := [name for name in made if name in columns]:
            raise ConfigError(
                f'expected no column "{taken[0]}", for results are written there, found {there}; drop it, or choose a '
                "prefix=…"
            )

    def _read(self, value: Any) -> Sentence | str:
        """The sentence of a cell, or with a column for errors what is wrong with it."""
        try:
            return self._sentence(value)
        except GatewiseError as error:
            if self._asked.errors is None:
                raise
            return str(error)

    def _sentence(self, value: Any) -> Sentence:
        if not self._asked.in_tokens:
            if not isinstance(value, str):
                raise FormatError(f'expected a text in the column "{self._asked.column}", found {_kind(value)}')
            return self._tagger.tokenize(value)
        if not isinstance(value, list) or not all(isinstance(form, str) and form for form in value):
            raise FormatError(
                f'expected a list of tokens in the column "{self._asked.column}", none of them empty, found '
                f"{_kind(value)}"
            )
        sentence = sentence_from_forms(value)
        check_text(sentence.text)
        return sentence


def _kind(value: Any) -> str:
    return "null" if value is None else f"{value!r:.60}"
