"""A run and a trace in a notebook: the widget by anywidget's contract and the frame without it, in a real browser."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gatewise.explain import notebook
from gatewise.network import NetworkRun, parse_network, read_network
from gatewise.runtime import Tagger, Trace

HOSTILE = "</script><img src=x onerror=alert(1)>"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# What a front end of anywidget does: it imports the module's text, and gives `render` a model and an element.
HARNESS = """async ([esm, state]) => {
  const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" })), listeners = new Map();
  const { default: widget } = await import(address);
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; for (const one of listeners.get(`change:${name}`) ?? []) one(); },
    on: (name, listen) => listeners.set(name, [...(listeners.get(name) ?? []), listen]),
    off: (name, listen) => listeners.set(name, (listeners.get(name) ?? []).filter((one) => one !== listen)),
    listening: () => [...listeners.values()].flat().length,
  };
  window.leave = await widget.render({ model: window.model, el: document.getElementById("cell") });
}"""


@pytest.fixture
def cell(browser: Any) -> Iterator[Any]:
    """An empty notebook; nothing may be said on its console, and nothing asked for."""
    context = browser.new_context(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on(
        "request", lambda request: request.url.startswith(("data:", "blob:", "about:")) or wrong.append(request.url)
    )
    page.set_content("<style>h1 { color: red }</style><h1>Notebook</h1><div id=cell></div>")
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def widget() -> Callable[[NetworkRun | Trace], Any]:
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    return notebook.page_widget


def render(cell: Any, widget: Any) -> Any:
    cell.evaluate(HARNESS, [widget._esm, {"data": widget.data, "label": widget.label}])
    return cell.frame_locator("iframe")


def test_a_run_s_widget_computes_and_leaves_no_trace(cell: Any, widget: Any) -> None:
    made = widget(read_network("article").run(gates="step"))
    frame = render(cell, made)
    last = frame.locator('svg[data-picture="chain"] .column').nth(3)
    last.wait_for()
    assert "noun" in last.text_content()
    frame.locator('[data-key="gates-sigmoid"]').click()
    assert "verb" in last.text_content()
    frame.locator('[data-key="lang-zh"]').click()
    assert frame.locator(".overview h2").text_content().startswith("网络：")
    cell.wait_for_timeout(400)  # what would be written into an address is written now
    assert not frame.locator('[data-key="share"]').is_visible()
    assert cell.locator("iframe").get_attribute("title") == "The article's LSTM: one unit tags 我叫小明 · gatewise"

    other = widget(read_network("bilstm").run())
    cell.evaluate("(data) => model.set('data', data)", other.data)
    frame.locator("h1", has_text="A bidirectional LSTM").wait_for()
    assert cell.evaluate("model.listening()") == 1
    cell.evaluate("leave()")
    assert cell.evaluate("[model.listening(), document.getElementById('cell').children.length]") == [0, 0]


def test_the_page_is_shut_in(cell: Any, widget: Any) -> None:
    """Neither the page's style and keys nor a text in it get out of the frame, and the notebook is not reached."""
    toml = f"""
kind = "neuron"
title = '{HOSTILE}'
sentence = ['{HOSTILE}', "__GATEWISE_NONCE__", "$&"]
vectors = {{ '{HOSTILE}' = [1], "__GATEWISE_NONCE__" = [2], "$&" = [3] }}
layers = [{{ forward = {{ x = [[2]] }} }}]
"""
    frame = render(cell, widget(parse_network(toml.encode(), "x.toml").run()))
    frame.locator("h1", has_text=HOSTILE).wait_for()
    assert frame.locator("img").count() == 0
    assert frame.locator('svg[data-picture="chain"] .column').count() == 3
    assert "$&" in frame.locator('svg[data-picture="chain"] .column').nth(2).text_content()
    assert cell.locator("iframe").get_attribute("sandbox") == "allow-scripts allow-downloads"
    assert cell.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(255, 0, 0)"
    assert cell.evaluate("document.querySelector('iframe').contentDocument") is None
    inner = cell.frames[1]
    reached = "try { parent.document.title } catch (error) { error.name }"
    assert inner.evaluate(f"() => {{ {reached.replace('{ error', '{ return error')} }}") == "SecurityError"


