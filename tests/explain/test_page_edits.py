"""What a reader changes on the page of a hand-written network, and the address that holds it."""

from __future__ import annotations

import base64
import json
from typing import Any

from gatewise.network import parse_network

# editing


def test_a_bias_keeps_the_memory_of_step_4(opened: Any) -> None:
    """The example of docs/networks.md: a forget bias of 1 makes the last output 4."""
    page = opened()
    page.key("add-bias").click()
    assert page.text(".changes") == "That changes no gate, no state and no tag."
    page.key("field-layers.0.forward.forget.bias.0").fill("1")
    assert page.chain(".column .chip") == ["0", "2", "0", "4"]
    assert page.text(".changes").startswith("Changed: 明: noun → verb, f₄ 0 → 1, C₄ 0 → 4")
    assert page.texts(".number.edited") == [""]
    page.key("undo").click()
    page.key("undo").click()
    assert page.key("undo").is_disabled()
    page.key("redo").click()
    page.key("redo").click()
    assert page.chain(".column .chip") == ["0", "2", "0", "4"]
    page.key("reset").click()
    assert page.chain(".column .chip") == ["0", "2", "0", "0"]


def test_typing_is_one_edit_and_keeps_the_focus(opened: Any) -> None:
    page = opened()
    field = page.key("field-vectors.3.1.1")
    field.click()
    field.press("Control+a")
    page.page.keyboard.type("0.25")
    assert page.focused() == "field-vectors.3.1.1"
    assert field.input_value() == "0.25"
    assert page.chain(".column .chip")[3] == "4"
    page.press("ArrowUp", "ArrowUp")
    assert field.input_value() == "2.25"
    page.press("Shift+ArrowDown")
    assert field.input_value() == "2.15"
    page.page.keyboard.type("x")
    assert field.get_attribute("aria-invalid") is not None
    page.press("Tab")
    assert field.input_value() == "2.15"
    page.key("undo").click()
    assert page.key("undo").is_disabled()
    assert field.input_value() == "0"


def test_every_kind_of_number_can_be_changed(opened: Any) -> None:
    page = opened()
    for key, value, outputs in (
        ("layers.0.forward.start.c.0", "-3", ["0", "2", "0", "0"]),
        ("layers.0.forward.start.h.0", "20", ["0", "1", "0", "0"]),
        ("layers.0.forward.candidate.x.0.0", "−2.5", ["0", "−5", "0", "0"]),
        ("vectors.1.1.2", "1", ["0", "0", "0", "0"]),
        ("vectors.0.1.0", ".5", ["0", "0.5", "0", "0"]),
    ):
        page.key(f"field-{key}").fill(value)
        assert page.chain(".column .chip") == outputs, key
        run = parse_network(page.saved("TOML").encode(), "t.toml").run()
        assert [f"{output:g}".replace("-", "−") for output in run.outputs] == outputs, key
        page.key("reset").click()


def test_activations_and_sentences_can_be_changed(opened: Any) -> None:
    page = opened()
    page.key("activation-output-tanh").click()
    assert page.chain(".column .chip") == ["0", "0.964", "0", "0"]
    page.key("activation-candidate-tanh").click()
    page.key("activation-gate-sigmoid").click()
    page.key("sentence").fill("明新 我")
    page.press("Enter")
    assert page.chain(".token") == ["明新", "我"]
    assert page.texts(".inputs tbody th") == ["我", "叫", "小", "明", "明新"]
    network = parse_network(page.saved("TOML").encode(), "t.toml")
    assert network.sentence == ("明新", "我")
    assert network.vectors["明新"] == (0, 0, 0)
    assert (network.activations.gate, network.activations.candidate) == ("sigmoid", "tanh")
    page.key("sentence").fill("")
    page.press("Enter")
    assert page.text(".chain") == "The sentence is empty: there is nothing to compute."
    page.key("undo").click()
    assert page.chain(".token") == ["明新", "我"]


