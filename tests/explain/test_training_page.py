"""The report of a training run: what it promises as a file, and the page in a real browser at three widths."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gatewise.explain.training_page import training_page

HOSTILE = "</script><img src=x onerror=document.title='run'><!--<script>"
WIDTHS = (360, 1280, 1920)
EPOCHS = 4


def counts(gold: int, predicted: int, correct: int) -> dict[str, float]:
    return {
        "precision": correct / predicted, "recall": correct / gold, "f1": 2 * correct / (gold + predicted),
        "gold": gold, "predicted": predicted, "correct": correct,
    }  # fmt: skip


def table() -> dict[str, Any]:
    return {
        "main": 0.8125, "overall": counts(20, 28, 18), "words": None,
        "labels": [["PER", counts(12, 16, 11)], [HOSTILE, counts(8, 12, 7)]],
        "kinds": {"correct": {"gold": 18, "predicted": 18}, "missed": {"gold": 2, "predicted": 0}},
        "confusion": [["PER", HOSTILE, 1]],
        "matrix": {"labels": ["PER", HOSTILE], "rows": [[11, 1, 0], [0, 7, 1]], "alone": [5, 4]},
    }  # fmt: skip


def gates(layer: int, direction: str) -> dict[str, Any]:
    count = EPOCHS + 1
    shares = {gate: [n / 10 + k / 100 for n in range(count)] for k, gate in enumerate("ifo")}
    memory = [[(0.7 + n / 20) ** distance for distance in range(31)] for n in range(count)]
    return {
        "layer": layer, "direction": direction, "tokens": 812, "epochs": list(range(count)),
        "closed": shares, "open": shares, "memory": memory, "longest": [[1.0] * 31] * count,
    }  # fmt: skip


def calibration(temperature: float) -> dict[str, Any]:
    after = [[0.33, 0.5, 10], [0.81, 0.75, 30]]
    spans = {"name": "spans", "count": 40, "error": [0.1234, 0.0456], "points": [[[0.95, 0.6, 40]], after]}
    none = {"name": "tags", "count": 0, "error": [0.0, 0.0], "points": [[], []]}
    return {"temperature": temperature, "kinds": [none, spans]}


def run_data(**changes: Any) -> dict[str, Any]:
    """A run of four epochs, the third kept, its numbers told apart by their digits."""
    return {
        "name": HOSTILE, "version": "9.9", "done": True, "planned": 6, "score_name": "F1", "kept": 2, "seconds": 3725.0,
        "config": [["encoder.hidden", 77], ["training.label_weights", {}], ["features.vectors", HOSTILE]],
        "splits": [
            {"name": "train", "sentences": 1234, "tokens": 56789, "labels": {"PER": 400, HOSTILE: 31}},
            {"name": "dev", "sentences": 99, "tokens": 1001, "labels": {"PER": 12}},
        ],
        "epochs": [
            {
                "epoch": n, "step": 10 * n, "loss": 8.5 / n, "dev_loss": 6.25 / n,
                "dev_score": 60.0 + 11.11 * min(n, 3), "learning_rate": 0.01 / n,
                "tokens_per_second": 25000.0 + n, "is_best": n < 4, "seconds": 7.0 + n,
            }
            for n in range(1, EPOCHS + 1)
        ],
        "batches": [[n / 10, 0.01 * (1 - n / 60), None if n == 3 else 1.5] for n in range(1, 41)],
        "tables": {"dev": table(), "test": table() | {"main": 0.7531}},
        "calibration": {"dev": calibration(1.0), "test": calibration(1.375)},
        "label_history": {"PER": [0.1, 0.2, None, 0.4]},
        "head_history": {HOSTILE: [10.0, None, 30.5, 40.25]},
        "gates": [gates(layer, direction) for layer in (1, 2) for direction in ("forward", "reverse")],
        "hardest": [{
            "sentence": 17, "tokens": 3, "loss_per_token": 4.25, "text": f"😀𠀀{HOSTILE}",
            "gold": [[1, 2, "PER"]], "predicted": [[1, 2, "PER"], [0, 1, "LOC"]],
        }],
        "slowest": [{
            "step": 15, "epoch": 2, "seconds": 0.125, "sentences": 16, "tokens": 320, "longest": 40,
            "longest_sentence": 5, "per_token": 0.125 / 320, "filled": 0.5, "text": HOSTILE,
        }],
    } | changes  # fmt: skip


def test_the_page_asks_for_nothing_and_runs_no_text() -> None:
    page = training_page(run_data())
    assert "default-src 'none'" in page
    assert page.count("<script") == 2
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|src=(?!x )|href=|@import|url\(|fetch\(|import ", page)
    assert "innerHTML" not in page
    assert "__" not in page
    assert "&lt;/script&gt;" in re.findall("<title>(.*)</title>", page)[0]


def test_both_languages_say_the_same_things() -> None:
    """Each word of one language has its counterpart, with as many arguments."""
    page = training_page(run_data())
    english, chinese = (page.partition(f"const {name} = {{")[2].partition("\n};")[0] for name in ("EN", "ZH"))
    keys = [
        re.findall(r"(?:^|[ {])(\w+): (\([^)]*\) =>|[\"{\[])", words, flags=re.MULTILINE)
        for words in (english, chinese)
    ]
    shapes = [[(name, value.count(",") if value.startswith("(") else value) for name, value in found] for found in keys]
    assert len(shapes[0]) > 60
    assert shapes[0] == shapes[1]


# in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=3000",
    "--enable-logging=stderr", "--dump-dom",
]  # fmt: skip
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")


HOST = """<!doctype html><meta charset="utf-8"><body>
<iframe style="border:0;width:{width}px;height:900px" src="page.html{place}"></iframe>
<script>addEventListener("message", (e) => document.body.append(Object.assign(document.createElement("pre"),
{{ textContent: e.data }})));</script>"""


def shown(page: str, folder: Path, *, width: int = 1280, place: str = "#en") -> str:
    """The body after the scripts have run, in a frame, since a window has no 360 px; the console must stay silent."""
    tell = "<script type=module>parent.postMessage(document.body.outerHTML, '*')</script></body>"
    (folder / "page.html").write_text(page.replace("</body>", tell), encoding="utf-8")
    (folder / "host.html").write_text(HOST.format(width=width, place=place), encoding="utf-8")
    call = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=2000,1000"]
    done = subprocess.run(
        [*call, (folder / "host.html").as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    body = html.unescape(done.stdout.partition("<pre>")[2].partition("</pre>")[0])
    return body.partition('<script type="application/json"')[0]


def with_script(page: str, script: str) -> str:
    """The page, and after it a script whose result lands in the header's `data-seen`."""
    keep = f"document.querySelector('header').dataset.seen = JSON.stringify((() => {{ {script} }})());"
    return page.replace("</body>", f"<script type=module>{keep}</script></body>")


