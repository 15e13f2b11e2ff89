"""The studio's pages and modules: the same modules as in an exported file, each at an address of its own.

In: what was chosen. Out: HTML with the policy to send beside it, and the text of a module.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from gatewise.explain.errors_page import script_json
from gatewise.explain.network_page import network_data, network_title
from gatewise.explain.trace_page import STYLES, trace_page_words
from gatewise.explain.web_page import LANG_CODES, WEB, page_html, page_policy, style_sheet
from gatewise.explain.words import Language
from gatewise.studio.shelf import Shelf

_OWN = Path(__file__).resolve().parent / "web"
_EXAMPLE = "我叫小明"


def modules() -> dict[str, Path]:
    """Address → file of every module; nothing else is ever read."""
    return {f"/web/{path.name}": path for folder in (WEB, _OWN) for path in sorted(folder.glob("*.js"))}


def network_view(shelf: Shelf, name: str, lang: Language, said: str = "") -> tuple[str, str]:
    """The page of a network and its policy; `said` is a sentence to show above it."""
    network = shelf.network(name)
    data = network_data(network) | {"said": said}
    return _page(shelf, data, {"network": name}, title=network_title(network, lang), lang=lang)


def model_view(shelf: Shelf, name: str, lang: Language) -> tuple[str, str]:
    """The page of a trained model, which asks for the trace of what is typed, and its policy."""
    shelf.expect_model(name)
    data = {"text": _EXAMPLE, "said": "", "words": {one: trace_page_words(one) for one in LANG_CODES}}
    return _page(shelf, data, {"model": name}, title=f"{name} · gatewise", lang=lang)


def _page(shelf: Shelf, data: dict[str, Any], chosen: dict[str, str], *, title: str, lang: Language) -> tuple[str, str]:
    for one in LANG_CODES:
        data["words"][one]["studio"] = json.loads((_OWN / f"studio.{one}.json").read_text(encoding="utf-8"))
    data |= {"chosen": chosen, "networks_there": shelf.networks(), "models_there": shelf.models(), "lang": lang}
    imports = {f"gatewise/{path.name}": address for address, path in modules().items()}
    nonce = secrets.token_urlsafe(18)
    style = style_sheet(*STYLES, "studio.css")
    content = script_json(data)
    page = page_html(content, title=title, lang=lang, entry="studio.js", imports=imports, nonce=nonce, style=style)
    return page, page_policy(nonce, style, scripts="'self'", requests="'self'") + "; frame-ancestors 'none'"
