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

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gatewise.crf import CRFScores, Legality, legal_only, restricted
from gatewise.errors import ConfigError, ModelError, SchemeError
from gatewise.model.config import TASK_SCHEMES, Config, config_from_dict
from gatewise.model.features import features_of
from gatewise.model.heads import (
    MAIN_HEAD,
    ModelHead,
    heads_from_dict,
    heads_to_dict,
    strings,
    weights_prefix,
)
from gatewise.model.label_facts import LabelFacts, bare_labels, facts_from_dict
from gatewise.model.parameters import parameter_shapes
from gatewise.text.schemes import legal_transitions
from gatewise.text.vocabulary import Vocabulary

FORMAT_VERSION = 1
KIND = "tagger"
TEMPERATURE_KEY = "temperature"
MODEL_SCHEMES = tuple(scheme for scheme in TASK_SCHEMES if scheme != "auto")
CONFIG_FILE, VOCABULARY_FILE = "config.json", "vocabulary.json"
WEIGHTS_FILE, GRAPH_FILE, CARD_FILE = "model.safetensors", "model.onnx", "README.md"
MODEL_FILES = {CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE, GRAPH_FILE, CARD_FILE}

Float32s = npt.NDArray[np.float32]


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
        return _read(self.folder / CARD_FILE).decode("utf-8", errors="replace")

    def arrays(self, wanted: Callable[[str], bool]) -> dict[str, Float32s]:
        """The weights whose name is wanted, in float32 whatever they are stored in."""
        path = self.folder / WEIGHTS_FILE
        with safe_open(str(path), framework="numpy") as weights:
            return {name: weights.get_tensor(name).astype(np.float32) for name in weights.keys() if wanted(name)}  # noqa: SIM118

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


def save_model(
    folder: str | Path,
    *,
    config: Config,
    scheme: str,
    labels: Sequence[str],
    vocabularies: Mapping[str, Vocabulary],
    arrays: Mapping[str, npt.NDArray[np.floating]],
    graph: bytes,
    card: str,
    facts: LabelFacts | None = None,
    temperature: float = 1.0,
    heads: Mapping[str, ModelHead] | None = None,
) -> None:
    """Write a model folder: first beside its place, then moved there whole, so that none is ever half written.

    An older model in that place is replaced; a folder that holds anything else is refused.
    """
    target = Path(folder)
    check_target(target)
    description = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "scheme": scheme,
        "labels": list(labels),
        "config": config.to_dict(),
        **(facts.to_dict() if facts else {}),
        **({} if temperature == 1 else {TEMPERATURE_KEY: temperature}),
        **heads_to_dict(heads or {}),
    }
    entries: dict[str, list[str]] = {"tokens": [], "bigrams": []}  # version 1 has both, whether used or not
    entries |= {name: list(vocabulary.entries) for name, vocabulary in vocabularies.items()}
    weights = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    files = {
        CONFIG_FILE: (json.dumps(description, ensure_ascii=False, indent=1) + "\n").encode(),
        VOCABULARY_FILE: (json.dumps(entries, ensure_ascii=False) + "\n").encode(),
        WEIGHTS_FILE: save(weights),
        GRAPH_FILE: graph,
        CARD_FILE: card.encode(),
    }
    try:
        _write_whole(Path(os.path.abspath(target)), files)  # so that `.` has a name and a parent
    except OSError as error:
        raise ModelError(f"{target}: cannot be written ({error.strerror}); check the disk and the path") from error


def check_target(folder: str | Path) -> None:
    """Raise ModelError unless `folder` is free, empty, or a model and nothing else, which saving may replace."""
    target = Path(folder)
    if not target.exists():
        return
    if not target.is_dir():
        raise ModelError(f"{target}: expected a folder to write the model to, found a file; choose another -o")
    others = {entry.name for entry in target.iterdir()} - MODEL_FILES
    if others or (any(target.iterdir()) and not (target / CONFIG_FILE).exists()):
        shown = ", ".join(sorted(others)[:3]) or "parts of one"
        raise ModelError(f"{target}: expected no folder or a model to replace, found {shown}; choose another -o")


def _write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        for name, content in files.items():
            (made / name).write_bytes(content)
        _put_in_place(made, target, old=Path(scratch) / "old")


def _put_in_place(made: Path, target: Path, *, old: Path) -> None:
    """Move the new folder to where it belongs; what was there comes back when that fails."""
    if not target.exists():
        os.replace(made, target)
        return
    os.replace(target, old)
    try:
        os.replace(made, target)
    except OSError:
        os.replace(old, target)
        raise


def open_model(folder: str | Path) -> ModelArchive:
    """Read and check a model folder.

    Raises ModelError for a folder that is missing, truncated, of a later format, or whose parts do not fit together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a model folder, found {'a file' if folder.exists() else 'nothing'}")
    description = _read_json(folder / CONFIG_FILE)
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
    _check_weights(archive)
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
    content = _read_json(path)
    return {
        feature.name: Vocabulary(entries=strings(content, feature.name, path))
        for feature in features_of(config.features)
    }


def _check_weights(archive: ModelArchive) -> None:
    """Names and shapes, from the header alone; no array is read."""
    path = archive.folder / WEIGHTS_FILE
    _read(path, most=1)
    try:
        with safe_open(str(path), framework="numpy") as weights:
            found = {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelError(f"{path}: expected safetensors, found a damaged file ({error}); copy it again") from error
    expected = parameter_shapes(
        archive.config,
        sizes={name: vocabulary.size for name, vocabulary in archive.vocabularies.items()},
        num_tags=len(archive.labels),
        heads={name: len(head.labels) for name, head in archive.heads.items()},
    )
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            wanted, got = (f"shape {entry[name]}" if name in entry else "nothing" for entry in (expected, found))
            raise ModelError(
                f"{path}: {name}: expected {wanted}, found {got}; the files of {archive.folder} are not of one model,"
                " copy the whole folder again"
            )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: expected JSON, found a damaged file ({error}); copy it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(content).__name__}; copy the file again")
    return content


def _read(path: Path, most: int = -1) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); is {path.parent} a whole gatewise model?"
        ) from error
