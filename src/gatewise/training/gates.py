"""How the gates of a network in training stand, on the same few sentences after every epoch.

In: a split, and the network with the weights to look at. Out: `GateStatistics` by layer and direction. The input x is
the network's own; from there on the equations of `lstm/` are run, as in a trace. The sample is small, so that looking
costs little of an epoch.
"""

from __future__ import annotations

import torch

from gatewise.lstm import Directions, GateStatistics, Layer, LSTMPass, gate_statistics
from gatewise.model.config import Config
from gatewise.runtime.trace import run_encoder
from gatewise.training.batches import Batch, EncodedSentences, collate
from gatewise.training.network import TaggerNetwork

SENTENCES, LONGEST, TOKENS = 30, 60, 800  # of the sample: how many, cut to so many tokens, and together about
DISTANCES = 40


class GateProbe:
    """Looks at the gates; the sample is chosen once, spread evenly over the split."""

    def __init__(self, config: Config, sentences: EncodedSentences) -> None:
        self.config = config
        self._batch = _sample(sentences) if config.encoder.kind == "lstm" else None

    def measure(self, network: TaggerNetwork) -> tuple[Directions[GateStatistics], ...]:
        """One entry a layer, under the network's present weights; none for an RNN, which has no gates.

        Leaves the network in evaluation mode.
        """
        if self._batch is None:
            return ()
        network.eval()
        with torch.no_grad():
            x = network.inputs(self._batch.inputs).cpu().numpy()  # (time, batch, input_size)
        arrays = {name: array.cpu().numpy() for name, array in network.arrays().items()}
        lengths = [min(length, LONGEST) for length in self._batch.lengths.tolist()]
        runs = [run_encoder(x[:length, column], arrays, self) for column, length in enumerate(lengths)]
        found = []
        for layers in zip(*runs, strict=True):
            lstm = [layer for layer in layers if isinstance(layer, Layer) and isinstance(layer.forward, LSTMPass)]
            reverse = [layer.reverse for layer in lstm if layer.reverse is not None]
            found.append(
                Directions(
                    forward=gate_statistics([layer.forward for layer in lstm], distances=DISTANCES),
                    reverse=gate_statistics(reverse, distances=DISTANCES) if reverse else None,
                )
            )
        return tuple(found)


def _sample(sentences: EncodedSentences) -> Batch | None:
    """Sentences at even distances, none of them empty; about as many as fit."""
    candidates = [index for index, length in enumerate(sentences.lengths) if length]
    if not candidates:
        return None
    mean = sum(min(sentences.lengths[index], LONGEST) for index in candidates) / len(candidates)
    wanted = max(1, min(SENTENCES, len(candidates), int(TOKENS / mean)))
    return next(collate(sentences, [[candidates[n * len(candidates) // wanted] for n in range(wanted)]]))