def seen(body: str) -> Any:
    found = re.search('data-seen="([^"]*)"', body)
    assert found
    return json.loads(html.unescape(found[1]))


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("#en", ("finished", "4 epochs in 1:02:05", "The weights of epoch 3 score best", "Does it learn to remember?",
                 "Further heads on dev", "Layer 2, reverse", "one temperature was fitted on dev: 1.375",
                 "expected calibration error 12.34 % → 4.56 %", "30: 81.0 % on average, 75.0 % right",
                 "loss a token 4.25", "1,234", "encoder.hidden", "kept: epoch 3")),
        ("#zh", ("已完成", "共 4 轮，用时 1:02:05", "第 3 轮的权重在开发集上得分最高", "它学会记忆了吗？",
                 "其他输出头", "第 2 层，反向", "在开发集上拟合了一个温度：1.375", "期望校准误差 12.34 % → 4.56 %",
                 "30 个：平均概率 81.0 %，正确 75.0 %", "每个词元的损失 4.25", "1,234", "encoder.hidden",
                 "保留：第 3 轮")),
    ],
)  # fmt: skip
def test_the_page_at_three_widths_in_two_languages(
    tmp_path: Path, width: int, place: str, words: tuple[str, ...]
) -> None:
    script = """
    const wide = [...document.querySelectorAll("body *")].filter((e) => !e.closest(".wide, svg")
      && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
    const charts = [...document.querySelectorAll("svg.chart")];
    return { width: innerWidth, over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      wide: wide.map((e) => e.className), charts: charts.length,
      lines: charts.map((c) => c.querySelectorAll("path").length),
      broken: charts.some((c) => /NaN|Infinity|undefined/.test(c.outerHTML)), lang: document.documentElement.lang };
    """
    body = shown(with_script(training_page(run_data()), script), tmp_path, width=width, place=place)
    for word in words:
        assert word in body
    assert "undefined" not in body
    assert "NaN" not in body
    assert "<img" not in body
    assert "&lt;img src=x" in body
    found = seen(body)
    assert found["width"] == width
    assert (found["over"], found["wide"], found["broken"]) == (0, [], False)
    assert found["lang"] == {"#en": "en", "#zh": "zh-CN"}[place]
    assert found["charts"] == 6 + 4 * 4  # learning; for each of two layers and directions, memory and three gates
    assert min(found["lines"]) >= 1


@needs_chromium
def test_charts_are_read_with_the_keyboard_and_the_pointer(tmp_path: Path) -> None:
    script = """
    const [loss, score] = document.querySelectorAll("svg.chart");
    const read = (svg) => svg.getAttribute("aria-valuetext"), said = [read(loss)];
    const press = (key) => {
      loss.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      said.push(read(loss));
    };
    ["ArrowLeft", "Home", "ArrowRight", "End", "Escape"].forEach(press);
    const box = score.getBoundingClientRect();
    const clientX = box.left + Number(score.dataset.left) + Number(score.dataset.inner) / 3;
    score.dispatchEvent(new PointerEvent("pointermove", { clientX }));
    said.push(read(score));
    score.dispatchEvent(new PointerEvent("pointerleave"));
    said.push(read(score), loss.tabIndex, loss.getAttribute("role"), loss.getAttribute("aria-label"));
    return said;
    """
    said = seen(shown(with_script(training_page(run_data()), script), tmp_path))
    assert said[0] == said[4] == said[5] == "epoch 4train 2.13dev 1.56"
    assert said[1] == "epoch 3train 2.83dev 2.08"
    assert said[2] == "epoch 1train 8.5dev 6.25"
    assert said[3] == "epoch 2train 4.25dev 3.13"
    assert said[6:8] == ["epoch 282.22", "epoch 493.33"]
    assert said[8:] == [0, "slider", "Loss a sentence"]


