"""The trace of a tagged sentence: every number from the input vectors to the tags, frozen.

In: a model, one of its heads, and a tokenized sentence. Out: a `Trace`. The input vectors x come out of the runtime's
graph; from there on the equations of `lstm/` and `crf/` are run in float64, so that what is shown can be checked by
hand. What the fast path said stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gatewise.crf import CRFScores
from gatewise.display import ShownAsPage
from gatewise.lstm import (
    Directions,
    Layer,
    LSTMPass,
    LSTMWeights,
    RNNPass,
    RNNWeights,
    run_layers,
    run_rnn_layers,
)
from gatewise.model.archive import ModelArchive
from gatewise.model.card import architecture
from gatewise.model.config import Config
from gatewise.model.feature_ids import InputPart
from gatewise.model.heads import ModelHead, weights_prefix
from gatewise.runtime.decode import Decoder
from gatewise.runtime.session import Session
from gatewise.text.sentence import Sentence

Floats = npt.NDArray[np.floating]
Float64s = npt.NDArray[np.float64]
Weights = TypeVar("Weights", LSTMWeights, RNNWeights)
Layers: TypeAlias = tuple[Layer[LSTMPass], ...] | tuple[Layer[RNNPass], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(ShownAsPage):
    """Every number of one sentence, time first, in token order.

    `parts` say what x (time, input_size) is made of: the features, where each lies and what it was looked up by.
    `layers` hold the gates of each direction (see `lstm.LSTMPass`); `emissions` (time, num_tags) are the last layer's
    output times `emission_weight` (num_tags, states) plus `emission_bias`; `scores` are the CRF's, minus infinity
    where a transition is illegal; `marginals` (time, num_tags) are the true probabilities of each tag at each token.
    `breaks` are the tokens after white space where a new word has to start, whatever the emissions say (ADR 0005).
    `sentence` carries the tags, spans and scores of this reference pass, `fast_tags` those of the runtime's graph.
    `head` is the head that is traced, None for the main one, and `heads` names the further ones of the model: `x` and
    `layers` are the same for all of them, everything after is the head's own. Probabilities are those of scores
    divided by the `temperature`. `archive` is the model, whose weights stay on disk.
    """

    model: str
    architecture: str
    sentence: Sentence
    labels: tuple[str, ...]
    scheme: str
    x: Float64s
    parts: tuple[InputPart, ...]
    layers: Layers
    emission_weight: Float64s
    emission_bias: Float64s
    emissions: Float64s
    scores: CRFScores
    marginals: Float64s
    breaks: tuple[int, ...]
    fast_tags: tuple[str, ...]
    head: str | None = None
    heads: tuple[str, ...] = ()
    temperature: float = 1.0
    archive: ModelArchive = field(repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.sentence)

    def __repr__(self) -> str:
        return f"Trace(model={self.model!r}, text={self.sentence.text!r}, tags={self.tags!r})"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of this pass."""
        return self.sentence.tags or ()

    @property
    def fast_path_agrees(self) -> bool:
        """Whether the runtime's graph chose the same tags."""
        return self.tags == self.fast_tags


def trace_sentence(
    archive: ModelArchive, session: Session, decoder: Decoder, sentence: Sentence, head: ModelHead
) -> Trace:
    """Run the equations on a tokenized sentence up to one head; an empty one gives a trace of no steps."""
    emission = f"{weights_prefix(head.name)}emission."
    arrays = archive.arrays(lambda name: name.startswith(("encoder.", emission)))
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    weight, bias = wide[f"{emission}weight"], wide[f"{emission}bias"]
    fast = sentence.with_tags(()) if not len(sentence) else None
    x = np.zeros((0, wide["encoder.weight_ih_l0"].shape[1]))
    if fast is None:
        fast_x, fast_emissions = session.inputs_and_emissions(session.encode([sentence]), head.name)
        fast = decoder.decode([sentence], fast_emissions)[0]
        x = fast_x[:, 0].astype(np.float64)  # (time, input_size)
    layers = run_encoder(x, wide, archive)
    emissions = layers[-1].output @ weight.T + bias  # (time, num_tags)
    tagged, marginals = fast, np.zeros_like(emissions)
    if len(sentence):
        tagged = decoder.decode([sentence], emissions[:, None])[0]
        [marginals] = decoder.marginals([sentence], emissions[:, None])
    for array in (x, weight, bias, emissions, marginals):
        array.setflags(write=False)
    return Trace(
        model=archive.name,
        architecture=architecture(archive.config, head.output),
        sentence=tagged,
        labels=head.labels,
        scheme=head.scheme,
        x=x,
        parts=session.parts(sentence),
        layers=layers,
        emission_weight=weight,
        emission_bias=bias,
        emissions=emissions,
        scores=decoder.scores,
        marginals=marginals,
        breaks=decoder.breaks(sentence),
        fast_tags=fast.tags or (),
        head=head.name or None,
        heads=tuple(archive.heads),
        temperature=decoder.temperature,
        archive=archive,
    )


class Configured(Protocol):
    """Anything that has a configuration: an archive, or a run in training."""

    @property
    def config(self) -> Config: ...


def run_encoder(x: Floats, arrays: Mapping[str, Floats], model: Configured) -> Layers:
    """The recurrent layers of a model by the equations of `lstm/`; `arrays` under the names of the archive."""
    encoder = model.config.encoder

    def named(layer: int, suffix: str) -> dict[str, Floats]:
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return {kind: arrays[f"encoder.{kind}_l{layer}{suffix}"] for kind in kinds}

    def both(kind: type[Weights], layer: int) -> Directions[Weights]:
        reverse = kind(**named(layer, "_reverse")) if encoder.bidirectional else None
        return Directions(forward=kind(**named(layer, "")), reverse=reverse)

    if encoder.kind == "rnn":
        rnn = [both(RNNWeights, layer) for layer in range(encoder.layers)]
        return run_rnn_layers(x, rnn, residual=encoder.residual)
    return run_layers(x, [both(LSTMWeights, layer) for layer in range(encoder.layers)], residual=encoder.residual)
