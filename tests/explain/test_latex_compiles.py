"""LaTeX of the explainer, set by a real LaTeX where there is one: no error, and what it prints is what was shown."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatewise.explain import network_latex, trace_latex
from gatewise.network import parse_network, read_network
from gatewise.runtime import Tagger

ODD = Path(__file__).parents[1] / "data" / "odd.toml"
HOSTILE = r"50% & $x_1$ #{~^\} \input{a} <b>"


def has(engine: str, *packages: str) -> bool:
    """Whether this LaTeX and these packages are installed."""
    if shutil.which(engine) is None or shutil.which("kpsewhich") is None:
        return False
    found = [subprocess.run(["kpsewhich", name], capture_output=True, check=False).stdout for name in packages]
    return all(found)


def printed(folder: Path, engine: str, preamble: str, body: str) -> str:
    """The document is set; what LaTeX says of it, where it fails."""
    head = f"\\documentclass{{article}}\n\\usepackage{{amsmath,booktabs}}\n{preamble}\n"
    content = f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "shown.tex").write_text(content, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "shown.tex"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    said = ran.stdout.decode("utf-8", errors="replace")
    assert ran.returncode == 0, said[-1500:]
    assert (folder / "shown.pdf").read_bytes().startswith(b"%PDF")
    return said


needs_latex = pytest.mark.skipif(
    not has("pdflatex", "amsmath.sty", "booktabs.sty"), reason="no LaTeX with amsmath and booktabs is installed"
)
needs_chinese = pytest.mark.skipif(
    not has("xelatex", "amsmath.sty", "booktabs.sty", "ctex.sty"), reason="no XeLaTeX with ctex is installed"
)


@needs_latex
@pytest.mark.parametrize("gate", ["sigmoid", "step"])
def test_a_network_is_set(tmp_path: Path, gate: str) -> None:
    network = parse_network(ODD.read_bytes(), "odd.toml")
    said = printed(tmp_path, "pdflatex", "", network_latex(network.run(gates=gate)))
    assert "Missing character" not in said


@needs_latex
@pytest.mark.parametrize("model", ["v1-tags", "v1-softmax-rnn", "v1-half-heads"])
def test_a_trace_is_set_whatever_is_in_its_text(tmp_path: Path, taggers: dict[str, Tagger], model: str) -> None:
    said = printed(tmp_path, "pdflatex", "", trace_latex(taggers[model].trace(HOSTILE)))
    assert "Missing character" not in said


@needs_latex
def test_what_is_no_latex_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Undefined control sequence"):
        printed(tmp_path, "pdflatex", "", r"\nothing")


@needs_chinese
def test_chinese_is_set(tmp_path: Path, taggers: dict[str, Tagger]) -> None:
    body = network_latex(read_network("article").run(), lang="zh") + trace_latex(
        taggers["v1-spans"].trace("小明住在北京。"), lang="zh"
    )
    said = printed(tmp_path, "xelatex", "\\usepackage{ctex}", body)
    assert "Missing character" not in said
    assert not re.search(r"Overfull .hbox .\d{3}", said)  # 100 points and more would run over the edge of the paper
