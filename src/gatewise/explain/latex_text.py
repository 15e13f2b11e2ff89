"""What the LaTeX views share: texts made safe, formulas of the terminal as mathematics, tables with rules.

In: texts and rows. Out: LaTeX that needs amsmath and booktabs, and for Chinese xelatex or lualatex with ctex.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PREAMBLE = "% needs \\usepackage{amsmath,booktabs}; Chinese: xelatex or lualatex with \\usepackage{ctex}\n"
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
_SIGNS = {"·": r" \cdot ", "→": r" \to ", "≈": r"{\approx}", "σ(": r"\sigma(", "tanh(": r"\tanh("}


def latex_text(text: str) -> str:
    """The text as LaTeX prints it, whatever is in it; white space and control characters become spaces."""
    plain = "".join(" " if ord(character) < 32 or ord(character) == 127 else character for character in text)
    return "".join(_SPECIAL.get(character, character) for character in plain)


def latex_math(formula: str) -> str:
    """A formula of the terminal, `σ(-90) ≈ 0` or `C₂ = 0·1 + 1·2 = 2`, as mathematics without its dollar signs."""
    shown = formula.replace("step(", r"\operatorname{step}(")
    shown = re.sub(r" ≈ ", r" \\approx ", shown)
    for sign, command in _SIGNS.items():
        shown = shown.replace(sign, command)
    shown = re.sub("[₀-₉]+", lambda match: "_{" + match[0].translate(_DIGITS) + "}", shown)
    return re.sub(r"(\d)e([+-]?)0*(\d+)", _exponent, shown)


_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def _exponent(match: re.Match[str]) -> str:
    return rf"{match[1]} \cdot 10^{{{match[2].replace('+', '')}{match[3]}}}"


def latex_table(heads: Sequence[str], rows: Sequence[Sequence[str]], columns: str = "") -> str:
    """A tabular with rules above, below and under its heads; cells are LaTeX already."""
    lines = [f"\\begin{{tabular}}{{{columns or 'l' * len(heads)}}}", r"\toprule", _row(heads), r"\midrule"]
    return "\n".join([*lines, *map(_row, rows), r"\bottomrule", r"\end{tabular}"]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
