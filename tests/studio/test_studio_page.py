"""The studio in a real browser: choose, type, edit, open a file, switch the language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest

from gatewise.network import network_file
from gatewise.runtime import load

HOSTILE = "</script><img src=x onerror=alert(1)>"
REFUSAL = "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
SIZE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def window(browser: Any, studio: Any) -> Iterator[tuple[Any, list[str]]]:
    """One window for all tests, and what went wrong in it: console, errors, dialogs, requests to anyone else."""
    said: list[str] = []
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("requestfinished", lambda request: request.url.startswith((own, "blob:")) or said.append(request.url))
    own = f"http://127.0.0.1:{studio.server_port}/"
    yield page, said
    context.close()


@pytest.fixture
def visit(window: tuple[Any, list[str]], studio: Any) -> Iterator[Callable[..., Any]]:
    """Goes to an address of the studio and gives the page; nothing may go wrong on it but `refusals`."""
    page, said = window
    expected: list[str] = []

    def go(address: str = "/", refusals: int = 0) -> Any:
        expected.extend([REFUSAL] * refusals)
        page.goto(f"http://127.0.0.1:{studio.server_port}{address}")
        page.locator("main h2").first.wait_for()
        return page

    said.clear()
    page.set_viewport_size(SIZE)
    yield go
    assert said == expected


def key(page: Any, name: str) -> Any:
    return page.locator(f'[data-key="{name}"]')


def tags(page: Any) -> list[str]:
    return [str(text) for text in page.locator(".tagged span").all_text_contents()]


def test_a_network_computes_and_its_address_holds_what_was_changed(visit: Any) -> None:
    page = visit()
    last = page.locator('svg[data-picture="chain"] .column').nth(3)
    assert "noun" in last.text_content()
    key(page, "gates-sigmoid").click()
    assert "verb" in last.text_content()
    page.wait_for_url(re.compile(r"/#s="))
    page.reload()
    assert "verb" in last.text_content()


def test_another_network_and_the_way_back(visit: Any) -> None:
    page = visit()
    label = next(text for text in page.locator("option").all_text_contents() if text.startswith("bilstm"))
    key(page, "choice").select_option(label=label)
    page.wait_for_url(re.compile(r"\?network=bilstm&lang=en$"))
    assert "bilstm" in key(page, "choice").locator("option:checked").text_content()
    key(page, "lang-zh").click()
    assert key(page, "open").text_content() == "打开 TOML 文件"
    page.go_back()
    assert "article" in key(page, "choice").locator("option:checked").text_content()


def test_a_text_is_tagged_while_it_is_typed(visit: Any) -> None:
    page = visit()
    key(page, "choice").select_option(label="zh · segmentation")
    page.locator(".tagged li").nth(3).wait_for()
    field = key(page, "text")
    assert field.input_value() == "我叫小明"
    field.fill("")
    field.press_sequentially(f"他去北京{HOSTILE}")
    page.locator(".tagged li").nth(20).wait_for()
    assert tags(page) == list(load("zh").trace(f"他去北京{HOSTILE}").tags)
    assert page.locator("img").count() == 0
    key(page, "lang-zh").click()
    assert page.locator("main h2").first.text_content() == "标签，以及门打开的程度"
    assert unquote_plus(page.url).endswith(f"#text=他去北京{HOSTILE}")
    page.reload()
    page.locator(".tagged li").nth(20).wait_for()
    assert field.input_value() == f"他去北京{HOSTILE}"


def test_a_text_that_is_refused_says_why_and_the_next_one_is_shown(visit: Any) -> None:
    page = visit("/?model=zh&lang=zh", refusals=1)
    with page.expect_response("**/api/reading") as response:
        key(page, "text").fill("我" * 2_001)
    assert response.value.status == 422
    page.locator(".asking .refused", has_text="text: expected at most 2,000 tokens, found 2,001").wait_for()
    key(page, "text").fill("小明")
    page.locator(".tagged li").nth(2).wait_for(state="detached")
    assert (len(tags(page)), page.locator(".asking .refused").text_content()) == (2, "")


def test_a_head_is_chosen(visit: Any, stored: Any, taggers: Any) -> None:
    page, head = visit(f"/?model={stored / 'v1-heads'}#text=小明住在北京。"), taggers["v1-heads"].heads[0]
    assert tags(page) == list(taggers["v1-heads"].trace("小明住在北京。").tags)
    with page.expect_response("**/api/reading"):
        key(page, "head").select_option(head)
    page.wait_for_url(re.compile(f"head={head}$"))
    assert tags(page) == list(taggers["v1-heads"].trace("小明住在北京。", head).tags)


def test_a_file_is_opened(visit: Any) -> None:
    page = visit(refusals=1)
    content = network_file("article")[1].replace(b"sentence = [", b'sentence = ["\xe6\x98\x8e", ')
    chosen = page.locator("input[type=file]")
    chosen.set_input_files({"name": "broken.toml", "mimeType": "application/toml", "buffer": b'kind = "lstm"\n['})
    page.locator(".studio .refused", has_text="broken.toml:2: expected TOML").wait_for()
    chosen.set_input_files({"name": "five.toml", "mimeType": "application/toml", "buffer": content})
    page.wait_for_url(re.compile(r"\?network=five\.toml&lang=en$"))
    page.locator('svg[data-picture="chain"] .column').nth(4).wait_for()


def test_a_bookmark_that_is_too_old_says_so(visit: Any) -> None:
    page = visit("/?network=gone.toml", refusals=1)
    said = page.locator(".studio .refused").text_content()
    assert said.startswith("network: expected one of article, bilstm, rnn")
    assert said.endswith("found 'gone.toml'; open its TOML file in the studio")


def test_what_is_typed_while_the_model_works_is_asked_for_next(visit: Any) -> None:
    page = visit("/?model=zh")
    asked: list[str] = []

    def slowly(route: Any) -> None:
        asked.append(route.request.post_data_json["text"])
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/api/reading", slowly)
    for text in ("小", "小明", "小明住", "小明住在"):
        key(page, "text").fill(text)
        page.wait_for_timeout(310 if text == "小" else 0)
    page.locator(".tagged li").nth(4).wait_for(state="detached")
    page.wait_for_url(lambda url: unquote_plus(url).endswith("#text=小明住在"))
    page.unroute("**/api/reading")
    assert asked == ["小", "小明住在"]
    assert len(tags(page)) == 4


@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_is_wider_than_the_window(visit: Any, width: int) -> None:
    for address in ("/?network=article&lang=zh", "/?model=zh&lang=en#text=我叫小明，住在北京。"):
        page = visit(address)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_no_serious_fault(visit: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = visit("/?model=zh")
    found = axe.Axe().run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in grave] == []
