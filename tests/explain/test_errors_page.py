"""The error browser: its data against planted errors, and the page in a real browser, hostile tokens included."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.explain.errors_page import LONGEST_EXPLAINED, errors_page, explain_command, page_data, script_json
from gatewise.explain.layout import render_text
from gatewise.explain.trace_text import trace_text
from gatewise.runtime import Tagger
from gatewise.runtime.mistakes import MarkedSentence, Mistake, find_mistakes
from gatewise.text import Sentence, Span, TextSpan, sentence_from_forms

HOSTILE = "</script><img src=x onerror=document.title='run'><!--<script>"


def marked(text: str, gold: str, said: str, *mistakes: Mistake) -> MarkedSentence:
    """One span on each side, over the whole text."""
    edges = {"start": 0, "end": len(text)}
    return MarkedSentence(
        number=1,
        text=text,
        gold=(Span(label=gold, **edges),),
        predicted=(TextSpan(label=said, text=text, score=0.75, **edges),),
        mistakes=mistakes
        or (Mistake(kind="label", gold=Span(label=gold, **edges), predicted=Span(label=said, **edges), score=0.75),),
    )


def page_of(*sentences: MarkedSentence, model: str = "m", file: str = "f", lang: Any = "en") -> str:
    return errors_page(page_data(sentences, model=model, file=file), lang)


def data_in(page: str) -> dict[str, Any]:
    """What a parser of HTML finds in the data element."""
    found: list[str] = []

    class Reader(HTMLParser):
        inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.inside = ("id", "data") in attrs

        def handle_endtag(self, tag: str) -> None:
            self.inside = False

        def handle_data(self, data: str) -> None:
            if self.inside:
                found.append(data)

    Reader().feed(page)
    data: dict[str, Any] = json.loads("".join(found))
    return data


# what is found


def test_the_mistakes_of_a_tagger(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    forms = ["小", "明", "住", "在", "北", "京", "。"]
    tags = ["S-PER", "O", "O", "O", "B-ORG", "E-ORG", "S-LOC"]
    [found] = find_mistakes(tagger, [sentence_from_forms(forms, tags)])
    assert [(m.kind, m.gold, m.predicted) for m in found.mistakes] == [
        ("boundary", Span(start=0, end=1, label="PER"), Span(start=0, end=2, label="PER")),
        ("label", Span(start=4, end=6, label="ORG"), Span(start=4, end=6, label="LOC")),
        ("missed", Span(start=6, end=7, label="LOC"), None),
    ]
    said = tagger.tag("小明住在北京。")
    assert found.mistakes[0].score == pytest.approx(said.spans[0].score)
    assert said.scores is not None
    assert found.mistakes[2].score == pytest.approx(said.scores[6])


def test_plain_tags_and_words(taggers: dict[str, Tagger]) -> None:
    said = taggers["v1-tags"].tag_tokens(["The", "cat", "sat"])
    assert said.tags is not None
    [found] = find_mistakes(taggers["v1-tags"], [said.with_tags([said.tags[0], "X", said.tags[2]])])
    assert [(m.kind, m.gold) for m in found.mistakes] == [("label", Span(start=4, end=7, label="X"))]
    assert len(found.gold) == len(found.predicted) == 3
    words = sentence_from_forms(["我", "爱北", "京"], ["PRON", "VERB", "NOUN"])
    [found] = find_mistakes(taggers["v1-segmentation"], [words])
    assert [(span.start, span.end) for span in found.gold] == [(0, 1), (1, 3), (3, 4)]
    assert found.mistakes


def test_nothing_wrong_nothing_shown(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    right = tagger.tag("小明住在北京。")
    data = page_data(find_mistakes(tagger, [right]), model="m", file="f")
    assert (data["sentences"], data["gold"], data["correct"], data["shown"]) == (1, 2, 2, [])
    assert (data["explained"], data["words"]) == (0, None)


def unpacked(sentence: dict[str, Any]) -> dict[str, Any]:
    """The explanation that the page holds of a sentence."""
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(sentence["explanation"])))
    return content


def test_sentences_with_errors_are_explained_as_they_were_tagged(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-tags"]
    forms = ["The cat", "sat", "."]  # one token holds a space: cutting the text anew would make four tokens
    said = tagger.tag_tokens(forms).tags or ()
    gold = [sentence_from_forms(forms, ["X", *said[1:]]), sentence_from_forms(forms, said)]
    data = page_data(find_mistakes(tagger, gold), model="m", file="f", trace=tagger.trace)
    assert (data["explained"], data["sentences"]) == (1, 2)
    reading = unpacked(data["shown"][0])
    assert [token[:3] for token in reading["tokens"]] == [[0, 7, said[0]], [8, 11, said[1]], [12, 13, said[2]]]
    assert set(data["words"]) == {"en", "zh"}


def test_characters_of_a_segmentation_are_explained(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-segmentation"]
    words = sentence_from_forms(["我", "爱北", "京"], ["PRON", "VERB", "NOUN"])
    data = page_data(find_mistakes(tagger, [words]), model="m", file="f", trace=tagger.trace)
    reading = unpacked(data["shown"][0])
    starts = [start for start, *_ in (token[:2] for token in reading["tokens"])]
    assert starts == [i for i, character in enumerate(words.text) if character != " "]


def test_only_so_many_tokens_are_explained(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    gold = [sentence_from_forms(["好"] * n, ["S-PER"] * n) for n in (3, 5, 2)]
    for tokens, explained in ((0, []), (4, [1]), (5, [1, 3]), (10, [1, 2, 3]), (None, [1, 2, 3])):
        found = find_mistakes(tagger, gold)
        data = page_data(found, model="m", file="f", trace=tagger.trace, explained_tokens=tokens)
        assert [sentence["number"] for sentence in data["shown"] if "explanation" in sentence] == explained
        assert data["explained"] == len(explained)


def test_a_very_long_sentence_has_the_command_alone(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    gold = [sentence_from_forms(["好"] * n, ["S-PER"] * n) for n in (LONGEST_EXPLAINED + 1, 1)]
    data = page_data(find_mistakes(tagger, gold), model="m", file="f", trace=tagger.trace)
    assert ["explanation" in sentence for sentence in data["shown"]] == [False, True]


# what is written


@given(st.text(max_size=40) | st.just(HOSTILE), st.text(max_size=9))
def test_any_text_comes_back_from_the_page(text: str, label: str) -> None:
    text = text.encode("utf-8", "ignore").decode() or "x"
    label = label.encode("utf-8", "ignore").decode()
    page = page_of(marked(text, label, "PER"), model="zh", file=HOSTILE)
    assert page.count("<script") == 2
    data = data_in(page)
    assert data["file"] == HOSTILE
    [sentence] = data["shown"]
    assert sentence["text"] == text
    assert sentence["gold"] == [[0, len(text), label]]
    assert sentence["predicted"] == [[0, len(text), "PER", 0.75]]
    assert sentence["errors"] == [["label", 0, 0, 0.75]]


def test_json_cannot_end_its_element() -> None:
    assert script_json(["</script>", "<!--", "&amp;", "\u2028"]) == (
        '["\\u003c/script\\u003e","\\u003c!--","\\u0026amp;","\\u2028"]'
    )


def test_the_page_asks_for_nothing() -> None:
    page = page_of(marked("好", "A", "B"), model="zh", file="f")
    assert "default-src 'none'" in page
    assert not re.search(r"""https?:|src=|href="(?!#"|\${)|@import|url\(|fetch\(|import """, page)
    assert "innerHTML" not in page
    assert "__" not in page


@pytest.mark.parametrize("text", ["我叫小明", 'it\'s $HOME `x` "y"', "-x", "a\nb", "!"])
def test_the_command_is_one_word_of_a_shell(text: str) -> None:
    words = shlex.split(explain_command("my models/zh", text))
    assert words[:4] == ["gatewise", "explain", "-m", "my models/zh"]
    assert words[-1] == text
    assert len(words) == 5 + text.startswith("-")


# in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
    "--dump-dom",
]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")


def shown_by_chromium(page: str, folder: Path, place: str = "") -> str:
    """The document after its script has run."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    address = (folder / "page.html").as_uri() + place
    call = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", address]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=60).stdout


@needs_chromium
def test_hostile_text_is_shown_and_never_run(tmp_path: Path) -> None:
    sentence = marked(HOSTILE, "<b onclick=alert(1)>", "PER")
    document = shown_by_chromium(page_of(sentence, model=HOSTILE, file=HOSTILE), tmp_path)
    body = document.partition("<body>")[2]
    assert "<img" not in body
    assert "<b onclick" not in body
    assert "&lt;img src=x onerror=document.title='run'&gt;" in body
    assert "<title>run</title>" not in document
    assert "<li" in body


@needs_chromium
@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("All errors: 2, in 1 sentence", "spurious")), ("zh", ("全部 2 处错误", "多标"))]
)
def test_both_languages_and_characters_beyond_the_bmp(tmp_path: Path, lang: Any, words: tuple[str, ...]) -> None:
    place = Span(start=1, end=2, label="X")  # the second character, third and fourth UTF-16 units
    sentence = MarkedSentence(
        number=1,
        text="😀𠀀好",
        gold=(),
        predicted=(TextSpan(start=1, end=2, label="X", text="𠀀", score=0.5),),
        mistakes=(
            Mistake(kind="spurious", gold=None, predicted=place, score=0.5),
            Mistake(kind="spurious", gold=None, predicted=place, score=0.5),
        ),
    )
    document = shown_by_chromium(page_of(sentence, model="m", file="f", lang=lang), tmp_path)
    body = document.partition("<body>")[2]
    assert all(word in body for word in words)
    assert "<b>𠀀</b>" in body.replace('<b class="">', "<b>")
    assert "50.0%" in body


