"""The terminal view: what it says, in both languages, at 80 and at 200 columns."""

from __future__ import annotations

import re
import string
from dataclasses import fields

import pytest
from rich.cells import cell_len

from gatewise.explain import network_text, render_text
from gatewise.explain.layout import wrap
from gatewise.explain.numbers import equals, format_number, format_sum
from gatewise.explain.words import network_words, terms
from gatewise.network import EXAMPLES, parse_network, read_network


def shown(name="article", gates=None, lang="en", width=80, sentence=None):
    return render_text(network_text(read_network(name).run(sentence, gates=gates), lang=lang), width=width)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_cut_and_nothing_is_too_wide(name, lang, width):
    text = shown(name, lang=lang, width=width)
    assert "…" not in text
    assert "\x1b" not in text
    assert max(map(cell_len, text.splitlines())) <= width


def test_the_article_in_english():
    text = shown(gates="step")
    for line in (
        "1     我     2, -1, 1, 1  -90 → 0   90 → 1    2            -110 → 0  2  0  noun",
        "4     明     1, 0, -1, 0  0 → 0     -100 → 0  1            100 → 1   0  0  noun",
        "forget gate f  0·2 + 100·(-1) + 0·1 + 10·1 = -90",
        "output gate o  0·3 + 0·1 + (-100)·(-1) + (-10)·0 = 100",
        "memory cell C  C = 0·1 + 1·2 = 2",
        "output h       h = 0·2 = 0",
        "outputs [0, 2, 0, 0]",
        "tags 我/noun  叫/verb  小/noun  明/noun",
        "4     明     0  noun     2  verb        ≠",
    ):
        assert line in text
    assert (
        "The two runs part at step 4 (明). The sum of the forget gate f is exactly 0 there. "
        "A step gate counts 0 as closed and gives 0: none of the memory is kept. "
        "The sigmoid of 0 is 0.5: half of the memory is kept. So the memory "
        "becomes C = 0·4 + 0·1 = 0 with step gates, and C = 0.5·4 + ≈0·1 = 2 with sigmoid gates. The output becomes "
        "h = 1·0 = 0 with step gates, and h = 1·2 = 2 with sigmoid gates. In the end the outputs differ at 明 (4). "
        "The tag of 明 (step 4) turns from noun into verb."
    ) in flat(text)


def test_the_article_in_chinese():
    text = shown(gates="sigmoid", lang="zh")
    for line in ("遗忘门 f    0·2 + 100·(-1) + 0·1 + 10·1 = -90", "σ(-90) ≈ 0    关闭", "输出 [≈0, 2, ≈0, 2]"):
        assert line in text
    joined = re.sub(r"\s+", "", text)
    assert "两次运行从第4步（明）开始不同。此处遗忘门f的线性层结果恰好是0。阶跃门把0当作关闭" in joined
    assert "“明”（第4步）的标签由名词变为动词。" in joined


@pytest.mark.parametrize("name", EXAMPLES)
def test_chinese_is_chinese_throughout(name):
    text = shown(name, lang="zh").replace("--format json", "").replace("exp", "")
    assert set(re.findall(r"[A-Za-z]{2,}", text)) <= {"LSTM", "RNN", "tanh"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_english_has_chinese_only_where_the_network_has(name):
    network = read_network(name)
    own = set("".join((*network.vectors, network.title.en, network.description.en)))
    assert set(re.findall(r"[\u4e00-\u9fff]", shown(name))) <= own


@pytest.mark.parametrize("pick", [network_words, terms])
def test_both_languages_fill_in_the_same_facts(pick):
    def facts(value):
        if isinstance(value, str):
            return {name for _, name, _, _ in string.Formatter().parse(value) if name}
        items = value.items() if hasattr(value, "items") else enumerate(value)
        return {key: facts(entry) for key, entry in items}

    english, chinese = pick("en"), pick("zh")
    for field in fields(english):
        en, zh = getattr(english, field.name), getattr(chinese, field.name)
        assert facts(en) == facts(zh), field.name
        assert en, field.name
        assert zh, field.name


@pytest.mark.parametrize(
    ("gate", "weights", "sentence"),
    [
        ("i", ("1", "0", "0", "1"), "The sum of the input gate i is exactly 0 there. A step gate counts 0 as closed"),
        ("o", ("1", "1", "1", "0"), "nothing is put out. The sigmoid of 0 is 0.5: half of the memory is put out."),
        (
            "f",
            ("0.25", "-50", "50", "50"),
            "The sum of the forget gate f is 0.25: a step gate gives 1, the sigmoid 0.5622.",
        ),
    ],
)
def test_the_sentence_is_made_from_the_data(gate, weights, sentence):
    forget, taken, candidate, put = (str(float(weight) * (1 if gate == "f" else 50)) for weight in weights)
    source = f"""
    kind = "lstm"
    sentence = ["a"]
    vectors = {{ a = [1] }}
    activations = {{ candidate = "identity", output = "identity" }}
    [[layers]]
    [layers.forward]
    forget    = {{ x = [[{forget}]], h = [[0]] }}
    input     = {{ x = [[{taken}]], h = [[0]] }}
    candidate = {{ x = [[{candidate if gate != "i" else 7}]], h = [[0]] }}
    output    = {{ x = [[{put}]], h = [[0]] }}
    start     = {{ h = [0], c = [4] }}
    """
    text = flat(render_text(network_text(parse_network(source.encode(), "a.toml").run()), width=100))
    assert "The two runs part at step 1 (a)." in text
    assert sentence in text


def test_saturated_gates_do_not_part():
    text = shown(sentence="我叫小")
    assert "Both kinds of gates give the same numbers here" in text


def test_the_reverse_direction_is_written_out_as_it_reads():
    text = shown("bilstm")
    reverse = text[text.index("Layer 1, reverse (reads from the last token to the first) · Step by step") :]
    assert reverse.index("Step 4 · 发") < reverse.index("Step 1 · 发")


def test_the_empty_sentence():
    assert "The sentence is empty" in shown(sentence=[])
    assert "句子为空" in shown(sentence=[], lang="zh")


def test_colors_only_when_asked_for():
    run = read_network("article").run()
    colored = render_text(network_text(run), width=80, color=True)
    assert "\x1b[" in colored
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines()] == render_text(
        network_text(run), width=80
    ).splitlines()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "2"),
        (-90.0, "-90"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (0.46921, "0.4692"),
        (0.964, "0.964"),
        (8.2e-40, "≈0"),
        (-8.2e-40, "≈0"),
        (0.99999999, "≈1"),
        (-1.99999999, "≈-2"),
        (12345.678912, "12345.6789"),
        (1e20, "1.0000e+20"),
    ],
)
def test_numbers(value, expected):
    assert format_number(value) == expected


def test_equal_signs_and_sums():
    assert equals("≈0") == "≈ 0"
    assert equals("-0.5") == "= -0.5"
    assert format_sum(5.55e-17) in ("5.5e-17", "5.6e-17")
    assert format_sum(0.0) == "0"


def test_chinese_wraps_anywhere_but_before_punctuation():
    assert wrap("记忆保留，记忆单元更新为二。", 8) == ["记忆保", "留，记忆", "单元更新", "为二。"]
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("取 C = 1·2 + 0·3 = 2。", 10) == ["取 C = 1·2", "+ 0·3 =", "2。"]
