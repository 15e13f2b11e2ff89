"""A training run as one HTML page that needs nothing else: no network, no other file.

In: the run as plain data (`training/report_data.py` makes it). Out: the page. Text and labels travel as JSON with every
`<` escaped, and the page writes them as text only, so none of them can ever run. The template, with its words in
English and Chinese, is `pages/training.html`; it speaks the browser's language until the reader chooses.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.explain.errors_page import script_json

_TEMPLATE = Path(__file__).resolve().parent / "pages" / "training.html"
_DATA_PLACE, _TITLE_PLACE = "__DATA__", "__TITLE__"


def training_page(data: Mapping[str, Any]) -> str:
    """The page of a run; `data` as `report_data` makes it."""
    before, _, after = _TEMPLATE.read_text(encoding="utf-8").partition(_DATA_PLACE)
    return before.replace(_TITLE_PLACE, html.escape(f"gatewise: {data['name']}")) + script_json(data) + after
