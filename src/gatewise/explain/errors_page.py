"""A tagger's errors as one HTML page that needs nothing else: no network, no other file.

In: what was compared (`runtime.mistakes`), a few facts, and what traces a sentence. Out: the page, with the explanation
of each sentence that has errors inside it. Text and labels travel as JSON with every `<` escaped, and the page writes
them as text only, so none of them can ever run. The template is `pages/errors.html`; its scripts, with the page's words
in English and Chinese, are `pages/explanation.js` and `pages/errors.js`.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gatewise.explain.trace_reading import reading_data, reading_words, round_chance
from gatewise.explain.words import Language
from gatewise.runtime import Trace
from gatewise.runtime.mistakes import MarkedSentence
from gatewise.text.sentence import Sentence

LONGEST_EXPLAINED = 2_000  # tokens of one sentence, as in `gatewise explain`
_PAGES = Path(__file__).resolve().parent / "pages"
_SCRIPTS = ("explanation.js", "errors.js")
_DATA_PLACE, _SCRIPT_PLACE, _TITLE_PLACE, _LANG_PLACE = "__DATA__", "__SCRIPT__", "__TITLE__", "__LANG__"
_LANG_CODES: dict[Language, str] = {"en": "en", "zh": "zh-CN"}

Tracer = Callable[[Sentence], Trace]


def errors_page(data: dict[str, Any], lang: Language = "en") -> str:
    """The page that shows `page_data`, in `lang` until the reader chooses the other language."""
    before, _, after = (_PAGES / "errors.html").read_text(encoding="utf-8").partition(_DATA_PLACE)
    title = html.escape(f"gatewise errors: {data['model']}, {data['file']}")
    head = before.replace(_TITLE_PLACE, title).replace(_LANG_PLACE, _LANG_CODES[lang])
    script = "\n".join((_PAGES / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return head + script_json(data | {"lang": lang}) + after.replace(_SCRIPT_PLACE, script)


def page_data(
    sentences: Iterable[MarkedSentence],
    *,
    model: str,
    file: str,
    trace: Tracer | None = None,
    explained_tokens: int | None = None,
) -> dict[str, Any]:
    """What the page shows: counts over all sentences, and those with errors.

    `model` is what `gatewise explain -m` is to be given, `file` what the reader is told was tagged. A span is [start,
    end, label], a predicted one has its score after that; an error is [kind, number of the gold span or null, number
    of the predicted span or null, score]. Offsets count characters (code points). With `trace`, sentences have an
    `explanation`: their `reading_data`, packed, from the first one on, as long as they have no more than
    `explained_tokens` in all; `explained` is how many have it, and `words` those of its tables in each language.
    """
    count, correct, gold, predicted = 0, 0, 0, 0
    shown: list[dict[str, Any]] = []
    explanations = _Explanations(trace, explained_tokens)
    for sentence in sentences:
        count += 1
        gold += len(sentence.gold)
        predicted += len(sentence.predicted)
        said = {(span.start, span.end, span.label) for span in sentence.predicted}
        correct += sum((span.start, span.end, span.label) in said for span in sentence.gold)
        if sentence.mistakes:
            shown.append(_sentence_data(sentence, model) | explanations.of(sentence))
    return {
        "model": Path(model).name or model,
        "file": file,
        "sentences": count,
        "gold": gold,
        "predicted": predicted,
        "correct": correct,
        "explained": sum("explanation" in sentence for sentence in shown),
        "words": explanations.words,
        "shown": shown,
    }


class _Explanations:
    """Traces sentences until the page holds enough."""

    def __init__(self, trace: Tracer | None, tokens: int | None) -> None:
        self.words: dict[str, dict[str, str]] | None = None
        self._trace = trace
        self._left = float("inf") if tokens is None else tokens

    def of(self, sentence: MarkedSentence) -> dict[str, str]:
        """The sentence's `explanation`, or nothing where it finds no room."""
        length = len(sentence.tagged or ())
        if self._trace is None or not sentence.tagged or length > min(LONGEST_EXPLAINED, self._left):
            return {}
        self._left -= length
        trace = self._trace(sentence.tagged)
        self.words = self.words or {lang: reading_words(trace, lang) for lang in _LANG_CODES}
        return {"explanation": _packed(reading_data(trace))}


def _packed(value: object) -> str:
    """JSON, gzip, base64: a third of the JSON, and the page unpacks one sentence at a time."""
    content = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(content.encode("utf-8"), mtime=0)).decode("ascii")


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
    scores = [round_chance(span.score) for span in sentence.predicted]
    errors = []
    for mistake in sentence.mistakes:
        a, b = mistake.gold, mistake.predicted
        errors.append(
            [
                mistake.kind,
                None if a is None else gold.index((a.start, a.end, a.label)),
                None if b is None else predicted.index((b.start, b.end, b.label)),
                round_chance(mistake.score),
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
