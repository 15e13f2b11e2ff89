"""How far a score can be trusted: bootstrap confidence intervals, and a test of the difference of two outputs.

In: the counts of each sentence. Out: intervals and p values for F1 of all sentences together. Sentences are resampled,
never single spans, because the errors of a sentence hang together. Accuracy is the F1 of counts whose gold and
predicted are both the number of tokens. Sources: Efron & Tibshirani 1993 (percentile interval); Noreen 1989, Yeh 2000
(approximate randomization); Phipson & Smyth 2010 (why one is added to both sides of the p value).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from random import Random

from gatewise.errors import ShapeError
from gatewise.text.metrics import Counts

_FIELD = 1 << 32  # two numbers travel in one integer, total * _FIELD + correct, so that one sum adds up both
_HALF = _FIELD >> 1
_AS_BITS = bytes.maketrans(b"01", b"\x00\x01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Both ends of a percentile interval, the share of resamples it holds, and how many there were."""

    low: float
    high: float
    level: float
    resamples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Significance:
    """B minus A, and how often chance alone makes a difference at least as large; `rounds` were tried."""

    difference: float
    p_value: float
    rounds: int


def bootstrap_interval(
    counts: Sequence[Counts], *, seed: int, resamples: int = 1000, level: float = 0.95
) -> Interval | None:
    """The percentile interval of F1 over all sentences, or None where there is no sentence.

    Raises ShapeError for fewer than one resample, and for a level outside (0, 1).
    """
    _check(resamples, level)
    if not counts:
        return None
    packed, rng = [_packed(c) for c in counts], Random(seed)
    drawn = sorted(_f1(*divmod(sum(rng.choices(packed, k=len(packed))), _FIELD)) for _ in range(resamples))
    return _interval(drawn, level)


def bootstrap_difference(
    a: Sequence[Counts], b: Sequence[Counts], *, seed: int, resamples: int = 1000, level: float = 0.95
) -> Interval | None:
    """The percentile interval of F1 of `b` minus F1 of `a`, both over the same resampled sentences."""
    _check(resamples, level)
    _check_pairs(a, b)
    if not a:
        return None
    packed_a, packed_b, rng = [_packed(c) for c in a], [_packed(c) for c in b], Random(seed)
    drawn = []
    for _ in range(resamples):
        picked = rng.choices(range(len(a)), k=len(a))
        sum_a, sum_b = sum(map(packed_a.__getitem__, picked)), sum(map(packed_b.__getitem__, picked))
        drawn.append(_f1(*divmod(sum_b, _FIELD)) - _f1(*divmod(sum_a, _FIELD)))
    return _interval(sorted(drawn), level)


def randomization_test(a: Sequence[Counts], b: Sequence[Counts], *, seed: int, rounds: int = 10_000) -> Significance:
    """Two-sided approximate randomization: each sentence's two outputs change places with probability 1/2.

    p = (1 + rounds whose absolute difference of F1 is at least the observed one) / (1 + rounds); ties are exact, for
    differences are compared as integers.
    Raises ShapeError when there are more sentences on one side.
    """
    _check(rounds, 0.5)
    _check_pairs(a, b)
    total_a, correct_a = divmod(sum(map(_packed, a)), _FIELD)
    total_b, correct_b = divmod(sum(map(_packed, b)), _FIELD)
    observed, scale = _cross(total_a, correct_a, total_b, correct_b)
    moves = [_packed(y) - _packed(x) for x, y in zip(a, b, strict=True) if _packed(x) != _packed(y)]
    rng, as_large = Random(seed), 0
    for _ in range(rounds):
        total, correct = divmod(sum(compress(moves, _coins(rng, len(moves)))) + _HALF, _FIELD)
        correct -= _HALF  # what A gains and B loses by the change
        found, found_scale = _cross(total_a + total, correct_a + correct, total_b - total, correct_b - correct)
        as_large += abs(found) * scale >= abs(observed) * found_scale
    difference = _f1(total_b, correct_b) - _f1(total_a, correct_a)
    return Significance(difference=difference, p_value=(1 + as_large) / (1 + rounds), rounds=rounds)


def _packed(counts: Counts) -> int:
    return (counts.gold + counts.predicted) * _FIELD + counts.correct


def _f1(total: int, correct: int) -> float:
    return 2 * correct / total if total else 0.0


def _cross(total_a: int, correct_a: int, total_b: int, correct_b: int) -> tuple[int, int]:
    """(F1 of b - F1 of a) / 2 as a fraction: numerator and denominator; an F1 without spans is 0/1."""
    total_a, total_b = total_a or 1, total_b or 1
    return correct_b * total_a - correct_a * total_b, total_a * total_b


def _coins(rng: Random, count: int) -> bytes:
    """That many fair zeros and ones."""
    if not count:
        return b""
    return f"{rng.getrandbits(count):0{count}b}".encode().translate(_AS_BITS)


def _interval(ordered: Sequence[float], level: float) -> Interval:
    """The percentiles (1 - level)/2 and (1 + level)/2 of sorted values: the nearest rank on the outer side."""
    outside = int(len(ordered) * (1 - level) / 2 + 1e-9)  # 25 of 1000 at 95 %, in spite of binary fractions
    return Interval(low=ordered[outside], high=ordered[-1 - outside], level=level, resamples=len(ordered))


def _check(resamples: int, level: float) -> None:
    if resamples < 1:
        raise ShapeError(f"expected at least one resample, found {resamples}; 1000 are usual")
    if not 0 < level < 1:
        raise ShapeError(f"expected a confidence level between 0 and 1, found {level:g}; 0.95 is usual")


def _check_pairs(a: Sequence[Counts], b: Sequence[Counts]) -> None:
    if len(a) != len(b):
        raise ShapeError(f"expected two outputs for the same sentences, found {len(a)} and {len(b)}; compare one text")
