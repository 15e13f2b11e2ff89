"""A whole tagger of PyTorch as a model folder: `gatewise tag` and `gatewise explain --model` open it.

In: a state_dict, the vocabulary and the labels in the order of their ids. Out: a model folder, and what was told of it.
What is computed is the same but for two things, which the card says: forms are looked up by their normalized key, and
sequences that break the scheme are never given out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gatewise.errors import ConfigError, InteropError, MissingExtraError, SchemeError
from gatewise.interop.entries import Keys, keys_of, read_entries
from gatewise.interop.imported import ImportedLSTM, MappedTensor, listed, widened
from gatewise.interop.pytorch import lstm_of_state_dict
from gatewise.interop.source import open_state_dict
from gatewise.interop.tagger_parts import TRANSITIONS, Parts, Wanted, find_parts
from gatewise.interop.tensor_file import TensorFile
from gatewise.lstm.shapes import Array
from gatewise.model.archive import check_target, save_model
from gatewise.model.archive_files import MOST_TAGS
from gatewise.model.config import (
    ArchiveConfig,
    Config,
    EncoderConfig,
    FeaturesConfig,
    OutputConfig,
    TaskConfig,
)
from gatewise.model.config_reading import config_from_dict
from gatewise.text.schemes import legal_transitions
from gatewise.text.vocabulary import Vocabulary

MANY_SINGLE = 0.9  # of a vocabulary of characters; a few entries such as <num> are longer


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerParts:
    """What the weights do not say: files of the vocabulary and the labels, and names where they cannot be found."""

    vocabulary: Path
    labels: Path
    unknown: str | None = None
    scheme: str | None = None
    tokenizer: str | None = None
    wanted: Wanted = field(default_factory=Wanted)


def import_tagger(source: Path, folder: Path, given: TaggerParts, prefix: str | None = None) -> ImportedLSTM:
    """Write the tagger in `source` as the model `folder`; returns the mapping of all its tensors, with remarks."""
    check_target(folder)
    tensors, where = open_state_dict(source), str(source)
    lstm = lstm_of_state_dict(tensors, prefix, where)
    entries = read_entries(given.vocabulary, "the entries of a vocabulary")
    labels = read_entries(given.labels, "labels")
    if len(labels) > MOST_TAGS:
        raise InteropError(
            f"{given.labels}: expected at most {MOST_TAGS:,} labels, as a model has, found {len(labels):,}; is it the"
            " vocabulary?"
        )
    parts = find_parts(tensors, lstm, given.wanted, entries=len(entries), labels=len(labels), where=where)
    keys = keys_of(entries, given.unknown, str(given.vocabulary))
    mapping = [*_embedding(tensors, parts, keys, where), *_encoder(lstm), *_head(tensors, parts, len(labels), where)]
    arrays = {one.target: one.array.astype(np.float32) for one in mapping}
    config = _config(folder.resolve().name, arrays, tuple(keys.rows), labels, given, parts)
    remarks = _remarks(keys, config, arrays)
    save_model(
        folder,
        config=config,
        scheme=config.task.scheme,
        labels=labels,
        vocabularies={"tokens": Vocabulary(entries=tuple(keys.rows))},
        arrays=arrays,
        graph=_graph(config, arrays),
        card=_card(config, source, remarks),
    )
    return ImportedLSTM(framework="PyTorch", place=lstm.place, mapping=tuple(mapping), remarks=remarks)


def _embedding(tensors: TensorFile, parts: Parts, keys: Keys, where: str) -> list[MappedTensor]:
    table, change = widened(tensors.read(parts.embedding), parts.embedding, where)
    rows = table[[keys.unknown, *keys.rows.values()]]
    array = np.concatenate([np.zeros_like(rows[:1]), rows])  # padding, the unknown, then each key
    return [
        MappedTensor(
            source=parts.embedding,
            source_shape=table.shape,
            target="token_embedding.weight",
            array=array,
            change="rows padding, unknown, keys" + change,
        )
    ]


def _encoder(lstm: ImportedLSTM) -> list[MappedTensor]:
    """The LSTM's tensors under the archive's names; biases that it has not are zeros."""
    found = [
        MappedTensor(
            source=one.source,
            source_shape=one.source_shape,
            target=f"encoder.{one.target}",
            array=one.array,
            change=one.change,
        )
        for one in lstm.mapping
    ]
    for name, weight in lstm.tensors.items():
        for bias in ("bias_ih", "bias_hh"):
            target = name.replace("weight_hh", bias)
            if name.startswith("weight_hh") and target not in lstm.tensors:
                found.append(_made(f"encoder.{target}", np.zeros(len(weight), dtype=np.float32)))
    return found


def _head(tensors: TensorFile, parts: Parts, labels: int, where: str) -> list[MappedTensor]:
    sources = {"emission.weight": parts.emission, "emission.bias": parts.bias}
    if parts.crf is not None:
        sources |= {f"crf.{kind}": parts.crf + kind for kind in TRANSITIONS}
    found = []
    for target, source in sources.items():
        if not source:
            found.append(_made(target, np.zeros(labels, dtype=np.float32)))
            continue
        array, change = widened(tensors.read(source), source, where)
        found.append(
            MappedTensor(
                source=source, source_shape=array.shape, target=target, array=array, change="as it was" + change
            )
        )
    return found


def _made(target: str, array: Array) -> MappedTensor:
    return MappedTensor(source="", source_shape=(), target=target, array=array, change="zeros")


def _config(
    name: str,
    arrays: Mapping[str, Array],
    keys: tuple[str, ...],
    labels: tuple[str, ...],
    given: TaggerParts,
    parts: Parts,
) -> Config:
    scheme = given.scheme or _scheme_of(labels)
    try:
        legal_transitions(labels, scheme)
    except SchemeError as error:
        raise InteropError(f"{given.labels}: {error}") from error
    single = sum(len(key) == 1 for key in keys) >= MANY_SINGLE * len(keys)
    layers = sum(name.startswith("encoder.weight_hh_l") and not name.endswith("_reverse") for name in arrays)
    config = Config(
        name=name,
        task=TaskConfig(
            kind="tags" if scheme == "plain" else "spans",
            tokenizer=given.tokenizer or ("characters" if single else "whitespace"),
            scheme=scheme,
        ),
        features=FeaturesConfig(token_dim=arrays["token_embedding.weight"].shape[1], bigram_dim=0),
        encoder=EncoderConfig(
            hidden=arrays["encoder.weight_hh_l0"].shape[1],
            layers=layers,
            bidirectional="encoder.weight_hh_l0_reverse" in arrays,
        ),
        output=OutputConfig(kind="softmax" if parts.crf is None else "crf"),
        archive=ArchiveConfig(numbers="float32"),
    )
    try:
        return config_from_dict(config.to_dict(), where="import")
    except ConfigError as error:
        raise InteropError(str(error)) from error


def _scheme_of(labels: tuple[str, ...]) -> str:
    """BIO or BIOES where every label is of that form, else plain."""
    prefixes = {label.partition("-")[0] for label in labels}
    if "O" in labels and all(label == "O" or "-" in label for label in labels):
        for scheme in ("BIO", "BIOES"):
            if prefixes <= set(scheme):
                return scheme
    return "plain"


def _remarks(keys: Keys, config: Config, arrays: Mapping[str, Array]) -> tuple[str, ...]:
    task = config.task
    parameters = sum(array.size for array in arrays.values())
    found = [
        f"task {task.kind}, scheme {task.scheme}, tokenizer {task.tokenizer}, {len(keys.rows):,} tokens,"
        f" {parameters:,} parameters",
        "Assumed: nothing but dropout stands between embedding, LSTM and linear layer. Compare a few tags with the"
        " source's.",
    ]
    if keys.changed:
        found.append(
            "Entries that are looked up by another key here (NFKC, lower case, digits as 0):"
            f" {len(keys.changed):,}, such as {listed(keys.changed, 5)}"
        )
    if keys.lost:
        found.append(
            "Entries that share the key of another, whose vector is read in their place:"
            f" {len(keys.lost):,}, such as {listed(keys.lost, 5)}"
        )
    return tuple(found)


def _graph(config: Config, arrays: Mapping[str, Array]) -> bytes:
    try:
        from gatewise.training.export import onnx_graph
    except ImportError as error:
        raise MissingExtraError(
            f'writing a model needs onnx ({error.name} is missing): pip install "gatewise[import]"'
        ) from error
    return onnx_graph(config, arrays)


def _card(config: Config, source: Path, remarks: tuple[str, ...]) -> str:
    lines = [
        f"# {config.name}",
        f"Imported from `{source.name}`, a tagger of PyTorch. gatewise has neither trained nor scored it.",
        "Forms are looked up by their normalized key: NFKC, lower case, every digit as 0. Sequences of tags that break"
        " the scheme are never given out, whatever the scores. In both, tags may differ from those of the source.",
        "\n".join(f"- {remark}" for remark in remarks),
        "## License\n\nNot stated: whoever trained this model has not said.",
    ]
    return "\n\n".join(lines) + "\n"
