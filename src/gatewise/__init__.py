"""gatewise: an LSTM sequence tagger that you can see through.

import gatewise
gatewise.load("zh").tag("我叫小明").spans                  # words, with their probabilities; no torch
gatewise.load("zh").trace("我叫小明")                      # every gate at every step
gatewise.read_network("article").run(gates="step").outputs  # [0, 2, 0, 0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.network import read_network
    from gatewise.runtime import Tagger, Trace, load
    from gatewise.text.sentence import Sentence, Span, TextSpan, Token
    from gatewise.training.api import TrainResult, train
    from gatewise.training.callbacks import StopTraining

__version__ = "0.1.0"

__all__ = [
    "GatewiseError",
    "Sentence",
    "Span",
    "StopTraining",
    "Tagger",
    "TextSpan",
    "Token",
    "Trace",
    "TrainResult",
    "__version__",
    "load",
    "read_network",
    "train",
]

# Where each public name lives; looked up at first use, so that `import gatewise` stays light.
_HOMES = {
    "load": "gatewise.runtime",
    "Tagger": "gatewise.runtime",
    "Trace": "gatewise.runtime",
    "read_network": "gatewise.network",
    "Sentence": "gatewise.text.sentence",
    "Span": "gatewise.text.sentence",
    "TextSpan": "gatewise.text.sentence",
    "Token": "gatewise.text.sentence",
    "StopTraining": "gatewise.training.callbacks",
    "TrainResult": "gatewise.training.api",
    "train": "gatewise.training.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gatewise' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
