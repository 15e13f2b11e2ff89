"""The explainer: lays out what a pass recorded, for the terminal, as JSON, CSV, LaTeX and a page; it computes nothing.

The exceptions are the pages, which recompute what their reader edits: a hand-written network (`web/lstm.js`), and a
trained model's pass (`web/encoder.js`, `web/crf.js`).
"""

from gatewise.explain.layout import render_text
from gatewise.explain.network_csv import network_csv
from gatewise.explain.network_json import network_json
from gatewise.explain.network_latex import network_latex
from gatewise.explain.network_page import network_page
from gatewise.explain.network_text import network_text
from gatewise.explain.trace_csv import trace_csv
from gatewise.explain.trace_json import trace_json
from gatewise.explain.trace_latex import trace_latex
from gatewise.explain.trace_page import trace_page
from gatewise.explain.trace_text import trace_text
from gatewise.explain.words import Language

__all__ = [
    "Language",
    "network_csv",
    "network_json",
    "network_latex",
    "network_page",
    "network_text",
    "render_text",
    "trace_csv",
    "trace_json",
    "trace_latex",
    "trace_page",
    "trace_text",
]
