"""The linear-chain CRF in NumPy: best path, sums over all paths, legal transitions. Training has its own, in torch."""

from gatewise.crf.forward_backward import PathSums, Sums, forward_backward, sum_paths
from gatewise.crf.lattice import Lattice, lattice
from gatewise.crf.n_best import RankedPaths, n_best
from gatewise.crf.scores import CRFScores, Legality, legal_only, restricted
from gatewise.crf.temperature import LabeledBatch, TemperatureFit, fit_temperature
from gatewise.crf.viterbi import BestPaths, best_tags, path_scores, viterbi

__all__ = [
    "BestPaths",
    "CRFScores",
    "LabeledBatch",
    "Lattice",
    "Legality",
    "PathSums",
    "RankedPaths",
    "Sums",
    "TemperatureFit",
    "best_tags",
    "fit_temperature",
    "forward_backward",
    "lattice",
    "legal_only",
    "n_best",
    "path_scores",
    "restricted",
    "sum_paths",
    "viterbi",
]