def every_kind() -> MarkedSentence:
    """Five errors of five kinds, with scores 0.1 to 0.5, labels K0 to K4."""
    mistakes = []
    for number, kind in enumerate(("boundary", "label", "both", "missed", "spurious")):
        span = Span(start=number, end=number + 1, label=f"K{number}")
        gold, predicted = None if kind == "spurious" else span, None if kind == "missed" else span
        mistakes.append(Mistake(kind=kind, gold=gold, predicted=predicted, score=(number + 1) / 10))
    return MarkedSentence(
        number=7,
        text="甲乙丙丁戊",
        gold=tuple(mistake.gold for mistake in mistakes if mistake.gold),
        predicted=tuple(
            TextSpan(start=s.start, end=s.end, label=s.label, text="", score=0.5)
            for mistake in mistakes
            if (s := mistake.predicted)
        ),
        mistakes=tuple(mistakes),
    )


SET = """const set = (id, value) => {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event('input'));
};"""
ACTIONS = {
    "": "甲乙丙丁戊",
    "document.querySelector('[data-kind=label]').click();": "甲丙丁戊",
    "set('low', 0.2); set('high', 0.4);": "乙丙丁",
    "set('label', '=K3');": "丁",
    "set('search', '没有');": "",
    "set('order', 'sure');": "戊丁丙乙甲",
    "set('search', '没有'); document.getElementById('reset').click();": "甲乙丙丁戊",
    "document.querySelector('[data-lang=zh]').click(); document.querySelector('[data-kind=both]').click();": "甲乙丁戊",
}


