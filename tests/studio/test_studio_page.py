"""The studio in a real browser: choose, type, edit, open a file, switch the language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest

from gatewise.network import network_file
from gatewise.runtime import load
from gatewise.studio import Shelf

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
        page.goto("about:blank")  # another hash alone would not be another visit
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
    return [str(text) for text in page.locator(".token-card .tag").all_text_contents()]


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
    page.locator(".token-card").nth(3).wait_for()
    field = key(page, "text")
    assert field.input_value() == "我叫小明"
    field.fill("")
    field.press_sequentially(f"他去北京{HOSTILE}")
    page.locator(".token-card").nth(20).wait_for()
    assert tags(page) == list(load("zh").trace(f"他去北京{HOSTILE}").tags)
    assert page.locator("img").count() == 0
    key(page, "lang-zh").click()
    assert page.locator(".overview h2").first.text_content() == "标签，以及每个单元做了什么"
    assert unquote_plus(page.url).endswith(f"#text=他去北京{HOSTILE}")
    page.reload()
    page.locator(".token-card").nth(20).wait_for()
    assert field.input_value() == f"他去北京{HOSTILE}"


def test_a_text_that_is_refused_says_why_and_the_next_one_is_shown(visit: Any) -> None:
    page = visit("/?model=zh&lang=zh", refusals=1)
    with page.expect_response("**/api/reading") as response:
        key(page, "text").fill("我" * 2_001)
    assert response.value.status == 422
    page.locator(".asking .refused", has_text="text: expected at most 2,000 tokens, found 2,001").wait_for()
    key(page, "text").fill("小明")
    page.locator(".token-card").nth(2).wait_for(state="detached")
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
    page.locator(".token-card").nth(4).wait_for(state="detached")
    page.wait_for_url(lambda url: unquote_plus(url).endswith("#text=小明住在"))
    page.unroute("**/api/reading")
    assert asked == ["小", "小明住在"]
    assert len(tags(page)) == 4


def test_the_page_of_a_trained_model_is_the_exported_one(visit: Any) -> None:
    """Gates, the inside of a unit, the ledger, the lattice and what if, from weights that are asked for once."""
    page = visit("/?model=zh#text=小明住在北京。")
    assert "the same tags and probabilities as Python's" in page.locator(".intro > .note").text_content()
    for part in (".strips", "#unit svg", "#memory svg", "#tags svg"):
        assert page.locator(part).first.is_visible(), part
    key(page, "hold-f-all-0").click()
    assert "f held at 0" in page.locator(".changes-list").text_content()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    key(page, "text").fill("小明")
    page.locator(".token-card").nth(2).wait_for(state="detached")
    assert [url.rsplit("/", 1)[1] for url in asked] == ["reading"]
    assert not page.locator(".what-if").is_visible()  # another text begins anew


def test_another_address_in_the_same_window_is_followed(visit: Any) -> None:
    page = visit("/?model=zh#text=小明")
    page.evaluate("location.hash = 'text=他去北京'")
    page.locator(".token-card").nth(3).wait_for()
    assert (tags(page), key(page, "text").input_value()) == (list(load("zh").trace("他去北京").tags), "他去北京")


def test_a_token_is_replaced_inserted_and_left_out(visit: Any) -> None:
    """Each time Python reads the changed text; tags are set against those of the text that was typed."""
    zh, page = load("zh"), visit("/?model=zh#text=小明住在北京。")
    key(page, "token-3").click()
    key(page, "other-token").fill("过")
    key(page, "replace").click()
    page.locator(".token-card.new").wait_for()
    assert tags(page) == list(zh.trace("小明住过北京。").tags)
    assert page.locator(".token-card.new .form").all_text_contents() == ["过"]
    assert f"4 过 is new: {zh.trace('小明住过北京。').tags[3]} " in page.locator(".outcome").text_content()
    key(page, "token-0").click()
    key(page, "other-token").fill("王")
    key(page, "insert").click()
    page.locator(".token-card").nth(7).wait_for()
    assert tags(page) == list(zh.trace("小王明住过北京。").tags)
    assert page.locator(".token-card.here .form").text_content() == "王"
    key(page, "leave-out").click()
    page.locator(".token-card").nth(7).wait_for(state="detached")
    assert tags(page) == list(zh.trace("小明住过北京。").tags)
    assert key(page, "text").input_value() == "小明住在北京。"
    key(page, "undo").click()
    assert tags(page) == list(zh.trace("小王明住过北京。").tags)
    page.wait_for_timeout(400)
    before = page.locator(".token-card, .outcome").all_text_contents()
    page.reload()
    page.locator(".token-card").nth(7).wait_for()
    assert page.locator(".token-card, .outcome").all_text_contents() == before
    key(page, "reset").click()
    assert tags(page) == list(zh.trace("小明住在北京。").tags)
    assert not page.locator(".what-if").is_visible()


def test_a_forced_tag_goes_with_its_token(visit: Any) -> None:
    zh, page = load("zh"), visit("/?model=zh#text=小明住在北京。")
    key(page, "token-3").click()
    key(page, "force-other").select_option(label="S-ADP")
    key(page, "token-0").click()
    key(page, "leave-out").click()
    page.locator(".token-card").nth(6).wait_for(state="detached")
    expected = zh.tag("明住在北京。", constraints={"tags": [{"start": 2, "end": 3, "tag": "S-ADP"}]})
    assert tags(page) == list(expected.tags or ())
    assert "3 在 must be S-ADP" in page.locator(".changes-list").text_content()


def test_a_word_is_set_apart_by_a_space(browser: Any, serve: Any, stored: Any, taggers: Any) -> None:
    """A model that reads what stands between white space: one that is left out takes its gap."""
    trace, model = taggers["v1-tags"].trace, str(stored / "v1-tags")
    with serve(Shelf(model=model)) as server:
        page = browser.new_page(viewport=SIZE)
        page.goto(f"http://127.0.0.1:{server.server_port}/?model={model}#text=小明 ，42 北京")
        key(page, "other-token").fill(HOSTILE)
        key(page, "insert").click()
        page.locator(".token-card.new").first.wait_for()
        changed = trace(f"小明 {HOSTILE} ，42 北京")
        assert page.locator(".token-card .form").all_text_contents() == list(changed.sentence.forms)
        assert tags(page) == list(changed.tags)
        assert page.locator("main img, main b b").count() == 0
        key(page, "token-4").click()
        key(page, "leave-out").click()
        page.locator(".token-card").nth(5).wait_for(state="detached")
        assert page.locator(".token-card .form").all_text_contents() == ["小明", *HOSTILE.split(), "北京"]
        assert tags(page) == list(trace(f"小明 {HOSTILE} 北京").tags)
        page.close()


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
