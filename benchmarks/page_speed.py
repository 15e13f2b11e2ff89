"""How long the page takes from a key or a click to the painted frame, in Chromium.

    python benchmarks/page_speed.py [--rounds 40]

Each page is opened from disk; each act is repeated, with what is pressed or typed in on screen, and timed inside the
page: from the time stamp of the input event to the first task after the frame in which its result was drawn. What the
driver and Python do is not in it. `own time` is the processor time of the page's main thread, which other programs do
not lengthen.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gatewise
from gatewise.explain import network_page, trace_page

SHORT = "小明住在北京大学的一座老楼里，每天早上都去图书馆读书。"
LONG = "小明住在北京，他喜欢读书。" * 16
# what draws runs inside the event; a message sent before the frame is painted arrives after it
WATCH = """() => {
  window.times = [];
  const timed = (event) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => window.times.push(performance.now() - event.timeStamp);
    port2.postMessage(0);
  });
  for (const kind of ["keydown", "click", "input"]) addEventListener(kind, timed, { capture: true });
}"""

Act = Callable[[Any, int], None]


def key(*names: str) -> Act:
    """Keys in turn, one a round."""
    return lambda page, n: page.keyboard.press(names[n % len(names)])


def click(*selectors: str) -> Act:
    """What these selectors find, in turn, one a round; it is on screen, as for whoever clicks it."""

    def act(page: Any, n: int) -> None:
        target = page.locator(selectors[n % len(selectors)])
        target.scroll_into_view_if_needed()
        target.dispatch_event("click")

    return act


def typed(path: str) -> Act:
    """Another number in a field of a network, on screen."""

    def act(page: Any, n: int) -> None:
        field = page.locator(f'[data-path="{path}"]')
        field.scroll_into_view_if_needed()
        field.fill(str(n % 7))

    return act


def measured(page: Any, act: Act, rounds: int) -> tuple[list[float], float]:
    """Milliseconds of each round, the first two left out, and the main thread's own time a round, layout included."""
    page.evaluate(WATCH)
    meter = page.context.new_cdp_session(page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})
    found: list[float] = []
    for n in range(rounds + 2):
        if n == 2:
            before = busy(meter)
        page.evaluate("window.times.length = 0")
        act(page, n)
        while not page.evaluate("window.times.length"):
            page.wait_for_timeout(5)
        found.append(page.evaluate("window.times[0]"))
    return found[2:], (busy(meter) - before) / rounds


def busy(meter: Any) -> float:
    """The processor time of all tasks of the page's main thread so far, in milliseconds."""
    metrics = meter.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def row(name: str, act: str, times: Sequence[float], own: float) -> str:
    """A line of the table: the median, what 95 of 100 stay below, and the processor time of a round."""
    late = statistics.quantiles(times, n=20)[-1]
    return f"| {name} | {act} | {statistics.median(times):.0f} | {late:.0f} | {own:.0f} |"


def pages() -> list[tuple[str, str, dict[str, Act]]]:
    """Name, page, and the acts that are timed on it."""
    zh = gatewise.load("zh")
    acts = {
        "another token": key("ArrowRight", "ArrowLeft"),
        "all forget gates at 0, and back": click('[data-key="hold-f-all-0"]'),
        "a token read twice, and back": click('[data-key="twice"]', '[data-key="undo"]'),
        "its tag forbidden, and back": click('.chosen [data-key^="forbid-"]', '[data-key="undo"]'),
    }
    article = {"a step": key("ArrowRight", "ArrowLeft"), "another number": typed("vectors.0.1.0")}
    return [
        ("article", network_page(gatewise.read_network("article")), article),
        (f"zh, {len(zh.tokenize(SHORT))} tokens", trace_page(zh, SHORT), acts),
        (f"zh, {len(zh.tokenize(LONG))} tokens", trace_page(zh, LONG), acts),
    ]


def main() -> None:
    """Prints a table in Markdown."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        print(f"Chromium {browser.version}, median and 95 % of {options.rounds} rounds, milliseconds\n")
        print("| page | act | median | 95 % | own time |\n|---|---|---:|---:|---:|")
        for name, content, acts in pages():
            file = Path(folder) / "page.html"
            file.write_text(content, encoding="utf-8")
            for act, do in acts.items():
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(file.as_uri())
                page.wait_for_selector("main svg")
                print(row(name, act, *measured(page, do, options.rounds)), flush=True)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