def test_each_box_has_its_activation_to_switch(opened: Any) -> None:
    page = opened()
    assert page.texts(".switch") == ["step ⇄", "step ⇄", "f(x) = x ⇄", "step ⇄", "f(x) = x ⇄"]
    page.key("switch-g").focus()
    page.press("Enter")
    assert page.focused() == "switch-g"
    assert page.texts(".lines .activated")[2] == "→ tanh → 0.964"
    assert page.key("activation-candidate-tanh").get_attribute("aria-pressed") == "true"
    page.key("switch-h").click()
    page.key("switch-o").click()
    assert page.texts(".switch") == ["σ ⇄", "σ ⇄", "tanh ⇄", "σ ⇄", "tanh ⇄"]
    assert page.key("switch-f").get_attribute("aria-label") == "Activation function: sigmoid σ. Change to: step"
    other = opened("rnn")
    other.key("switch-h").click()
    assert other.text(".lines .activated") == ""


def test_a_text_that_is_too_long_is_cut_and_said_so(opened: Any) -> None:
    page = opened()
    page.key("sentence").fill("我 " * 2500)
    page.press("Enter")
    assert "The text has 2500 tokens; the first 2000 are taken." in page.texts(".inputs .note")
    assert page.text(".where") == "Step 1 of 2000 · 我"
    page.key("undo").click()
    assert page.text(".where") == "Step 1 of 4 · 我"


def test_an_overflow_is_told_where_it_happens(opened: Any) -> None:
    page = opened("rnn")
    page.key("activation-output-identity").click()
    page.key("field-layers.0.forward.x.0.0").fill("1e308")
    page.key("field-vectors.0.1.0").fill("1e9")
    assert page.text(".changes.alarm") == (
        "Overflow in layer 1 at step 1 (谁): use smaller weights, or tanh in place of identity."
    )
    page.key("export").click()
    assert page.texts(".menu b")[:2] == ["TOML", "SVG chain"]


def test_a_number_in_a_formula_leads_to_its_field(opened: Any) -> None:
    page = opened("bilstm")
    for index, key in ((2, "field-vectors.0.1.2"), (4, "field-layers.0.forward.forget.x.0.1")):
        page.page.locator(".lines li .operand").nth(index).click()
        assert page.focused() == key
    page.page.keyboard.type("-7")
    assert page.texts(".lines li .numbers")[0].startswith("[0, 0, 1, 0, 0]·[0, −7, 0, 0, 0] + 3 ")


# sharing and taking away


def test_the_address_is_the_whole_state(opened: Any) -> None:
    page = opened()
    page.key("field-vectors.0.1.0").fill("7")
    page.key("gates-sigmoid").click()
    page.press("Escape")
    page.key("lang-zh").click()
    page.page.locator("h1").click()
    page.press("ArrowRight", "ArrowDown")
    page.page.wait_for_timeout(400)
    hash = page.page.evaluate("location.hash")
    assert hash.startswith("#s=")
    other = opened(hash=hash)
    assert other.text(".where") == page.text(".where") == "第 2 步，共 4 步 · 叫"
    assert other.chain(".chip") == page.chain(".chip")
    assert other.key("field-vectors.0.1.0").input_value() == "7"
    other.key("reset").click()
    other.page.wait_for_timeout(400)
    assert other.chain(".column .chip") == ["0", "2", "0", "0"]


BAD_STATES: list[Any] = [
    {"edits": [[["layers", 0, "forward", "forget", "x", 0, 0], "</script>"]]},
    {"edits": [[["layers", 0, "forward", "forget", "x", 0], [1, 2]]]},
    {"edits": [[["layers", 0, "forward", "forget", "bias"], [1, 2]]]},
    {"edits": [[["sentence"], ["unknown"]]]},
    {"edits": [[["activations", "gate"], "relu"]]},
    {"edits": [[["__proto__", "polluted"], 1]]},
    {"edits": [[["title", "en"], "other"]]},
    {"edits": [[["vectors"], [["我", [1, 2, None]]]]]},
    {"edits": 5},
    [],
]


def test_a_link_that_does_not_fit_changes_nothing(opened: Any) -> None:
    hashes = ["#s=" + base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=") for state in BAD_STATES]
    page = opened(hash=hashes[0])
    told = "The link belongs to another network; this is the page's own."
    assert page.text(".said") == told
    for hash in [*hashes[1:], "#s=%%%"]:
        page.page.evaluate(
            """(hash) => new Promise((done) => {
              document.querySelector(".said").textContent = "";
              addEventListener("hashchange", () => setTimeout(done), { once: true });
              location.hash = hash;
            })""",
            hash,
        )
        assert page.text(".said") == told, hash
        assert page.chain(".column .chip") == ["0", "2", "0", "0"], hash
    assert page.page.evaluate("({}).polluted") is None
