"""Numbers as people read them: whole numbers whole, at most four decimals, ≈ where those would tell a lie.

In: a float. Out: a string. `≈0` is a number that is not 0, but nearer to it than 0.00005; `≈2` likewise.
"""

from __future__ import annotations

from collections.abc import Iterable

DECIMALS = 4
WHOLE_LIMIT = 1e15  # beyond it floats are sparser than the whole numbers, and digits would be invented


def format_number(value: float) -> str:
    """`2`, `-90`, `0.4692`, `≈0` for 8.2e-40, `≈1` for 0.99999999."""
    if abs(value) >= WHOLE_LIMIT:
        return f"{value:.4e}"
    if value == int(value):
        return str(int(value))
    digits = f"{value:.{DECIMALS}f}".rstrip("0")
    return f"≈{int(float(digits))}" if digits.endswith(".") else digits


def format_sum(value: float) -> str:
    """As `format_number`, but `5.6e-17` where that would be ≈0: which side of 0 a sum lies on decides a step gate."""
    shown = format_number(value)
    return f"{value:.1e}" if shown == "≈0" else shown


def format_operand(value: float) -> str:
    """As `format_number`, in parentheses when negative: `100·(-1)`."""
    shown = format_number(value)
    return f"({shown})" if value < 0 and shown != "≈0" else shown


def format_vector(values: Iterable[float]) -> str:
    """`[2, -1, 1]`."""
    return f"[{', '.join(map(format_number, values))}]"


def equals(shown: str) -> str:
    """`= 2`, or `≈ 2` for a number that is shown as ≈2."""
    return f"≈ {shown[1:]}" if shown.startswith("≈") else f"= {shown}"
