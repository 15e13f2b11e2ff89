"""The linear-chain CRF in NumPy: best path, sums over all paths, legal transitions. Training has its own, in torch."""

from gatewise.crf.forward_backward import PathSums, forward_backward, stretch_probability
from gatewise.crf.scores import CRFScores, Legality, legal_only, restricted
from gatewise.crf.viterbi import BestPaths, viterbi

__all__ = [
    "BestPaths",
    "CRFScores",
    "Legality",
    "PathSums",
    "forward_backward",
    "legal_only",
    "restricted",
    "stretch_probability",
    "viterbi",
]
