"""The equations, in NumPy, to be read beside the article: neuron, RNN, LSTM, directions, layers, memory ledger."""

from gatewise.lstm.activations import (
    GATE_ACTIVATIONS,
    VALUE_ACTIVATIONS,
    Activations,
    gate_activation,
    sigmoid,
    step,
    value_activation,
)
from gatewise.lstm.cell import LSTMState, LSTMWeights, lstm_step
from gatewise.lstm.layers import Directions, Layer, run_layers, run_rnn_layers
from gatewise.lstm.ledger import (
    LedgerEntry,
    MemoryHeld,
    MemoryLedger,
    ledger_at,
    memory_held,
    memory_ledger,
)
from gatewise.lstm.neuron import NeuronPass, NeuronWeights, run_neuron
from gatewise.lstm.reading import GateOpenness, MemoryShare, gate_openness, largest_shares
from gatewise.lstm.rnn import RNNPass, RNNWeights, run_rnn
from gatewise.lstm.sequence import LSTMPass, run_lstm
from gatewise.lstm.statistics import GateStatistics, gate_statistics

__all__ = [
    "GATE_ACTIVATIONS",
    "VALUE_ACTIVATIONS",
    "Activations",
    "Directions",
    "GateOpenness",
    "GateStatistics",
    "LSTMPass",
    "LSTMState",
    "LSTMWeights",
    "Layer",
    "LedgerEntry",
    "MemoryHeld",
    "MemoryLedger",
    "MemoryShare",
    "NeuronPass",
    "NeuronWeights",
    "RNNPass",
    "RNNWeights",
    "gate_activation",
    "gate_openness",
    "gate_statistics",
    "largest_shares",
    "ledger_at",
    "lstm_step",
    "memory_held",
    "memory_ledger",
    "run_layers",
    "run_lstm",
    "run_neuron",
    "run_rnn",
    "run_rnn_layers",
    "sigmoid",
    "step",
    "value_activation",
]