def test_a_trace_s_widget_is_its_page(cell: Any, widget: Any, taggers: dict[str, Tagger]) -> None:
    trace = taggers["v1-heads"].trace(f"小明住在北京{HOSTILE}。")
    frame = render(cell, widget(trace))
    frame.locator(".token-card").first.wait_for()
    assert frame.locator(".token-card .tag").all_text_contents() == list(trace.tags)
    assert frame.locator(".token-card .form").all_text_contents() == list(trace.sentence.forms)
    assert "the same tags and probabilities as Python's" in frame.locator(".intro .note").text_content()
    assert frame.locator("img").count() == 0
    frame.locator('[data-key="hold-f-all-0"]').click()
    assert "f held at 0" in frame.locator(".changes-list").text_content()
    assert frame.locator("#memory").is_visible()
    cell.wait_for_timeout(400)  # what would be written into an address is written now
    assert not frame.locator('[data-key="share"]').is_visible()


def test_without_anywidget_there_is_a_frame(cell: Any, taggers: dict[str, Tagger], no_anywidget: None) -> None:
    run, trace = read_network("article").run(), taggers["v1-softmax-rnn"].trace("小明")
    assert run._repr_mimebundle_() is None
    assert trace._repr_mimebundle_(include=None, exclude=None) is None
    cell.set_content(f"{run._repr_html_()}{trace._repr_html_()}")
    first, second = (cell.frame_locator("iframe").nth(number) for number in range(2))
    first.locator('[data-key="gates-sigmoid"]').click()
    assert "verb" in first.locator('svg[data-picture="chain"] .column').nth(3).text_content()
    assert second.locator(".token-card .tag").all_text_contents() == list(trace.tags)
    cell.wait_for_timeout(400)


@pytest.fixture
def no_anywidget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    notebook._widget_class.cache_clear()


def test_the_frame_holds_the_exported_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from gatewise.explain import network_page

    monkeypatch.setenv("GATEWISE_LANG", "zh")
    network = read_network("article")
    run = network.run(("明", "我"), gates="sigmoid")
    shown = run._repr_html_()
    assert shown is not None
    srcdoc = re.search(r'srcdoc="([^"]*)"', shown)
    assert srcdoc
    assert html.unescape(srcdoc[1]) == network_page(network, ("明", "我"), "sigmoid", lang="zh")
    assert "<script" not in shown  # some notebooks would put the whole output into a frame without a sandbox
    assert shown.count("<iframe") == 1


def test_a_bundle_is_a_view_of_a_widget(widget: Any) -> None:
    run = read_network("article").run()
    bundle = run._repr_mimebundle_(include=None, exclude=None)
    assert bundle is not None
    assert list(bundle[0]) == [WIDGET_VIEW]  # the text is the record's own
    again = run._repr_mimebundle_()
    assert again is not None
    assert bundle[0][WIDGET_VIEW]["model_id"] != again[0][WIDGET_VIEW]["model_id"]


def test_what_nobody_reads_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    run = read_network("article").run(["我"] * 4)
    monkeypatch.setattr(notebook, "LONGEST_EXPLAINED", 3)
    assert (run._repr_mimebundle_(), run._repr_html_(), run._display_()) == (None, None, repr(run))


def test_marimo_gets_the_widget(widget: Any, taggers: dict[str, Tagger]) -> None:
    """Its protocol asks for something to show, which is the widget and not a bundle that names one."""
    from anywidget import AnyWidget

    run, trace = read_network("article").run(gates="step"), taggers["v1-spans"].trace("小明")
    for shown in (run, trace):
        given = shown._display_()
        assert isinstance(given, AnyWidget)
        assert given.data == widget(shown).data


def test_marimo_gets_the_frame_without_anywidget(cell: Any, no_anywidget: None) -> None:
    """As high as its box, also where its parent has no height of its own, as in marimo."""
    run = read_network("article").run()
    given = run._display_()._repr_html_()
    assert given == run._repr_html_()
    cell.set_content(given.replace("<iframe", "<span><iframe").replace("</iframe>", "</iframe></span>"))
    assert cell.locator("iframe").bounding_box()["height"] == 720
