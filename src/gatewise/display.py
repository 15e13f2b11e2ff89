"""Records that show themselves in a notebook as a page.

In: a record that was left on a line of its own in Jupyter, VS Code or marimo. Out: what the notebook is to show. How
it is laid out is `explain`'s: that room stands above the records, and is looked up by its name when a notebook asks.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class ShownAsPage:
    """Gives a record the methods that notebooks look for."""

    __slots__ = ()

    def _repr_mimebundle_(self, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ARG002 - theirs
        """A widget, where anywidget is installed; None elsewhere, so that `_repr_html_` is asked."""
        found: tuple[dict[str, Any], dict[str, Any]] | None = _notebook().widget_bundle(self)
        return found

    def _repr_html_(self) -> str | None:
        """The page in a frame of its own, for notebooks without widgets; None for what is too long to be read."""
        found: str | None = _notebook().frame_html(self)
        return found

    def _display_(self) -> Any:
        """What marimo shows: the widget itself, where anywidget is installed, else the frame, else the text."""
        return _notebook().displayed(self)


def _notebook() -> Any:
    return import_module("gatewise.explain.notebook")
