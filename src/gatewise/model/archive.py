"""A model on disk: a folder of plain files, and reading one runs no code.

    config.json         format version, resolved configuration, scheme, labels, and (optional) their counts and examples
                        and the temperature of the probabilities, sums of the files beside it; what it says of further
                        heads stands under `heads`
    vocabulary.json     the entries behind the embeddings, in the order of their ids (ADR 0003)
    model.safetensors   every weight, under PyTorch's names
    model.onnx          the graph that the runtime runs: the same weights, but those that it needs as they stand in
                        model.safetensors are there alone (ADR 0035; version 1 has them twice)
    README.md           the model card

In: a folder. Out: a frozen `ModelArchive` whose every part was checked against the others, or a ModelError that
names the file, what was expected, what was found, and what to do. The folder may come from a stranger: nothing in it is
believed, and nothing large is read or computed before it was checked (docs/archive.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.crf import CRFScores, Legality, legal_only, restricted
from gatewise.errors import ConfigError, ModelError, SchemeError
from gatewise.model.archive_files import (
    CARD_FILE,
    CONFIG_FILE,
    FORMAT_VERSION,
    GRAPH_FILE,
    KIND,
    LARGEST,
    MOST_TAGS,
    TEMPERATURE_KEY,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    file_size,
    json_object,
    read_file,
    told_in_a_line,
)
from gatewise.model.config import TASK_SCHEMES, Config
from gatewise.model.config_reading import config_from_dict
from gatewise.model.features import features_of
from gatewise.model.file_sums import FileSum, check_content, check_file, sums_from_dict
from gatewise.model.graph_check import check_graph, signature_of
from gatewise.model.graph_part import part_for
from gatewise.model.heads import MAIN_HEAD, RESTORE, ModelHead, heads_from_dict, strings, weights_prefix
from gatewise.model.label_facts import LabelFacts, bare_labels, facts_from_dict
from gatewise.model.lexicon import LEXICON, lexicon_from_dict
from gatewise.model.numbers import Array, stored_shapes
from gatewise.model.parameters import parameter_shapes
from gatewise.model.saving import check_target, save_model
from gatewise.model.weights import Float32s, check_weights, read_arrays, read_stored
from gatewise.text.schemes import legal_transitions
from gatewise.text.vocabulary import Vocabulary

__all__ = [
    "CARD_FILE",
    "FORMAT_VERSION",
    "ModelArchive",
    "check_target",
    "legality_of",
    "open_model",
    "save_model",
]

MODEL_SCHEMES = tuple(scheme for scheme in TASK_SCHEMES if scheme != "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnableGraph:
    """The bytes of a graph, and the arrays that it leaves to the weights, by name."""

    content: bytes
    arrays: Mapping[str, Array]

    def part_for(self, output: str) -> RunnableGraph:
        """What makes this one of its outputs."""
        content, names = part_for(self.content, output)
        arrays = {name: array for name, array in self.arrays.items() if name in names}
        return RunnableGraph(content=content, arrays=arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelArchive:
    """What a model folder says; the weights stay on disk until `arrays` asks for them.

    `vocabularies` by the name of the feature, see `model.features`. `scheme`, `labels`, `legality` and `facts` are the
    main head's, `heads` are the further ones.
    """

    folder: Path
    config: Config
    scheme: str
    labels: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    legality: Legality
    facts: LabelFacts = field(default_factory=LabelFacts)
    temperature: float = 1.0
    heads: Mapping[str, ModelHead] = field(default_factory=dict)
    sums: Mapping[str, FileSum] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def graph_path(self) -> Path:
        return self.folder / GRAPH_FILE

    @property
    def card(self) -> str:
        """The model card, as Markdown."""
        with told_in_a_line():
            return read_file(self.folder / CARD_FILE).decode("utf-8", errors="replace")

    def graph(self) -> RunnableGraph:
        """The runtime's graph, checked: it may be run."""
        tags = {MAIN_HEAD: len(self.labels)} | {name: len(head.labels) for name, head in self.heads.items()}
        with told_in_a_line():
            content = read_file(self.graph_path)
            check_content(self.graph_path, content, self.sums)
            signature = signature_of(self.config, tags)
            taken = check_graph(self.graph_path, content, signature, self.folder / WEIGHTS_FILE)
        return RunnableGraph(content=content, arrays=taken)

    def arrays(self, wanted: Callable[[str], bool]) -> dict[str, Float32s]:
        """The weights whose name is wanted, in float32 whatever they are stored in."""
        with told_in_a_line():
            return read_arrays(self.folder / WEIGHTS_FILE, wanted)

    def stored_arrays(self, wanted: Callable[[str], bool]) -> dict[str, Array]:
        """The same weights as the file has them; whole numbers come with their steps (see `model.numbers`)."""
        with told_in_a_line():
            return read_stored(self.folder / WEIGHTS_FILE, wanted)

    def head(self, name: str = MAIN_HEAD) -> ModelHead:
        """The head of this name, the main one without a name; raises ModelError where there is none."""
        if name == MAIN_HEAD:
            task, output = self.config.task, self.config.output.kind
            return ModelHead(name=MAIN_HEAD, task=task, output=output, labels=self.labels, facts=self.facts)
        if name not in self.heads:
            known = f"has {', '.join(self.heads)}" if self.heads else "has none beside its main head"
            raise ModelError(f"{self.name}: expected a head of this model, found {name!r}; it {known}")
        return self.heads[name]

    def crf_scores(self, head: str = MAIN_HEAD) -> CRFScores:
        """What the decoder needs: learned transitions (or none, for softmax), restricted to what the scheme allows."""
        found = self.head(head)
        legality = self.legality if head == MAIN_HEAD else legality_of(found.labels, found.scheme)
        prefix = f"{weights_prefix(head)}crf."
        arrays = self.arrays(lambda name: name.startswith(prefix))
        if not arrays:
            return legal_only(legality)
        scores = CRFScores(**{name.removeprefix(prefix): array for name, array in arrays.items()})
        return restricted(scores, legality)


