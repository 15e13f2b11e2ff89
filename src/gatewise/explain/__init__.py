"""The explainer: lays out what a pass recorded, for the terminal and as JSON; it computes nothing."""

from gatewise.explain.layout import render_text
from gatewise.explain.network_json import network_json
from gatewise.explain.network_text import network_text
from gatewise.explain.trace_json import trace_json
from gatewise.explain.trace_text import trace_text
from gatewise.explain.words import Language

__all__ = ["Language", "network_json", "network_text", "render_text", "trace_json", "trace_text"]
