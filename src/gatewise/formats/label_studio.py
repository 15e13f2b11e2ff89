"""Label Studio's exports of text spans, the full JSON and JSON-MIN: an array of tasks, or one task a line.

Full: `[{"data": {"text"}, "annotations": [{"was_cancelled", "result": [{"type": "labels", "value": {"start", "end",
"text", "labels": ["PER"]}}]}]}]`. JSON-MIN: `[{"text", "label": [{"start", "end", "text", "labels": ["PER"]}]}]`.
JSON-MIN has a record for each annotation, which names it (`annotation_id`, null where nobody annotated the task).
Offsets are half-open and count characters (code points); some versions count UTF-16 units, which is noticed
where the text that a span quotes stands there and not at the characters, and then taken so. Tasks without annotation
or canceled, regions without a label, and results that are no spans (choices, relations) are counted and left out.
The format holds neither tokens nor scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import OnBroken
from gatewise.formats.json_fields import JsonObject, check_edges, check_quote, get, kind_of, objects
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment, LabeledText, locate_labeled
from gatewise.formats.source import Located, Source, checked
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Span
from gatewise.text.align import character_spans

# strings beside the text in a task of JSON-MIN
_ABOUT_THE_TASK = ("created_at", "updated_at", "agreement", "annotator", "meta")


def read_label_studio(path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT) -> Iterator[Sentence]:
    """The annotated texts of a file that Label Studio exported, tagged as `alignment` says."""
    return checked(path, locate_label_studio(path, alignment=alignment), None)


def locate_label_studio(
    path: Source, *, alignment: Alignment = DEFAULT_ALIGNMENT, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_label_studio`, with the line of each token.

    With `broken`, which is told of them, records that cannot be read are left out.
    """
    tally = Tally()
    return locate_labeled(path, _Tasks(tally), alignment, tally, broken)


def write_label_studio(sentences: Iterable[Sentence], stream: TextIO, scheme: str | None = None) -> None:
    """Write an array of tasks, one a line, which Label Studio imports; sentences without tags have no annotation."""
    stream.write("[")
    for number, sentence in enumerate(sentences):
        value: JsonObject = {"data": {"text": sentence.text}}
        if sentence.tags is not None or sentence.spans:
            results = [_result(sentence.text, span) for span in character_spans(sentence, scheme)]
            value["annotations"] = [{"result": results}]
        stream.write((",\n" if number else "\n") + json.dumps(value, ensure_ascii=False))
    stream.write("\n]\n")


def _result(text: str, span: Span) -> JsonObject:
    place = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": [span.label]}
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": place}


