"""Activation functions by name: what turns a pre-activation into a gate, a candidate or an output.

In: an array of pre-activations. Out: a new array of the same shape and float type.
Gates use the logistic sigmoid (Hochreiter & Schmidhuber 1997); `step` is the hard threshold gate of the article.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

import numpy as np

from gatewise.errors import ConfigError
from gatewise.lstm.shapes import Array

Activation = Callable[[Array], Array]


def sigmoid(pre: Array) -> Array:
    """1 / (1 + exp(-pre)), written so that exp never overflows: exact to the last digits for ±1000 too."""
    top: Array = np.exp(np.minimum(pre, 0))  # exp(pre) below 0, else 1
    bottom: Array = 1 + np.exp(-np.abs(pre))
    return top / bottom


def step(pre: Array) -> Array:
    """1 where the pre-activation is above 0, else 0; exactly 0 counts as closed."""
    return (pre > 0).astype(pre.dtype)


def tanh(pre: Array) -> Array:
    """The hyperbolic tangent, between -1 and 1."""
    return np.tanh(pre)


def identity(pre: Array) -> Array:
    """The pre-activation itself: the article's f(x) = x, so that numbers can be followed by hand."""
    return pre.copy()


GATE_ACTIVATIONS: Mapping[str, Activation] = MappingProxyType({"sigmoid": sigmoid, "step": step})
VALUE_ACTIVATIONS: Mapping[str, Activation] = MappingProxyType({"tanh": tanh, "identity": identity})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """The names of the three activations of an LSTM; PyTorch's are the defaults."""

    gate: str = "sigmoid"
    candidate: str = "tanh"
    output: str = "tanh"


def gate_activation(name: str) -> Activation:
    """The gate activation of this name; ConfigError lists the known ones."""
    return _lookup(name, GATE_ACTIVATIONS, "gate activation")


def value_activation(name: str) -> Activation:
    """The candidate or output activation of this name; ConfigError lists the known ones."""
    return _lookup(name, VALUE_ACTIVATIONS, "candidate or output activation")


def _lookup(name: str, known: Mapping[str, Activation], what: str) -> Activation:
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"{what}: expected one of {', '.join(known)}, found {name!r}{hint}")
