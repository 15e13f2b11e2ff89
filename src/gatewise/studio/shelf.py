"""What the studio can show: the networks and the models that it was given, each under a name.

In: the names and paths of the command line, and the networks that the reader opens. Out: networks, taggers. A request
chooses among these names and can name nothing else on this machine.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from gatewise.errors import GatewiseError, ModelError, NetworkError, TextError
from gatewise.model.bundled import bundled_models
from gatewise.network import EXAMPLES, Network, parse_network, read_network

if TYPE_CHECKING:
    from gatewise.runtime import Tagger, Trace

MOST_OPENED = 50  # networks that a reader opened, the newest


class Shelf:
    """Networks and models by name; safe for many threads."""

    def __init__(self, *, network: str | None = None, model: str | None = None) -> None:
        """`network` and `model` are what the command line named: they are read now, and what is wrong is raised."""
        self._lock, self._tracing = Lock(), Lock()
        self._networks = dict.fromkeys([*EXAMPLES, *([] if network is None else [network])])
        self._opened: dict[str, Network] = {}
        self._models = dict.fromkeys([*bundled_models(), *([] if model is None else [model])])
        self._taggers: dict[str, Tagger] = {}
        if network is not None:
            read_network(network)
        if model is not None:
            self._tagger(model)

    def networks(self) -> list[dict[str, Any]]:
        """The name and the title of each network; of one whose file has become unreadable the name alone."""
        found = []
        for name in (*self._networks, *self._opened):
            try:
                title = self.network(name).title
            except GatewiseError:
                found.append({"name": name, "title": {"en": "", "zh": ""}})
            else:
                found.append({"name": name, "title": {"en": title.en, "zh": title.zh}})
        return found

    def network(self, name: str) -> Network:
        """The network of this name, read anew from its file each time, so that a reload shows its changes."""
        if name in self._opened:
            return self._opened[name]
        if name not in self._networks:
            known = ", ".join([*self._networks, *self._opened])
            raise NetworkError(f"network: expected one of {known}, found {name!r}; open its TOML file in the studio")
        return read_network(name)

    def open_network(self, name: str, content: str) -> str:
        """Keep a network that the reader opened; returns the name it has from now on."""
        source = Path(name.replace("\\", "/")).name or "network.toml"
        network = parse_network(content.encode("utf-8"), source)
        network.run()
        free = f"{source} (opened)" if source in self._networks else source
        with self._lock:  # a file that is opened again takes its old place
            kept = [(key, one) for key, one in self._opened.items() if key != free]
            self._opened = dict([*kept, (free, network)][-MOST_OPENED:])
        return free

    def models(self) -> list[dict[str, Any]]:
        """The name of each model, and what it says of itself."""
        found = []
        for name in self._models:
            archive = self._tagger(name).archive
            said = {"kind": archive.config.task.kind, "description": archive.config.card.description}
            found.append({"name": name, **said, "heads": list(archive.heads)})
        return found

    def expect_model(self, name: str) -> None:
        """Raises ModelError unless a model has this name."""
        if name not in self._models:
            known = ", ".join(self._models)
            raise ModelError(f"model: expected one of {known}, found {name!r}; start the studio with -m for another")

    def trace(self, model: str, text: str, head: str = "", *, most: int) -> Trace:
        """The trace of a text of at most `most` tokens; one at a time, so that many windows do not fill the memory."""
        self.expect_model(model)
        tagger = self._tagger(model)
        count = len(tagger.tokenize(text))
        if count > most:
            raise TextError(f"text: expected at most {most:,} tokens, found {count:,}; explain a part of it")
        with self._tracing:
            return tagger.trace(text, head)

    def _tagger(self, name: str) -> Tagger:
        from gatewise.runtime import load

        with self._lock:
            if name not in self._taggers:
                self._taggers[name] = load(name)
            return self._taggers[name]