@needs_chromium
def test_languages_and_splits_are_switched_on_the_page(tmp_path: Path) -> None:
    script = """
    const said = [];
    const note = () => said.push([
      document.querySelector("h1 span").textContent.slice(0, 8), document.querySelectorAll(".spark").length,
      document.querySelector("[data-split][aria-pressed=true]").textContent, location.hash]);
    note();
    document.querySelector("[data-split=dev]").click();
    note();
    document.querySelector("[data-lang=zh]").click();
    note();
    document.querySelector("[data-split=test]").click();
    note();
    return said;
    """
    said = seen(shown(with_script(training_page(run_data(name="model")), script), tmp_path))
    assert said == [
        ["Training", 0, "test", "#en"],
        ["Training", 1, "dev", "#en"],
        ["model 的训", 1, "开发集", "#zh"],
        ["model 的训", 0, "测试集", "#zh"],
    ]


@needs_chromium
def test_the_reliability_plot_puts_points_where_they_belong(tmp_path: Path) -> None:
    script = """
    const read = () => [...document.querySelectorAll("svg.reliability")].map((svg) => ({
      spots: [...svg.querySelectorAll("circle")].map((c) => ["cx", "cy", "r"].map((key) => +c.getAttribute(key))),
      lines: [...svg.querySelectorAll("path")].map((path) => path.getAttribute("d")) }));
    const said = [read()];
    document.querySelector("[data-split=dev]").click();
    said.push(read());
    return said;
    """
    body = shown(with_script(training_page(run_data()), script), tmp_path)
    [[test], [dev]] = seen(body)  # tags have no plot, as there are none
    assert (
        test["spots"]
        == dev["spots"]
        == [
            [pytest.approx(56 + 250 * 0.33, abs=0.06), 10 + 250 * 0.5, pytest.approx(2.5 + 9 * 0.25**0.5, abs=0.06)],
            [pytest.approx(56 + 250 * 0.81, abs=0.06), 10 + 250 * 0.25, pytest.approx(2.5 + 9 * 0.75**0.5, abs=0.06)],
        ]
    )
    assert test["lines"] == ["M293.5 110.0", "M138.5 135.0L258.5 72.5"]
    assert dev["lines"] == ["M138.5 135.0L258.5 72.5"]  # at temperature 1 before and after are one
    assert "None was found." in body
    assert "expected calibration error 4.56 %" in body
    assert "The temperature is 1" in body


@needs_chromium
def test_without_further_heads_there_is_no_chart_of_them(tmp_path: Path) -> None:
    script = 'return document.querySelectorAll("svg.chart").length;'
    body = shown(with_script(training_page(run_data(head_history={})), script), tmp_path)
    assert "Further heads on dev" not in body
    assert seen(body) == 5 + 4 * 4


@needs_chromium
def test_a_run_that_is_not_done_offers_to_follow_it(tmp_path: Path) -> None:
    data = run_data(done=False, tables={"dev": table()}, kept=3)
    body = shown(training_page(data), tmp_path)
    assert "running: epoch 4 of 6 done" in body
    assert 'id="live">' in body.replace(' hidden=""', "?")
    assert "load this page anew every 15 seconds" in body
    assert "kept: epoch 4" in body


@needs_chromium
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gates": []}, "it has no gates and no memory cell"),
        ({"calibration": {}}, "Does it learn to remember?"),
        ({"epochs": [], "tables": {}, "gates": [], "hardest": [], "slowest": [], "batches": [], "done": False,
          "score_name": None}, "No epoch is done yet"),
        ({"tables": {}, "score_name": None, "hardest": [], "kept": 3,
          "epochs": [run_data()["epochs"][n] | {"dev_score": None, "dev_loss": None} for n in range(4)]},
         "Without a dev split the last weights are kept"),
        ({"epochs": run_data()["epochs"][:1], "kept": 0,
          "gates": [gates(1, "forward") | {"epochs": [0, 1], "memory": [[1.0], [1.0]], "longest": [[1.0], [1.0]],
                    "closed": {g: [0.0, 0.0] for g in "ifo"}, "open": {g: [0.0, 0.0] for g in "ifo"}}]},
         "1 epoch in"),
        ({"tables": {"test": table() | {"overall": None, "kinds": None}}, "score_name": "accuracy"},
         "accuracy 81.25 %"),
        ({"tables": {"test": table() | {"matrix": None}}}, "The most frequent confusions"),
    ],
)  # fmt: skip
def test_runs_that_lack_something(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    body = shown(training_page(run_data(**changes)), tmp_path)
    assert words in body
    assert "NaN" not in body
    assert "undefined" not in body
