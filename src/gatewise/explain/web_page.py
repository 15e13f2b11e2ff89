"""One HTML file that needs nothing else: ES modules, style and data inside it, under a strict policy.

In: what the page shows, as JSON, and the module that shows it. Out: the page. The modules in `web/` are plain ES
modules that name each other `gatewise/NAME.js`; here an import map gives each of them a `data:` address. Texts travel
as JSON with every `<` escaped, and the modules set them as text only, so none of them can ever run. See
docs/adr/0028-the-page-is-modules-in-an-import-map.md.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from gatewise.explain.errors_page import script_json
from gatewise.explain.words import Language

WEB = Path(__file__).resolve().parent / "web"
LANG_CODES: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
STYLES = ("page.css", "picture.css")
_IMPORT = re.compile(r'from "(gatewise/\w+\.js)"')
_START = 'import {{ start }} from "gatewise/{entry}"; start();'


def web_page(
    data: dict[str, Any], *, title: str, lang: Language, entry: str = "app.js", styles: tuple[str, ...] = ()
) -> str:
    """The page whose module `entry` shows `data`, in `lang` until the reader chooses the other language.

    `styles` are its own, beside those of every page.
    """
    imports = import_map(entry)
    content, style = script_json(data | {"lang": lang}), style_sheet(*styles)
    nonce = _digest(script_json(imports) + content + title)
    policy = page_policy(nonce, style)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return page_html(content, title=title, lang=lang, entry=entry, imports=imports, nonce=nonce, head=meta, style=style)


def page_html(
    content: str,
    *,
    title: str,
    lang: Language,
    entry: str,
    imports: dict[str, str],
    nonce: str,
    style: str,
    head: str = "",
) -> str:
    """The page of any host: `imports` say where the modules are, `content` is the data as `script_json` writes it."""
    return f"""<!doctype html>
<html lang="{LANG_CODES[lang]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
{head}
<title>{html.escape(title)}</title>
<style id="style">{style}</style>
<script type="application/json" id="data">{content}</script>
<script type="importmap" nonce="{nonce}">{script_json({"imports": imports})}</script>
</head>
<body>
<div id="app"><noscript>This page computes: it needs JavaScript. 本页需要 JavaScript 才能计算。</noscript></div>
<script type="module" nonce="{nonce}">{_START.format(entry=entry)}</script>
</body>
</html>
"""


def style_sheet(*more: str) -> str:
    """The style of every page, and these files of one's own."""
    return "\n".join((WEB / name).read_text(encoding="utf-8") for name in (*STYLES, *more))


def page_policy(nonce: str, style: str, scripts: str = "", requests: str = "") -> str:
    """Nothing but this style, the scripts with this nonce and what they import, and pictures that they draw themselves.

    The nonce of a file is a digest of the page, so no text inside the page can know it. A live host adds from where
    scripts may be imported and whom they may ask.
    """
    connect, imported = (f"connect-src {requests}; " if requests else ""), (f" {scripts}" if scripts else "")
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'nonce-{nonce}'{imported}; "
        f"{connect}img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def import_map(entry: str | None = None) -> dict[str, str]:
    """Every module, or all that a page with this entry needs, with its whole text as its address."""
    names = {f"gatewise/{path.name}" for path in WEB.glob("*.js")} if entry is None else modules_of(entry)
    return {name: _address(WEB / name.removeprefix("gatewise/")) for name in sorted(names)}


def modules_of(entry: str) -> set[str]:
    """The names of a module and of all that it imports, directly or not: what a page with this entry needs."""
    found: set[str] = set()
    waiting = {f"gatewise/{entry}"}
    while waiting:
        name = waiting.pop()
        found.add(name)
        content = (WEB / name.removeprefix("gatewise/")).read_text(encoding="utf-8")
        waiting |= set(_IMPORT.findall(content)) - found
    return found


def read_json(name: str) -> Any:
    """The content of one of the data files in `web/`."""
    return json.loads((WEB / name).read_text(encoding="utf-8"))


def _address(path: Path) -> str:
    """The module as an address; the comment at its end gives it a name in the browser's own tools."""
    content = path.read_bytes() + f"//# sourceURL=gatewise/{path.name}\n".encode()
    return "data:text/javascript;charset=utf-8;base64," + base64.b64encode(content).decode("ascii")


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")
