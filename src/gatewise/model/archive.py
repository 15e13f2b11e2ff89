"""A model on disk: a folder of plain files, and reading one runs no code.

    config.json         format version, resolved configuration, scheme, labels, and (optional) their counts and examples
                        and the temperature of the probabilities; what it says of further heads stands under `heads`
    vocabulary.json     the entries behind the embeddings, in the order of their ids (ADR 0003)
    model.safetensors   every weight, under PyTorch's names
    model.onnx          the same weights as the graph that the runtime runs
    README.md           the model card

In: a folder. Out: a frozen `ModelArchive` whose every part was checked against the others, or a ModelError that
names the file, what was expected, what was found, and what to do.
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
    TEMPERATURE_KEY,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    read_file,
    read_json,
)
from gatewise.model.config import TASK_SCHEMES, Config, config_from_dict
from gatewise.model.features import features_of
from gatewise.model.heads import MAIN_HEAD, ModelHead, heads_from_dict, strings, weights_prefix
from gatewise.model.label_facts import LabelFacts, bare_labels, facts_from_dict
from gatewise.model.parameters import Shape, parameter_shapes
from gatewise.model.saving import check_target, save_model
from gatewise.model.weights import Float32s, check_weights, read_arrays
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

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def graph_path(self) -> Path:
        return self.folder / GRAPH_FILE

    @property
    def card(self) -> str:
        """The model card, as Markdown."""
        return read_file(self.folder / CARD_FILE).decode("utf-8", errors="replace")

    def arrays(self, wanted: Callable[[str], bool]) -> dict[str, Float32s]:
        """The weights whose name is wanted, in float32 whatever they are stored in."""
        return read_arrays(self.folder / WEIGHTS_FILE, wanted)

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
    """Read and check a model folder.

    Raises ModelError for a folder that is missing, truncated, of a later format, or whose parts do not fit together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a model folder, found {'a file' if folder.exists() else 'nothing'}")
    description = read_json(folder / CONFIG_FILE)
    version = description.get("format_version")
    if version != FORMAT_VERSION or description.get("kind") != KIND:
        raise ModelError(
            f"{folder / CONFIG_FILE}: expected format_version {FORMAT_VERSION} and kind {KIND!r}, found {version!r} and"
            f" {description.get('kind')!r}; a newer gatewise may read it: pip install --upgrade gatewise"
        )
    try:
        config = config_from_dict(description.get("config", {}), where=str(folder / CONFIG_FILE))
    except ConfigError as error:
        raise ModelError(f"{error}; the file was changed, restore it or train again") from error
    scheme = description.get("scheme")
    if scheme not in MODEL_SCHEMES:
        raise ModelError(
            f"{folder / CONFIG_FILE}: scheme: expected one of {', '.join(MODEL_SCHEMES)}, found {scheme!r}; the file"
            " was changed, restore it or train again"
        )
    if scheme != config.task.scheme or "auto" in (config.task.kind, config.task.tokenizer):
        raise ModelError(
            f"{folder / CONFIG_FILE}: task: expected a decided task in the scheme {scheme}, found {config.task.scheme},"
            f" {config.task.kind}, {config.task.tokenizer}; the file was changed, restore it or train again"
        )
    labels = strings(description, "labels", folder / CONFIG_FILE)
    archive = ModelArchive(
        folder=folder,
        config=config,
        scheme=scheme,
        labels=labels,
        vocabularies=_vocabularies_in(folder / VOCABULARY_FILE, config),
        legality=_legality_in(folder / CONFIG_FILE, labels, scheme),
        facts=facts_from_dict(description, bare_labels(labels, scheme), where=str(folder / CONFIG_FILE)),
        temperature=_temperature(description, folder / CONFIG_FILE),
        heads=heads_from_dict(description, config, where=str(folder / CONFIG_FILE)),
    )
    for name, head in archive.heads.items():
        _legality_in(f"{folder / CONFIG_FILE}: heads.{name}", head.labels, head.scheme)
    check_weights(folder / WEIGHTS_FILE, _shapes(archive))
    if not archive.graph_path.is_file():
        raise ModelError(
            f"{archive.graph_path}: expected the runtime's graph, found nothing; copy the whole folder again"
        )
    return archive


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


def _vocabularies_in(path: Path, config: Config) -> dict[str, Vocabulary]:
    """Of the features that the configuration turns on; what else the file holds is not looked at."""
    content = read_json(path)
    return {
        feature.name: Vocabulary(entries=strings(content, feature.name, path))
        for feature in features_of(config.features)
    }


def _shapes(archive: ModelArchive) -> dict[str, Shape]:
    return parameter_shapes(
        archive.config,
        sizes={name: vocabulary.size for name, vocabulary in archive.vocabularies.items()},
        num_tags=len(archive.labels),
        heads={name: len(head.labels) for name, head in archive.heads.items()},
    )
