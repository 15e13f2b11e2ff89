"""What the tests of the network page share: pages opened from disk in the browser."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.explain import network_page, trace_page
from gatewise.model.config_reading import config_from_dict
from gatewise.model.numbers import stored
from gatewise.model.parameters import parameter_shapes
from gatewise.model.saving import save_model
from gatewise.network import parse_network, read_network
from gatewise.runtime import Tagger, Trace, load
from gatewise.text.transitions import complete_tags
from gatewise.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page in the browser; `errors` are its console's, `requests` what it asked for beyond its own file."""

    page: Any
    errors: list[str]
    requests: list[str]

    def text(self, selector: str) -> str:
        """The text of the first match."""
        return str(self.page.locator(selector).first.text_content())

    def texts(self, selector: str) -> list[str]:
        """The texts of all matches, SVG included."""
        return [str(text) for text in self.page.locator(selector).all_text_contents()]

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def key(self, name: str) -> Any:
        """The element with this data-key."""
        return self.page.locator(f'[data-key="{name}"]')

    def chain(self, kind: str) -> list[str]:
        """The texts of one kind in the picture of the chain."""
        return self.texts(f'svg[data-picture="chain"] {kind}')  # type: ignore[no-any-return]

    def saved(self, kind: str) -> str:
        """The content of an exported text."""
        self.key("export").click()
        with self.page.expect_download() as waiting:
            self.key(f"export-{kind}").click()
        return Path(waiting.value.path()).read_text(encoding="utf-8")

    @staticmethod
    def number(text: str) -> float:
        """A number as the page writes it."""
        return float(re.sub(r"[≈()+]", "", text).replace("−", "-"))

    def focused(self) -> str:
        """The data-key of the element that has the focus, else its name."""
        return str(self.page.evaluate("document.activeElement.dataset.key ?? document.activeElement.tagName"))


Pool = dict[str, list[Opened]]


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Pages that no test uses now, by their options: a new one takes far longer than another address in an old one."""
    return {}


def new_page(browser: Any, options: dict[str, Any]) -> Opened:
    one = Opened(page=browser.new_context(**options).new_page(), errors=[], requests=[])
    one.page.on("console", lambda message: one.errors.append(message.text))
    one.page.on("pageerror", lambda error: one.errors.append(str(error)))
    one.page.on("dialog", lambda dialog: one.errors.append(dialog.message))
    one.page.on("request", lambda request: one.requests.append(request.url))
    return one


@pytest.fixture
def visit(browser: Any, pool: Pool, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a page's text from disk: `visit(html, hash="#…", viewport=…)`.

    At the end, no page may have said a word on its console or asked for anything.
    """
    used: list[tuple[str, Opened]] = []

    def open_page(content: str, *, hash: str = "", **options: Any) -> Opened:
        file = tmp_path / f"page{len(used)}.html"
        file.write_text(content, encoding="utf-8")
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        key = repr(sorted(settings.items()))
        free = pool.setdefault(key, [])
        one = free.pop() if free else new_page(browser, settings)
        used.append((key, one))
        one.page.goto(file.as_uri() + hash)
        one.page.wait_for_selector("main")
        return one

    yield open_page
    for key, one in used:
        inside = ("data:", "blob:", tmp_path.as_uri())
        assert one.errors == []
        assert [url for url in one.requests if not url.startswith(inside)] == []
        one.requests.clear()
        pool[key].append(one)


@pytest.fixture
def opened(visit: Callable[..., Opened]) -> Callable[..., Opened]:
    """Opens a network's page: `opened("article", lang="zh", hash="#…")`, or the bytes of a TOML file for its name."""

    def network(network: str | bytes = "article", *, lang: Any = "en", **options: Any) -> Opened:
        parsed = read_network(network) if isinstance(network, str) else parse_network(network, "test.toml")
        return visit(network_page(parsed, lang=lang), **options)

    return network


@pytest.fixture
def traced(visit: Callable[..., Opened], taggers: dict[str, Tagger]) -> Callable[..., Opened]:
    """Opens the page of a text under a stored tiny model, or under any tagger: `traced("小明", "v1-spans")`."""

    def trace(
        text: str, model: str | Tagger = "v1-spans", *, lang: Any = "en", head: str = "", **options: Any
    ) -> Opened:
        tagger = taggers[model] if isinstance(model, str) else model
        return visit(trace_page(tagger, text, lang=lang, head=head), **options)

    return trace


@pytest.fixture(scope="session")
def zh() -> Tagger:
    """The bundled model."""
    return load("zh")


CHARACTERS = "我叫小明住在北京去大学读书"
SCHEMES = ("BIOES", "BIO", "plain")


def random_tagger(folder: Path, seed: int) -> Tagger:
    """A small tagger with random weights, saved and loaded: kind, sizes, output, scheme and storage go by the seed."""
    from gatewise.training.export import onnx_graph

    chance, numbers = random.Random(seed), np.random.default_rng(seed)
    scheme = SCHEMES[seed % 3]
    storage = ("float32", "float16", "int8", "float16")[seed % 4]
    segmentation = scheme == "BIOES" and seed % 4 == 0
    config = config_from_dict(
        {
            "name": f"random-{seed}",
            "task": {
                "kind": "segmentation" if segmentation else "tags" if scheme == "plain" else "spans",
                "tokenizer": "characters",
                "scheme": scheme,
                **({"spaces": "between"} if segmentation else {}),
            },
            "features": {"token_dim": chance.randint(2, 5), "bigram_dim": chance.choice((0, 3))},
            "encoder": {
                "kind": "rnn" if seed % 5 == 4 else "lstm",
                "hidden": chance.randint(2, 7),
                "layers": chance.randint(1, 3),
                "bidirectional": chance.random() < 0.7,
                "residual": seed % 3 == 1,
            },
            "output": {"kind": "softmax" if seed % 6 == 5 else "crf"},
            "archive": {"numbers": storage},
        },
        where="random",
    )
    labels = ["X", "Y", "Z"] if scheme == "plain" else complete_tags(["O", "B-X", "B-Y"], scheme)
    vocabularies = {"tokens": Vocabulary(entries=tuple(CHARACTERS))}
    if config.features.bigram_dim:
        vocabularies["bigrams"] = Vocabulary(entries=("我叫", "北京"))
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies.items()}
    shapes = parameter_shapes(config, sizes=sizes, num_tags=len(labels), heads={})
    arrays = stored(config, {name: numbers.normal(0, 0.9, shape).astype("f4") for name, shape in shapes.items()})
    save_model(
        folder,
        config=config,
        scheme=scheme,
        labels=labels,
        vocabularies=vocabularies,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card="random",
        temperature=(1.0, 1.7, 0.6)[seed % 3],
    )
    return load(folder)


def random_text(seed: int) -> str:
    """Some known and unknown characters, here and there a gap."""
    chance = random.Random(seed + 1000)
    pieces = [chance.choice(CHARACTERS + "龘   ") for _ in range(chance.randint(1, 14))]
    return "".join(pieces).strip() or "我"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Tagger, Trace]]:
    """Twenty random taggers, each with the trace of a random text."""
    folder = tmp_path_factory.mktemp("random")
    taggers = [random_tagger(folder / str(seed), seed) for seed in range(20)]
    return [(tagger, tagger.trace(random_text(seed))) for seed, tagger in enumerate(taggers)]
