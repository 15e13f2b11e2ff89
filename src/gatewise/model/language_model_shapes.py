"""The weights of a character language model: their names and shapes, in its own folder and in taggers that read it.

Two LSTMs, forward and reverse, each with an embedding of characters, under PyTorch's names. A tagger may have trained a
layer on the states of each.
"""

from __future__ import annotations

PREFIX = "language_model."
SUFFIXES = ("", "_reverse")  # one a direction
KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

Shape = tuple[int, ...]


def embedding_name(suffix: str) -> str:
    """The name of a direction's embedding."""
    return f"{PREFIX}embedding{suffix}.weight"


def layer_name(kind: str, suffix: str) -> str:
    """The name of an array of a direction's LSTM."""
    return f"{PREFIX}{kind}_l0{suffix}"


def projection_name(kind: str, suffix: str) -> str:
    """The name of an array of the layer on a direction's states; `kind` is weight or bias."""
    return f"{PREFIX}projection{suffix}.{kind}"


def layer_shapes(*, hidden: int, dim: int) -> dict[str, Shape]:
    """Name → shape of the LSTMs' arrays."""
    shapes = {"weight_ih": (4 * hidden, dim), "weight_hh": (4 * hidden, hidden)}
    return {layer_name(kind, suffix): shapes.get(kind, (4 * hidden,)) for suffix in SUFFIXES for kind in KINDS}


def projection_shapes(*, hidden: int, size: int) -> dict[str, Shape]:
    """Name → shape of the trained layers that make `size` numbers of each direction's states; none for 0."""
    if not size:
        return {}
    shapes = {"weight": (size, hidden), "bias": (size,)}
    return {projection_name(kind, suffix): shape for suffix in SUFFIXES for kind, shape in shapes.items()}