def legality_of(labels: Sequence[str], scheme: str) -> Legality:
    """The scheme's table of legal transitions over these labels, as arrays."""
    table = legal_transitions(labels, scheme)
    return Legality(allowed=np.array(table.allowed), start=np.array(table.start), end=np.array(table.end))


def open_model(folder: str | Path) -> ModelArchive:
    """Read and check a model folder; its graph is read and checked by `ModelArchive.graph`.

    Raises ModelError for a folder that is missing, truncated, damaged, of a later format, or whose parts do not fit
    together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a model folder, found {'a file' if folder.exists() else 'nothing'}")
    with told_in_a_line():
        return _opened(folder)


def _opened(folder: Path) -> ModelArchive:
    where = folder / CONFIG_FILE
    description = json_object(read_file(where), where)
    config = _config(description, where)
    labels = strings(description, "labels", where)
    heads = heads_from_dict(description, config, where=str(where))
    _expect_few_tags([labels, *(head.labels for head in heads.values())], where)
    legality = _legality_in(where, labels, config.task.scheme)
    for name, head in heads.items():
        _legality_in(f"{where}: heads.{name}", head.labels, head.scheme)
    sums = sums_from_dict(description, where=str(where))
    vocabularies = _vocabularies_in(folder / VOCABULARY_FILE, config, sums)
    shapes = parameter_shapes(
        config,
        sizes={name: vocabulary.size for name, vocabulary in vocabularies.items()},
        num_tags=len(labels),
        heads={name: len(head.labels) for name, head in heads.items()},
    )
    check_file(folder / WEIGHTS_FILE, sums)
    check_weights(folder / WEIGHTS_FILE, stored_shapes(config, shapes), config)
    _expect_a_graph(folder)
    return ModelArchive(
        folder=folder,
        config=config,
        scheme=config.task.scheme,
        labels=labels,
        vocabularies=vocabularies,
        legality=legality,
        facts=facts_from_dict(description, bare_labels(labels, config.task.scheme), where=str(where)),
        temperature=_temperature(description, where),
        heads=heads,
        sums=sums,
    )


def _config(description: Mapping[str, Any], path: Path) -> Config:
    """The configuration, of a format that is known and with nothing left to decide."""
    version = description.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION or description.get("kind") != KIND:
        raise ModelError(
            f"{path}: expected format_version 1 to {FORMAT_VERSION} and kind {KIND!r}, found {version!r} and"
            f" {description.get('kind')!r}; a newer gatewise may read it: pip install --upgrade gatewise"
        )
    try:
        config = config_from_dict(description.get("config", {}), where=str(path))
    except ConfigError as error:
        raise ModelError(f"{error}; {RESTORE}") from error
    scheme = description.get("scheme")
    if scheme not in MODEL_SCHEMES:
        raise ModelError(f"{path}: scheme: expected one of {', '.join(MODEL_SCHEMES)}, found {scheme!r}; {RESTORE}")
    if scheme != config.task.scheme or "auto" in (config.task.kind, config.task.tokenizer):
        raise ModelError(
            f"{path}: task: expected a decided task in the scheme {scheme}, found {config.task.scheme},"
            f" {config.task.kind}, {config.task.tokenizer}; {RESTORE}"
        )
    if config.archive.numbers == "auto":
        raise ModelError(f"{path}: archive.numbers: expected decided numbers, found auto; {RESTORE}")
    return config


def _expect_few_tags(labels: Sequence[Sequence[str]], path: Path) -> None:
    if (found := sum(map(len, labels))) > MOST_TAGS:
        raise ModelError(f"{path}: labels: expected at most {MOST_TAGS:,} tags, found {found:,}; {RESTORE}")


def _expect_a_graph(folder: Path) -> None:
    """One of a size that fits the weights; it is read when it is needed."""
    file_size(folder / GRAPH_FILE, min(LARGEST[GRAPH_FILE], 2 * file_size(folder / WEIGHTS_FILE) + 2**20))


def _temperature(description: Mapping[str, Any], path: Path) -> float:
    """What scores are divided by for probabilities; 1 in a model that was saved without it."""
    value = description.get(TEMPERATURE_KEY, 1.0)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 1e-6 < value < 1e6:
        raise ModelError(f"{path}: {TEMPERATURE_KEY}: expected a number above 0, found {value!r}; restore the file")
    return float(value)


def _legality_in(path: object, labels: Sequence[str], scheme: str) -> Legality:
    try:
        return legality_of(labels, scheme)
    except SchemeError as error:
        raise ModelError(f"{path}: labels: {error}") from error


def _vocabularies_in(path: Path, config: Config, sums: Mapping[str, FileSum]) -> dict[str, Vocabulary]:
    """Of the features that the configuration turns on; what else the file holds is not looked at."""
    stored = read_file(path)
    check_content(path, stored, sums)
    content = json_object(stored, path)
    return {
        feature.name: lexicon_from_dict(content, config.features.lexicon_longest, path)
        if feature.name == LEXICON
        else Vocabulary(entries=strings(content, feature.name, path))
        for feature in features_of(config.features)
    }
