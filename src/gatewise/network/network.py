"""What a hand-written network is: vectors, layers, activations, tags; all of it frozen, nothing of it computed.

In: what `read_network` found in a file. Out: a `NetworkRun`, from `Network.run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gatewise.lstm import Activations, Directions, LSTMState
from gatewise.network.passes import AnyWeights
from gatewise.network.records import NetworkRun
from gatewise.network.run import run_network

Kind = Literal["neuron", "rnn", "lstm"]
Language = Literal["en", "zh"]


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
    """A network written by hand; `source` is the file it came from, for messages.

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

    def run(self, sentence: Sequence[str] | None = None, gates: str | None = None) -> NetworkRun:
        """Every number of one pass, in float64, over `sentence`, or over the file's own sentence when None.

        `sentence` is a sequence of tokens, so a string stands for its characters.
        `gates` ("sigmoid" or "step") stands in for the file's gate activation.
        Raises NetworkError for a token without a vector, and for gates where there are none.

        >>> from gatewise.network import read_network
        >>> read_network("article").run(gates="step").outputs
        [0, 2, 0, 0]
        """
        return run_network(self, self.sentence if sentence is None else tuple(sentence), gates)