@needs_chromium
def test_filters_and_order(tmp_path: Path) -> None:
    """All in one run of the browser; the page is reset before each action."""
    steps = "".join(
        f"document.getElementById('reset').click(); {action}"
        "seen.push([...document.querySelectorAll('.context b')].map((b) => b.textContent).join(''));"
        for action in ACTIONS
    )
    script = f"<script type=module>{SET} const seen = []; {steps} document.body.dataset.seen = seen.join('|');</script>"
    page = page_of(every_kind(), model="m", file="f").replace("</body>", script + "</body>")
    found = re.search('data-seen="([^"]*)"', shown_by_chromium(page, tmp_path))
    assert found
    assert found[1].split("|") == list(ACTIONS.values())


@needs_chromium
def test_a_line_folds_out_with_both_sides_and_the_command(tmp_path: Path) -> None:
    script = "<script type=module>document.querySelector('details').open = true;</script>"
    page = page_of(every_kind(), model="my model", file="f").replace("</body>", script + "</body>")
    body = shown_by_chromium(page, tmp_path).partition("<body>")[2]
    assert "gatewise explain -m 'my model' '甲乙丙丁戊'" in body
    assert "Sentence 7" in body
    assert body.count('class="side"') == 2
    assert body.count("wrong chosen") == 2


# the explanation in the page


def with_script(page: str, script: str) -> str:
    return page.replace("</body>", f"<script type=module>{script}</script></body>")


def seen_in(document: str) -> str:
    """What a script of the test left in the document."""
    found = re.search('data-seen="([^"]*)"', document)
    assert found
    return html.unescape(found[1])


def page_with_explanations(tagger: Tagger, *gold: Sentence, lang: Any = "en") -> str:
    data = page_data(find_mistakes(tagger, gold), model="m", file="f", trace=tagger.trace)
    return errors_page(data, lang)


ROWS = """const wait = (n) => new Promise((done) => setTimeout(done, n)); await wait(300);
document.body.dataset.seen = [...document.querySelectorAll('#tables table')].map((table) =>
  [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent).join('|')).join(';')).join('#');"""


