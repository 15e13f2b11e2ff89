"""A network run or a trace in a notebook: the page that a browser shows, in a frame inside the cell's output.

In: a `NetworkRun` or a `Trace`. Out: a widget by anywidget (extra `notebook`), or the whole page as a frame in HTML. In
both the page is in a sandbox: it neither sees nor changes the notebook around it. See
docs/adr/0030-the-page-live-and-in-a-notebook.md.
"""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gatewise.explain.errors_page import LONGEST_EXPLAINED
from gatewise.explain.network_page import network_data, network_title
from gatewise.explain.trace_page import ENTRY, STYLES, trace_data
from gatewise.explain.web_page import import_map, page_html, page_policy, style_sheet, web_page
from gatewise.explain.words import Language
from gatewise.network import NetworkRun
from gatewise.runtime import Trace

HEIGHT = 720  # pixels of the frame at first; its lower edge can be pulled
NONCE_PLACE, DATA_PLACE = "__GATEWISE_NONCE__", "__GATEWISE_DATA__"
_WIDGET = Path(__file__).resolve().parent / "pages" / "widget.js"
_BOX = f"resize: vertical; overflow: hidden; height: {HEIGHT}px; min-height: 200px; border: 1px solid #8886"
_FRAME = "width: 100%; height: 100%; border: 0; display: block"
# where a notebook puts an element between box and frame, 100% of its height says nothing
_AT_LEAST = f"; min-height: {HEIGHT}px"

Shown = NetworkRun | Trace


def frame_html(shown: Shown) -> str | None:
    """The page as a frame that holds all of it; None for a sentence that is too long to be read."""
    if _length(shown) > LONGEST_EXPLAINED:
        return None
    lang = notebook_lang()
    page = web_page(
        _data(shown), title=_title(shown, lang), lang=lang, entry=_entry(shown), styles=_styles(_entry(shown))
    )
    title = html.escape(_title(shown, lang))
    return (
        f'<div style="{_BOX}{_AT_LEAST}"><iframe title="{title}" sandbox="allow-scripts allow-downloads" '
        f'style="{_FRAME}{_AT_LEAST}" '
        f'srcdoc="{html.escape(page)}"></iframe></div>'
    )


def widget_bundle(shown: Shown) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A new widget as a notebook wants it; None without anywidget, and for what is too long."""
    if _length(shown) > LONGEST_EXPLAINED:
        return None
    try:
        widget = page_widget(shown)
    except ImportError:
        return None
    data, metadata = widget._repr_mimebundle_()
    return {kind: content for kind, content in data.items() if kind != "text/plain"}, metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A page that shows itself as HTML alone."""

    content: str

    def _repr_html_(self) -> str:
        return self.content


def displayed(shown: Shown) -> Any:
    """What marimo shows in the place of a record: a widget, a frame without anywidget, a text for what is too long."""
    content = frame_html(shown)
    if content is None:
        return repr(shown)
    try:
        return page_widget(shown)
    except ImportError:
        return Frame(content=content)


def page_widget(shown: Shown) -> Any:
    """The widget itself: `data` is what its page shows. Raises ImportError without anywidget."""
    lang = notebook_lang()
    return _widget_class(_entry(shown))(data=_data(shown) | {"lang": lang}, label=_title(shown, lang))


def widget_module(entry: str) -> str:
    """One ES module, as anywidget wants it: the page with all its modules inside, and what puts it into a frame."""
    style = style_sheet(*_styles(entry))
    page = page_html(
        DATA_PLACE,
        title="gatewise",
        lang="en",
        entry=entry,
        imports=import_map(entry),
        nonce=NONCE_PLACE,
        style=style,
        head=f'<meta http-equiv="Content-Security-Policy" content="{page_policy(NONCE_PLACE, style)}">',
    )
    given = {"page": page, "nonce": NONCE_PLACE, "data": DATA_PLACE, "box": _BOX, "frame": _FRAME}
    return f"const GIVEN = {json.dumps(given)};\n{_WIDGET.read_text(encoding='utf-8')}"


def notebook_lang() -> Language:
    """The language that a page begins in: English, or what GATEWISE_LANG says, as on the command line."""
    return "zh" if os.environ.get("GATEWISE_LANG") == "zh" else "en"


@cache
def _widget_class(entry: str) -> Any:
    import anywidget
    import traitlets

    content = {
        "_esm": widget_module(entry),
        "data": traitlets.Dict().tag(sync=True),
        "label": traitlets.Unicode().tag(sync=True),
    }
    return type("GatewisePage", (anywidget.AnyWidget,), content | {"__module__": f"{__name__}.{entry}"})


def _entry(shown: Shown) -> str:
    return ENTRY if isinstance(shown, Trace) else "app.js"


def _styles(entry: str) -> tuple[str, ...]:
    return STYLES if entry == ENTRY else ()


def _data(shown: Shown) -> dict[str, Any]:
    if isinstance(shown, Trace):
        return trace_data(shown)
    return network_data(shown.network, shown.tokens, shown.gates)


def _title(shown: Shown, lang: Language) -> str:
    return f"{shown.model} · gatewise" if isinstance(shown, Trace) else network_title(shown.network, lang)


def _length(shown: Shown) -> int:
    return len(shown) if isinstance(shown, Trace) else len(shown.tokens)
