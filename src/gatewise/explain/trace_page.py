"""A trained model's pass over one text as one HTML page that computes by itself: gates, memory, tags, and what if.

In: a `Tagger` and a text. Out: the page, which needs no network and no other file.
"""

from __future__ import annotations

from typing import Any

from gatewise.explain.network_page import page_words, plain_words
from gatewise.explain.trace_document import MOST, trace_document
from gatewise.explain.trace_text import model_line
from gatewise.explain.web_page import LANG_CODES, read_json, web_page
from gatewise.explain.words import Language, trace_words
from gatewise.runtime import Tagger
from gatewise.runtime.trace import Trace

ENTRY, STYLES = "trace_app.js", ("trace.css",)


def trace_page(tagger: Tagger, text: str, *, head: str = "", lang: Language = "en") -> str:
    """The page of this text under one head of the model, in `lang` until the reader chooses the other language.

    >>> import gatewise
    >>> trace_page(gatewise.load("zh"), "我叫小明").startswith("<!doctype html>")
    True
    """
    trace = tagger.trace(text, head)
    return web_page(trace_data(trace), title=f"{_short(text)} · gatewise", lang=lang, entry=ENTRY, styles=STYLES)


def trace_data(trace: Trace) -> dict[str, Any]:
    """What the page shows in a file or a notebook."""
    return {"trace": shown_trace(trace), "words": {one: trace_page_words(one) for one in LANG_CODES}}


def shown_trace(trace: Trace, *, most: int = MOST) -> dict[str, Any]:
    """The trace as a document of at most `most` characters of numbers, with the line that says which model it is of."""
    return trace_document(trace, most=most) | {"line": {one: model_line(trace, one) for one in LANG_CODES}}


def trace_page_words(lang: Language) -> dict[str, Any]:
    """Those of every page, those of this one, and those that the terminal uses too."""
    frame = {name: table for name, table in page_words(lang).items() if name != "lessons"}
    spoken = plain_words(trace_words(lang))
    return frame | {"trace": read_json(f"trace.{lang}.json"), "spoken": spoken}


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