class _Tasks:
    """Makes records of the tasks that somebody annotated, each once; in JSON-MIN the annotations of a task stand one
    after the other."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._task: Any = None  # of the record before
        self._spans: tuple[Span, ...] | None = None

    def __call__(self, where: str, line: int, value: JsonObject) -> LabeledText | None:
        """The record of an object, None where it says nothing new."""
        is_full = "data" in value
        record = (_full if is_full else _minimal)(where, line, value, self._tally)
        if record is None:
            self._tally.add("tasks without an annotation, or with a canceled one, left out")
            return None
        same_task = self._task is not None and "annotation_id" in value and value.get("id") == self._task
        if same_task and record.spans != self._spans:
            raise FormatError(
                f"{where}: expected one annotation of the task {kind_of(self._task)}, found another that differs from "
                "the one before; keep one, or export JSON with one marked as ground truth"
            )
        self._task, self._spans = (value.get("id") if "annotation_id" in value else None), record.spans
        if same_task:
            self._tally.add("annotations that say of a task what the one before says, left out")
        return None if same_task else record


def _minimal(where: str, line: int, value: JsonObject, tally: Tally) -> LabeledText | None:
    """A record of JSON-MIN as a labeled text; None when nobody annotated its task."""
    if "annotation_id" in value and value["annotation_id"] is None:
        return None
    text = _text(where, value)
    lists = [entry for entry in value.values() if isinstance(entry, list)]
    regions = [region for entries in lists for region in entries if isinstance(region, dict) and "start" in region]
    return LabeledText(line=line, text=text, spans=_spans(where, text, regions, tally))


def _full(where: str, line: int, value: JsonObject, tally: Tally) -> LabeledText | None:
    """A task of the full export as a labeled text; None when nobody annotated it."""
    text = _text(where, get(where, value, "data", dict))
    key = "completions" if "completions" in value else "annotations"  # the name before 1.0
    annotations = objects(where, value, key)
    kept = [one for one in annotations if True not in (one.get("was_cancelled"), one.get("skipped"))]
    if not kept:
        return None
    truths = [annotation for annotation in kept if annotation.get("ground_truth") is True]
    readings = {_spans(where, text, _regions(where, annotation, tally), tally) for annotation in truths or kept}
    if len(readings) > 1:
        raise FormatError(
            f"{where}: expected one annotation of the task, found {len(readings)} that differ; "
            "keep one, or mark it as ground truth"
        )
    return LabeledText(line=line, text=text, spans=readings.pop())


def _text(where: str, data: JsonObject) -> str:
    if "text" in data:
        return str(get(where, data, "text", str))
    texts = [key for key, value in data.items() if isinstance(value, str) and key not in _ABOUT_THE_TASK]
    if len(texts) != 1:
        found = f"{len(texts)} strings ({', '.join(texts[:5])})" if texts else "no string"
        raise FormatError(f'{where}: expected the text of the task under "text", found {found}; rename the field')
    return str(data[texts[0]])


def _regions(where: str, annotation: JsonObject, tally: Tally) -> list[JsonObject]:
    """The places of an annotation's results, of those that are spans."""
    regions = []
    for result in objects(where, annotation, "result"):
        value = result.get("value")
        if isinstance(value, dict) and "start" in value:
            regions.append(value)
        else:
            tally.add(f"results of the type {kind_of(result.get('type'))}, which are no spans, left out")
    return regions


def _spans(where: str, text: str, regions: list[JsonObject], tally: Tally) -> tuple[Span, ...]:
    spans = []
    for index, region in enumerate(regions):
        place = f"{where}: span {index + 1}"
        labels = region.get("labels", region.get("hypertextlabels", []))
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise FormatError(f'{place}: expected a list of strings under "labels", found {kind_of(labels)}')
        if not labels:
            tally.add("regions without a label, left out")
            continue
        start, end = _edges(place, region, text, tally)
        spans += [Span(start=start, end=end, label=label) for label in labels]
    return tuple(sorted(spans))


def _edges(where: str, region: JsonObject, text: str, tally: Tally) -> tuple[int, int]:
    start, end = get(where, region, "start", int), get(where, region, "end", int)
    quote = region.get("text")
    if quote is None or _fits(quote, text[max(0, start) : max(0, end)]):
        check_edges(where, start, end, text)
        return start, end
    units = text.encode("utf-16-le")
    before, inside = units[: 2 * start], units[2 * start : 2 * end]
    if 0 <= start < end <= len(units) // 2 and _fits(quote, inside.decode("utf-16-le", "replace")):
        tally.add("spans counted in UTF-16 units, as their quoted text shows; taken so")
        first = len(before.decode("utf-16-le", "replace"))
        return first, first + len(inside.decode("utf-16-le", "replace"))
    check_edges(where, start, end, text)
    check_quote(where, start, end, text, quote)
    raise AssertionError  # one of the two has raised


def _fits(quote: Any, found: str) -> bool:
    """Whether a quote is this text; the tool writes line breaks as `\\n` in two characters, and white space in one."""
    return isinstance(quote, str) and (quote == found or _one_line(quote) == _one_line(found))


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\r", " ").replace("\\n", " ").split())
