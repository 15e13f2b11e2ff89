"""A traced sentence as a page, for a host that shows it live or in a notebook: its tags, and the reading of each token.

In: a `Trace`. Out: the data that `web/reading_page.js` shows. The numbers are those of `trace_reading`, so page and
terminal say the same.
"""

from __future__ import annotations

from typing import Any

from gatewise.explain.trace_reading import reading_data, reading_words
from gatewise.explain.web_page import LANG_CODES, read_json
from gatewise.explain.words import trace_words
from gatewise.runtime import Trace


def shown_trace(trace: Trace) -> dict[str, Any]:
    """What the page shows of one sentence: `reading` is `reading_data`, `words` are its words in each language."""
    words = {lang: reading_words(trace, lang) | {"empty": trace_words(lang).empty} for lang in LANG_CODES}
    return {
        "model": trace.model,
        "head": trace.head,
        "text": trace.sentence.text,
        "reading": reading_data(trace),
        "words": words,
    }


def reading_page_data(trace: Trace) -> dict[str, Any]:
    """All that the page of one sentence needs."""
    words = {lang: {"page": read_json(f"page.{lang}.json")} for lang in LANG_CODES}
    return {"shown": shown_trace(trace), "words": words}
