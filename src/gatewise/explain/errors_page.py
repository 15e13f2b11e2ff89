"""A tagger's errors as one HTML page that needs nothing else: no network, no other file.

In: what was compared (`runtime.mistakes`) and a few facts. Out: the page. Text and labels travel as JSON with every
`<` escaped, and the page writes them as text only, so none of them can ever run. The template, with its words in
English and Chinese, is `pages/errors.html`.
"""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gatewise.explain.words import Language
from gatewise.runtime.mistakes import MarkedSentence

_TEMPLATE = Path(__file__).resolve().parent / "pages" / "errors.html"
_DATA_PLACE, _TITLE_PLACE, _LANG_PLACE = "__DATA__", "__TITLE__", "__LANG__"
_LANG_CODES = {"en": "en", "zh": "zh-CN"}
_DIGITS = 6  # of a probability


def errors_page(sentences: Iterable[MarkedSentence], *, model: str, file: str, lang: Language = "en") -> str:
    """The page; `model` is what `gatewise explain -m` is to be given, `file` what the reader is told was tagged."""
    data = page_data(sentences, model=model, file=file) | {"lang": lang}
    before, _, after = _TEMPLATE.read_text(encoding="utf-8").partition(_DATA_PLACE)
    title = html.escape(f"gatewise errors: {data['model']}, {file}")
    head = before.replace(_TITLE_PLACE, title).replace(_LANG_PLACE, _LANG_CODES[lang])
    return head + script_json(data) + after


def page_data(sentences: Iterable[MarkedSentence], *, model: str, file: str) -> dict[str, Any]:
    """What the page shows: counts over all sentences, and those with errors.

    A span is [start, end, label], a predicted one has its score after that; an error is [kind, number of the gold
    span or null, number of the predicted span or null, score]. Offsets count characters (code points).
    """
    count, correct, gold, predicted, shown = 0, 0, 0, 0, []
    for sentence in sentences:
        count += 1
        gold += len(sentence.gold)
        predicted += len(sentence.predicted)
        said = {(span.start, span.end, span.label) for span in sentence.predicted}
        correct += sum((span.start, span.end, span.label) in said for span in sentence.gold)
        if sentence.mistakes:
            shown.append(_sentence_data(sentence, model))
    return {
        "model": Path(model).name or model,
        "file": file,
        "sentences": count,
        "gold": gold,
        "predicted": predicted,
        "correct": correct,
        "shown": shown,
    }


def explain_command(model: str, text: str) -> str:
    """The command that explains this text, quoted for a POSIX shell."""
    guard = ["--"] if text.startswith("-") else []
    return shlex.join(["gatewise", "explain", "-m", model, *guard, text])


def script_json(value: object) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _sentence_data(sentence: MarkedSentence, model: str) -> dict[str, Any]:
    gold = [(span.start, span.end, span.label) for span in sentence.gold]
    predicted = [(span.start, span.end, span.label) for span in sentence.predicted]
    scores = [round(span.score, _DIGITS) for span in sentence.predicted]
    errors = []
    for mistake in sentence.mistakes:
        a, b = mistake.gold, mistake.predicted
        errors.append(
            [
                mistake.kind,
                None if a is None else gold.index((a.start, a.end, a.label)),
                None if b is None else predicted.index((b.start, b.end, b.label)),
                round(mistake.score, _DIGITS),
            ]
        )
    return {
        "number": sentence.number,
        "text": sentence.text,
        "gold": gold,
        "predicted": [[*span, score] for span, score in zip(predicted, scores, strict=True)],
        "errors": errors,
        "command": explain_command(model, sentence.text),
    }
