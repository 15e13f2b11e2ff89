"""The network of a run as it stands before the first step.

In: a `Prepared`. Out: a `TaggerNetwork` with its random start, the pretrained vectors and language model in it.
"""

from __future__ import annotations

from gatewise.model.archive import legality_of
from gatewise.training.network import TaggerNetwork
from gatewise.training.prepare import Prepared


def new_network(prepared: Prepared) -> TaggerNetwork:
    """The network of a configuration with its random start, from torch's current generator."""
    legality = legality_of(prepared.labels, prepared.config.task.scheme)
    heads = {
        name: legality_of(head.labels, prepared.config.heads[name].scheme) for name, head in prepared.heads.items()
    }
    network = TaggerNetwork(prepared.config, sizes=prepared.sizes, legality=legality, heads=heads)
    network.initialize()
    network.inputs.set_unknown_rates(prepared.unknown_rates)
    for name, vectors in prepared.vectors.items():
        vectors.fill(network.inputs.embeddings[name], trained=prepared.config.features.vectors_trained)
    if prepared.language_model is not None and network.inputs.language_model is not None:
        network.inputs.language_model.fill(prepared.language_model)
    return network
