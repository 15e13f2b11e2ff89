"""What a hand-written network is: vectors, layers, activations, tags; all of it frozen, nothing of it computed.

In: what `read_network` found in a file. Out: a `NetworkRun`, from `Network.run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from numpy.typing import ArrayLike

from gatewise.lstm import Activations, Directions, LSTMState
from gatewise.lstm.shapes import Array
from gatewise.network.passes import AnyWeights
from gatewise.network.records import NetworkRun
from gatewise.network.run import run_network

Kind = Literal["neuron", "rnn", "lstm"]
Language = Literal["en", "zh"]
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One text in two languages; where one is missing, the other stands in for it."""

    en: str = ""
    zh: str = ""

    def get(self, lang: Language) -> str:
        """The text in this language, else in the other."""
        return (self.zh or self.en) if lang == "zh" else (self.en or self.zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag and the output vector that stands for it; `name` is its name in data, `wording` what people read."""

    name: str
    wording: Wording
    output: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network written by hand, or imported; `source` is the file it came from, for messages.

    `inputs` (time, input_size) are the vectors of `sentence` where it has them in place of one vector a token.
    `weights` and `starts` hold one entry a layer, from the bottom up; the h or c of a start is empty where the kind
    has none.
    """

    name: str
    kind: Kind
    title: Wording
    description: Wording
    sentence: tuple[str, ...]
    vectors: Mapping[str, tuple[float, ...]]
    activations: Activations
    weights: tuple[Directions[AnyWeights], ...]
    starts: tuple[Directions[LSTMState], ...]
    tags: tuple[Tag, ...]
    source: str
    inputs: Array | None = field(default=None, compare=False)

    @property
    def input_size(self) -> int:
        """The length of an input vector."""
        return self.weights[0].forward.input_size

    @property
    def parameters(self) -> int:
        """How many weights and biases there are."""
        directions = [one for layer in self.weights for one in (layer.forward, layer.reverse) if one is not None]
        arrays = [getattr(one, name, None) for one in directions for name in PARAMETERS]
        return sum(array.size for array in arrays if array is not None)

    def run(
        self, sentence: Sequence[str] | None = None, gates: str | None = None, inputs: ArrayLike | None = None
    ) -> NetworkRun:
        """Every number of one pass, in float64, over `sentence`, or over the file's own sentence when None.

        `sentence` is a sequence of tokens, so a string stands for its characters.
        `gates` ("sigmoid" or "step") stands in for the file's gate activation.
        `inputs` (time, input_size) are the vectors of the sentence; its tokens are named x1, x2, … when there are none.
        Raises NetworkError for a token without a vector, and for gates where there are none.

        >>> from gatewise.network import read_network
        >>> read_network("article").run(gates="step").outputs
        [0, 2, 0, 0]
        """
        return run_network(self, sentence, gates, inputs)
