"""Tagging at speed, without torch: batches, the exported graph, the decoder, the trace."""

from gatewise.model.features import InputPart
from gatewise.runtime.reading import TokenReading, read_trace
from gatewise.runtime.tagger import Tagger, load
from gatewise.runtime.trace import Trace

__all__ = ["InputPart", "Tagger", "TokenReading", "Trace", "load", "read_trace"]