@needs_chromium
@pytest.mark.parametrize("name", ["v1-spans", "v1-softmax-rnn"])
def test_the_tables_say_what_the_terminal_says(tmp_path: Path, taggers: dict[str, Tagger], name: str) -> None:
    tagger = taggers[name]
    tags = ["O"] * 6 + ["S-PER" if tagger.scheme == "BIOES" else "B-NP"]
    sentence = sentence_from_forms(["小", "明", "住", "在", "北", "京", "。"], tags)
    for lang, trace in (("en", tagger.trace(sentence)), ("zh", tagger.trace(sentence))):
        page = with_script(page_with_explanations(tagger, sentence, lang=lang), ROWS)
        document = shown_by_chromium(page, tmp_path, "#sentence-1")
        terminal = render_text(trace_text(trace, lang=lang), width=200)  # type: ignore[arg-type]
        printed = {re.sub(r"\s+", " ", line).strip() for line in terminal.splitlines()}
        rows = re.split("[;#]", seen_in(document))
        said = [re.sub(r"\s+", " ", row.replace("|", " ")).strip() for row in rows]
        assert len(said) > 2 * len(sentence)
        assert set(said) - {""} <= printed
        assert '<section class="filters" id="filters" aria-label' in document
        assert re.search('<main id="errors" hidden', document)


@needs_chromium
@pytest.mark.parametrize("place", ["#sentence-2", "#sentence-", "#sentence-99", "#<img src=x>"])
def test_other_places_are_the_list(tmp_path: Path, taggers: dict[str, Tagger], place: str) -> None:
    document = shown_by_chromium(page_with_explanations(taggers["v1-spans"], WRONG), tmp_path, place)
    assert '<main id="explanation" hidden' in document
    assert "<li" in document


WRONG = sentence_from_forms(["好", "<b>", "。"], ["S-PER", "S-LOC", "S-PER"])
WALK = """const wait = (n) => new Promise((done) => setTimeout(done, n)), seen = [];
const look = async () => { await wait(200); seen.push([location.hash, document.querySelector('#explanation').hidden,
  document.querySelectorAll('#tables tr').length > 0, document.activeElement.textContent].join(' ')); };
const links = document.querySelectorAll('li > a');
links[1].focus(); links[1].click(); await look();
document.querySelector('#explanation > a').click(); await look();
links[0].click(); location.hash = ''; await look();
document.body.dataset.seen = seen.join(';');"""


@needs_chromium
def test_the_link_leads_there_and_back(tmp_path: Path, taggers: dict[str, Tagger]) -> None:
    """The heading takes the focus, and on the way back the link has it again."""
    page = with_script(page_with_explanations(taggers["v1-spans"], WRONG), WALK)
    seen = seen_in(shown_by_chromium(page, tmp_path)).split(";")
    assert seen == ["#sentence-1 false true Sentence 1", " true true Explanation →", " true true Explanation →"]


@needs_chromium
def test_without_an_explanation_there_is_the_command(tmp_path: Path) -> None:
    document = shown_by_chromium(page_of(marked("<i>好", "A", "B")), tmp_path, "#sentence-1")
    assert "The explanation of this sentence is not in this page." in document
    assert "gatewise explain -m m '&lt;i&gt;好'" in document


@needs_chromium
def test_an_explanation_that_does_not_unpack_has_the_command(tmp_path: Path, taggers: dict[str, Tagger]) -> None:
    data = page_data(find_mistakes(taggers["v1-spans"], [WRONG]), model="m", file="f", trace=taggers["v1-spans"].trace)
    data["shown"][0]["explanation"] = base64.b64encode(b"no gzip").decode()
    document = shown_by_chromium(errors_page(data), tmp_path, "#sentence-1")
    assert "This browser cannot unpack the explanation." in document
    assert "gatewise explain -m m" in document


@needs_chromium
def test_hostile_tokens_in_an_explanation_are_text(tmp_path: Path, taggers: dict[str, Tagger]) -> None:
    hostile = sentence_from_forms([HOSTILE, "<img src=x onerror=document.title='run'>"], ["S-PER", "S-PER"])
    document = shown_by_chromium(page_with_explanations(taggers["v1-spans"], hostile), tmp_path, "#sentence-1")
    tables = document.partition('<div id="tables">')[2]
    assert "&lt;img src=x onerror" in tables
    assert "<img" not in document.partition("<body>")[2]
    assert "<title>run" not in document
