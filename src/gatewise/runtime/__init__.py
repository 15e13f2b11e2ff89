"""Tagging at speed, without torch: batches, the exported graph, the decoder, the trace."""

from gatewise.model.features import InputPart
from gatewise.runtime.constraints import Constraints, KnownSpan, KnownTag
from gatewise.runtime.dictionary import Dictionary, read_dictionary
from gatewise.runtime.reading import TokenReading, read_trace
from gatewise.runtime.tagger import Tagger, load
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
