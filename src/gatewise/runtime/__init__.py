"""Tagging at speed, without torch: batches, the exported graph, the decoder, the trace.

The trace and its reading are looked up at first use: tagging needs neither them nor the equations below them.
"""

from typing import TYPE_CHECKING, Any

from gatewise.model.feature_ids import InputPart
from gatewise.runtime.constraints import Constraints, KnownSpan, KnownTag
from gatewise.runtime.dictionary import Dictionary, read_dictionary
from gatewise.runtime.tagger import Tagger, load

if TYPE_CHECKING:
    from gatewise.runtime.reading import TokenReading, read_trace
    from gatewise.runtime.trace import Trace

__all__ = [
    "Constraints",
    "Dictionary",
    "InputPart",
    "KnownSpan",
    "KnownTag",
    "Tagger",
    "TokenReading",
    "Trace",
    "load",
    "read_dictionary",
    "read_trace",
]

_HOMES = {
    "TokenReading": "gatewise.runtime.reading",
    "Trace": "gatewise.runtime.trace",
    "read_trace": "gatewise.runtime.reading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
