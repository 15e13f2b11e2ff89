"""Networks written by hand or imported: a TOML file in, every number of its pass out. See docs/networks.md."""

from gatewise.network.compare import Comparison, GateDifference, OutputDifference, Parting, compare_runs
from gatewise.network.inputs import read_inputs
from gatewise.network.network import Language, Network, Tag, Wording
from gatewise.network.read import EXAMPLES, network_file, parse_network, read_network
from gatewise.network.reading import StepReading, read_direction
from gatewise.network.records import DirectionRun, LayerRun, LinearUnit, NetworkRun, Step, Term

__all__ = [
    "EXAMPLES",
    "Comparison",
    "DirectionRun",
    "GateDifference",
    "Language",
    "LayerRun",
    "LinearUnit",
    "Network",
    "NetworkRun",
    "OutputDifference",
    "Parting",
    "Step",
    "StepReading",
    "Tag",
    "Term",
    "Wording",
    "compare_runs",
    "network_file",
    "parse_network",
    "read_direction",
    "read_inputs",
    "read_network",
]
