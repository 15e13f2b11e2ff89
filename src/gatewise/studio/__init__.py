"""The studio: the pages of networks and of trained models, live, for one person on one machine. See docs/studio.md."""

from gatewise.studio.server import HOST, Studio, open_studio
from gatewise.studio.shelf import Shelf

__all__ = ["HOST", "Shelf", "Studio", "open_studio"]
