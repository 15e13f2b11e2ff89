"""Formulas of one step, from the operands that a run recorded: each evaluates to the result that it shows.

In: records of `gatewise.network`. Out: lines such as `0·2 + 100·(-1) + 0·1 + 10·1 = -90`. Nothing is computed here.
"""

from __future__ import annotations

from gatewise.explain.numbers import equals, format_number, format_operand, format_sum
from gatewise.explain.words import Terms
from gatewise.network import LinearUnit, Step

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol(letter: str, unit: int, units: int) -> str:
    """`C` in a layer of one unit, `C₂` for unit 2 (counted from 1) of several."""
    return letter if units == 1 else letter + str(unit).translate(SUBSCRIPTS)


def dot_product(unit: LinearUnit, activation: str) -> str:
    """`0·2 + 100·(-1) + 0·1 + 10·1 = -90`, the biases last."""
    parts = [f"{format_operand(term.weight)}·{format_operand(term.value)}" for term in unit.terms]
    parts += [format_operand(bias) for bias in (unit.bias, unit.bias_hh) if bias is not None]
    return f"{' + '.join(parts)} {equals(shown_sum(unit.pre, activation))}"


def shown_sum(pre: float, activation: str) -> str:
    """A pre-activation; before a step gate with its sign, however small it is."""
    return format_sum(pre) if activation == "step" else format_number(pre)


def activated(unit: LinearUnit, activation: str, words: Terms) -> str:
    """`σ(-90) ≈ 0`; nothing for the identity, which changes nothing."""
    if activation == "identity":
        return ""
    return f"{words.function[activation]}({shown_sum(unit.pre, activation)}) {equals(format_number(unit.value))}"


def memory(step: Step, unit: int) -> str:
    """`C = 0·1 + 1·2 = 2` for this unit, counted from 1."""
    n = unit - 1
    f, i, g = (format_operand(step.linear[gate][n].value) for gate in "fig")
    kept = f"{f}·{format_operand(step.c_prev[n])}"
    name = symbol("C", unit, len(step.c))
    return f"{name} = {kept} + {i}·{g} {equals(format_number(step.c[n]))}"


def output(step: Step, unit: int, activation: str) -> str:
    """`h = 0·2 = 0`, or `h = 0.5·tanh(2) = 0.482`, for this unit, counted from 1."""
    n = unit - 1
    o, c = format_operand(step.linear["o"][n].value), format_number(step.c[n])
    shown = f"{activation}({c})" if activation == "tanh" else format_operand(step.c[n])
    return f"{symbol('h', unit, len(step.h))} = {o}·{shown} {equals(format_number(step.h[n]))}"
