"""doccano, Label Studio, Prodigy, CLUENER: shapes by hand, round trips of any text, what is said of a bad record."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, FormatError
from gatewise.formats import (
    SPAN_FORMATS,
    Alignment,
    detect_format,
    read_cluener,
    read_doccano,
    read_label_studio,
    read_prodigy,
    read_sentences,
    write_sentences,
)
from gatewise.text import SPAN_SCHEMES, Sentence, Span, sentence_from_forms, tags_from_spans, tokenize

READERS = {
    "doccano": read_doccano,
    "label-studio": read_label_studio,
    "prodigy": read_prodigy,
    "cluener": read_cluener,
}
XIAOMING = sentence_from_forms(["小", "明", "来", "了"], ["B-PER", "I-PER", "O", "O"])


def written(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def region(start: int, end: int, *labels: str, **more: Any) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": start, "end": end, "labels": list(labels), **more}}


def task(text: str, *results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": list(results)} | more], "predictions": []}


SHAPES = [
    ("doccano", {"id": 1, "text": "小明来了", "label": [[0, 2, "PER"]], "Comments": []}),
    ("doccano", {"id": 1, "text": "小明来了", "labels": [[0, 2, "PER"]]}),
    ("doccano", {"id": 1, "data": "小明来了", "label": [[0, 2, "PER"]]}),
    ("doccano", {"doc_id": 1, "text": "小明来了", "entities": [[0, 2, "PER"]], "username": "admin"}),
    (
        "doccano",
        {
            "text": "小明来了",
            "entities": [{"id": 0, "start_offset": 0, "end_offset": 2, "label": "PER"}],
            "relations": [],
        },
    ),
    ("label-studio", task("小明来了", region(0, 2, "PER", text="小明"))),
    ("label-studio", {"data": {"sentence": "小明来了"}, "completions": [{"result": [region(0, 2, "PER")]}]}),
    (
        "label-studio",
        {"id": 1, "text": "小明来了", "label": [region(0, 2, "PER", text="小明")["value"]], "annotator": 1},
    ),
    ("prodigy", {"text": "小明来了", "spans": [{"start": 0, "end": 2, "label": "PER"}], "answer": "accept"}),
    (
        "prodigy",
        {
            "text": "小明来了",
            "tokens": [{"text": c, "start": i, "end": i + 1, "id": i, "ws": False} for i, c in enumerate("小明来了")],
            "spans": [{"start": 0, "end": 2, "token_start": 0, "token_end": 1, "label": "PER"}],
            "_input_hash": -1,
        },
    ),
    ("cluener", {"text": "小明来了", "label": {"PER": {"小明": [[0, 1]]}}}),
]


@pytest.mark.parametrize(("format", "record"), SHAPES)
@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.dat"])
def test_shapes_by_hand(tmp_path: Path, format: str, record: Any, as_array: bool, name: str) -> None:
    path = written(tmp_path / name, [record, record] if as_array else record)
    assert detect_format(path) == format
    assert list(read_sentences(path)) == [XIAOMING] * (2 if as_array else 1)
    assert next(READERS[format](path, alignment=Alignment(scheme="BMES"))).tags == ("B-PER", "E-PER", "O", "O")


def test_what_is_written(tmp_path: Path) -> None:
    def text(format: str) -> str:
        stream = io.StringIO()
        write_sentences([XIAOMING], stream, format)
        return stream.getvalue()

    assert text("doccano") == '{"text": "小明来了", "label": [[0, 2, "PER"]]}\n'
    assert text("cluener") == '{"text": "小明来了", "label": {"PER": {"小明": [[0, 1]]}}}\n'
    prodigy = json.loads(text("prodigy"))
    assert prodigy["spans"] == [{"start": 0, "end": 2, "token_start": 0, "token_end": 1, "label": "PER"}]
    assert (prodigy["answer"], prodigy["tokens"][3]) == (
        "accept",
        {"text": "了", "start": 3, "end": 4, "id": 3, "ws": False},
    )
    [studio] = json.loads(text("label-studio"))
    [result] = studio["annotations"][0]["result"]
    assert result["value"] == {"start": 0, "end": 2, "text": "小明", "labels": ["PER"]}
    assert (result["from_name"], result["to_name"], result["type"]) == ("label", "text", "labels")


@st.composite
def sentences(draw: st.DrawFn, tokenizer: str, scheme: str) -> Sentence:
    characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("👩👧\u200d\u0301\ufeff\x00\r\n\u3000 𠀀")
    sentence = tokenize(draw(st.text(characters)), tokenizer)
    if draw(st.integers(0, 4)) == 0:
        return sentence
    cuts = sorted(draw(st.sets(st.integers(0, len(sentence)), max_size=6)))
    labels = st.sampled_from(["PER", "机构", "a-b", "👩", ""]) | st.text(st.characters(exclude_categories=["Cs"]))
    spans = [Span(start=a, end=b, label=draw(labels)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return sentence.with_tags(tags_from_spans(spans, len(sentence), scheme))


@pytest.mark.parametrize("format", SPAN_FORMATS)
@given(data=st.data())
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, format: str, data: st.DataObject) -> None:
    tokenizer = data.draw(st.sampled_from(["characters", "words", "whitespace"]))
    scheme = data.draw(st.sampled_from(SPAN_SCHEMES))
    corpus = data.draw(st.lists(sentences(tokenizer, scheme), max_size=4))
    if format == "label-studio":  # a task that nobody annotated is none
        corpus = [sentence for sentence in corpus if sentence.tags is not None]
    path = tmp_path_factory.getbasetemp() / f"round.{format}"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_sentences(corpus, stream, format, scheme=scheme)
    alignment = Alignment(tokenizer="auto" if format == "prodigy" else tokenizer, notify=lambda _: None)
    found = list(read_sentences(path, format, scheme=None, alignment=alignment))
    assert [(s.text, s.tokens) for s in found] == [(s.text, s.tokens) for s in corpus]
    alignment = Alignment(tokenizer=alignment.tokenizer, scheme=scheme, notify=lambda _: None)
    assert list(READERS[format](path, alignment=alignment)) == corpus


def read(path: Path, format: str, **options: Any) -> tuple[list[Sentence], list[str]]:
    said: list[str] = []
    found = list(READERS[format](path, alignment=Alignment(notify=said.append, **options)))
    return found, said


def test_spans_that_cut_a_token(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl", {"text": "x", "label": []}, {"text": "Anna Lee left", "label": [[2, 8, "PER"]]}
    )
    with pytest.raises(FormatError) as caught:
        read(path, "doccano")
    assert str(caught.value) == (
        f'{path}:2: expected spans of whole tokens, found PER [2, 8) "na Lee", which cuts the token "Anna"; '
        "mend the span, choose another --tokenizer, or set --on-misaligned expand or drop"
    )
    [_, widened], said = read(path, "doccano", on_misaligned="expand")
    assert widened.tags == ("B-PER", "I-PER", "O")
    assert said == [
        f'{path}:2: PER [2, 8) "na Lee" cuts the token "Anna"; widened to PER [0, 8) "Anna Lee"',
        f"{path}: 1 spans that are not whole tokens, widened",
    ]
    [_, dropped], said = read(path, "doccano", on_misaligned="drop")
    assert dropped.tags == ("O", "O", "O")
    assert said[0].endswith('cuts the token "Anna"; dropped')
    [_, characters], said = read(path, "doccano", tokenizer="characters")
    assert (characters.tags or ())[2:7] == ("B-PER", *["I-PER"] * 4)
    assert said == []


def test_spans_that_meet_when_they_are_widened(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"text": "Anna", "label": [[0, 2, "A"], [2, 4, "B"]]})
    with pytest.raises(
        FormatError, match=r'found A \[0, 4\) "Anna" and B \[0, 4\) "Anna" when widened to tokens; keep'
    ):
        read(path, "doccano", on_misaligned="expand")


def test_a_span_of_white_space(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"text": "a b", "label": [[1, 2, "X"]]})
    with pytest.raises(FormatError, match=r'found X \[1, 2\) " ", which holds characters of no token; mend the span'):
        read(path, "doccano")
    [sentence], said = read(path, "doccano", on_misaligned="expand")
    assert sentence.tags == ("O", "O")
    assert said[-1] == f"{path}: 1 spans that are not whole tokens, dropped"


@pytest.mark.parametrize("second", [[1, 3, "B"], [0, 1, "B"], [0, 2, "A"]])
def test_spans_that_overlap_are_refused_with_the_pair(tmp_path: Path, second: Any) -> None:
    path = written(tmp_path / "a.jsonl", {"text": "小明来了", "label": [second, [0, 2, "A"]]})
    with pytest.raises(FormatError, match=r"a\.jsonl:1: expected spans that do not overlap, found .* and .*; keep one"):
        read(path, "doccano", on_misaligned="drop")


def test_the_ends_of_cluener_are_inclusive(tmp_path: Path) -> None:
    """Read as exclusive, the span would lose its last character."""
    wrong = written(tmp_path / "a.json", {"text": "小明来了", "label": {"PER": {"小明": [[0, 2]]}}})
    with pytest.raises(FormatError, match="expected an inclusive end, 1, found 2; the end of a span"):
        list(read_cluener(wrong))
    other = written(tmp_path / "b.json", {"text": "小明来了", "label": {"PER": {"小王": [[0, 1]]}}})
    with pytest.raises(
        FormatError, match='"PER" "小王": expected "小明", which stands at 0…2 of the text, found "小王"'
    ):
        list(read_cluener(other))


def test_answers_of_prodigy(tmp_path: Path) -> None:
    one = {"text": "Ann", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
    answers = [
        {"answer": "accept"},
        {"answer": "reject"},
        {"answer": "ignore"},
        {"answer": "reject"},
        {"_is_binary": True},
    ]
    path = written(tmp_path / "a.jsonl", *(one | answer for answer in answers))
    found, said = read(path, "prodigy")
    assert [sentence.tags for sentence in found] == [("B-PER",)]
    assert said == [
        f'{path}: 2 examples with the answer "reject", left out',
        f'{path}: 1 examples with the answer "ignore", left out',
        f"{path}: 1 examples with a yes/no answer about one span, left out",
    ]


def test_tokens_of_prodigy_are_taken(tmp_path: Path) -> None:
    """spaCy makes tokens of white space, which are left out, and cuts where no tokenizer of ours does."""
    tokens = [{"text": t, "start": s, "end": s + len(t)} for t, s in [("can", 0), ("not", 3), ("\n ", 6), ("go", 8)]]
    record = {"text": "cannot\n go", "tokens": tokens, "spans": [{"start": 3, "end": 10, "label": "X"}]}
    [sentence], _ = read(written(tmp_path / "a.jsonl", record), "prodigy")
    assert (sentence.forms, sentence.tags) == (("can", "not", "go"), ("O", "B-X", "I-X"))


def test_utf16_units_of_old_label_studio(tmp_path: Path) -> None:
    """Its issue 1347: the span of `annotation` was exported as 13…23."""
    text = "💩This is an annotation."
    new, old = region(12, 22, "A", text="annotation"), region(13, 23, "A", text="annotation")
    path = written(tmp_path / "a.json", [task(text, new), task(text, old)])
    [first, second], said = read(path, "label-studio")
    assert first == second
    assert said == [f"{path}: 1 spans counted in UTF-16 units, as their quoted text shows; taken so"]
    with pytest.raises(
        FormatError, match=r'expected "nnotation\.", which stands at 13…23 of the text, found "no such"'
    ):
        read(written(tmp_path / "b.json", task(text, region(13, 23, "A", text="no such"))), "label-studio")


def test_tasks_of_label_studio_that_are_left_out(tmp_path: Path) -> None:
    choice = {"type": "choices", "value": {"choices": ["news"]}}
    records = [
        task("a"),
        {"data": {"text": "b"}, "annotations": []},
        task("c", was_cancelled=True),
        task("d", choice, region(0, 1)),
    ]
    path = written(tmp_path / "a.json", records)
    found, said = read(path, "label-studio")
    assert [(sentence.text, sentence.tags) for sentence in found] == [("a", ("O",)), ("d", ("O",))]
    assert said == [
        f"{path}: 2 tasks without an annotation, or with a canceled one, left out",
        f'{path}: 1 results of the type "choices", which are no spans, left out',
        f"{path}: 1 regions without a label, left out",
    ]


def test_two_annotations_of_a_task(tmp_path: Path) -> None:
    record = task("小明", region(0, 2, "PER"))
    record["annotations"].append({"result": [region(0, 1, "PER")]})
    with pytest.raises(
        FormatError, match="expected one annotation of the task, found 2 that differ; keep one, or mark"
    ):
        read(written(tmp_path / "a.json", record), "label-studio")
    record["annotations"][1]["ground_truth"] = True
    [sentence], _ = read(written(tmp_path / "b.json", record), "label-studio")
    assert sentence.tags == ("B-PER", "O")


def test_plain_tags_from_spans_on_every_token(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"text": "EU says", "label": [[0, 2, "PROPN"], [3, 7, "VERB"]]})
    assert [sentence.tags for sentence in read_sentences(path, scheme="plain")] == [("PROPN", "VERB")]
    with pytest.raises(FormatError, match=r"b\.jsonl:1: expected a span on every token for plain tags, found none on"):
        list(read_sentences(written(tmp_path / "b.jsonl", {"text": "EU says", "label": []}), scheme="plain"))


@pytest.mark.parametrize(
    ("format", "record", "message"),
    [
        ("doccano", {"text": "a", "label": [[0, 1]]}, 'label[0]: expected [start, end, "label"], found a list; export'),
        ("doccano", {"text": "a", "label": ["POS"]}, 'label[0]: expected [start, end, "label"], found "POS"; export'),
        ("doccano", {"text": "a", "label": [[0, 2, "X"]]}, "label[0]: expected 0 ≤ start < end ≤ 1 (the length of the"),
        ("doccano", {"text": "a", "label": [[0, 1, 2]]}, 'label[0]: expected a string under "label", found 2;'),
        ("doccano", {"text": "a", "label": [[0, True, "X"]]}, 'expected a whole number under "end_offset", found true'),
        ("doccano", {"label": []}, 'expected a string under "text", found nothing;'),
        ("cluener", {"text": "a", "label": []}, 'expected an object under "label", found a list;'),
        ("cluener", {"text": "a", "label": {"X": []}}, '"X": expected {"string": [[start, end]]}, found a list;'),
        (
            "cluener",
            {"text": "a", "label": {"X": {"a": [[0]]}}},
            '"X" "a": expected [start, end], found [0]; write two',
        ),
        ("prodigy", {"text": "a", "answer": "yes"}, 'expected the answer accept, reject or ignore, found "yes";'),
        (
            "prodigy",
            {"text": "ab", "tokens": [{"start": 0}]},
            'tokens[0]: expected a whole number under "end", found no',
        ),
        (
            "prodigy",
            {"text": "a", "spans": [{"start": 0, "end": 1}]},
            'spans[0]: expected a string under "label", found',
        ),
        ("label-studio", task("a", region(0, 2, "X")), "span 1: expected 0 ≤ start < end ≤ 1"),
        ("label-studio", task("a", region(0, 1, "X", labels="X")), 'span 1: expected a list of strings under "labels"'),
        (
            "label-studio",
            {"data": {"a": "x", "b": "y"}},
            'expected the text of the task under "text", found 2 strings (a',
        ),
        ("label-studio", {"data": {"image": 3}}, 'expected the text of the task under "text", found no string; rename'),
    ],
)
def test_what_is_said_of_a_bad_record(tmp_path: Path, format: str, record: Any, message: str) -> None:
    path = written(tmp_path / "a.json", {"data": {"text": "x"}, "text": "x"}, record)
    with pytest.raises(FormatError) as caught:
        read(path, format)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_wrong_choices() -> None:
    with pytest.raises(ConfigError, match='on-misaligned: expected one of error, expand, drop, found "warn"; choose'):
        Alignment(on_misaligned="warn")
    with pytest.raises(ConfigError, match=r'tokenizer: expected one of auto, characters, .*, found "bytes"; choose'):
        Alignment(tokenizer="bytes")


def test_notices_reach_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "a.jsonl", {"text": "a", "answer": "reject"})
    assert list(read_prodigy(path)) == []
    assert caplog.messages == [f'{path}: 1 examples with the answer "reject", left out']
