"""Weights of LSTMs from PyTorch, Keras and ONNX: one file a source in, a network that `explain` opens out."""

from gatewise.interop.imported import ImportedLSTM, MappedTensor
from gatewise.interop.source import read_lstm
from gatewise.interop.tagger import TaggerParts, import_tagger
from gatewise.interop.write import write_network

__all__ = ["ImportedLSTM", "MappedTensor", "TaggerParts", "import_tagger", "read_lstm", "write_network"]
