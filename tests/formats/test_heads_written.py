"""What further heads say, in the formats that can hold it, and told as lost where they cannot."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import FormatError
from gatewise.formats import read_conll, read_jsonl, read_sentences, write_sentences
from gatewise.formats.losses import Losses
from gatewise.text import Heads, Sentence, TextSpan, sentence_from_forms

BARE = sentence_from_forms(["小", "明", "去"])
SPAN = TextSpan(start=0, end=2, label="PER", text="小明", score=0.75)
NER = replace(BARE, tags=("B-PER", "I-PER", "O"), scores=(0.5, 0.25, 0.125), spans=(SPAN,))
POS = BARE.with_tags(("N", "N", "V"))
SENTENCE = replace(BARE.with_tags(("X", "Y", "Z")), heads=Heads({"ner": NER, "pos": POS}))


def written(sentence: Sentence, format: str) -> str:
    stream = io.StringIO()
    write_sentences([sentence], stream, format)
    return stream.getvalue()


def test_jsonl_says_what_each_head_says_and_reads_it_back(tmp_path: Path) -> None:
    line = json.loads(written(SENTENCE, "jsonl"))
    assert line["heads"] == {
        "ner": {
            "tags": ["B-PER", "I-PER", "O"],
            "scores": [0.5, 0.25, 0.125],
            "spans": [{"start": 0, "end": 2, "label": "PER", "text": "小明", "score": 0.75}],
        },
        "pos": {"tags": ["N", "N", "V"], "scores": None, "spans": []},
    }
    (tmp_path / "a.jsonl").write_text(written(SENTENCE, "jsonl"), encoding="utf-8")
    assert list(read_jsonl(tmp_path / "a.jsonl")) == [SENTENCE]
    assert "heads" not in json.loads(written(POS, "jsonl"))


def test_scores_that_are_not_known_are_null_in_jsonl(tmp_path: Path) -> None:
    ner = replace(NER, scores=(0.5, math.nan, 0.125), spans=(SPAN._replace(score=math.nan),))
    line = json.loads(written(replace(SENTENCE, heads=Heads({"ner": ner})), "jsonl"))
    assert line["heads"]["ner"]["scores"] == [0.5, None, 0.125]
    assert line["heads"]["ner"]["spans"][0]["score"] is None
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    [read] = read_jsonl(tmp_path / "a.jsonl")
    first, second, third = read.heads["ner"].scores or ()
    assert (first, third) == (0.5, 0.125)
    assert math.isnan(second)
    assert math.isnan(read.heads["ner"].spans[0].score)


NAMES = st.text(min_size=1, max_size=5)


@given(st.dictionaries(NAMES, st.tuples(*[st.text(min_size=1)] * 3), max_size=3))
def test_jsonl_holds_any_head(tmp_path_factory: pytest.TempPathFactory, tags: dict[str, tuple[str, str, str]]) -> None:
    heads = {name: BARE.with_tags(of_head) for name, of_head in tags.items()}
    if any("\ud800" <= c <= "\udfff" for name, of_head in tags.items() for c in name + "".join(of_head)):
        return
    sentence = replace(BARE, heads=Heads(heads))
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_text(written(sentence, "jsonl"), encoding="utf-8")
    assert list(read_jsonl(path)) == [sentence]


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (5, r'a\.jsonl:1: expected an object under "heads", found 5'),
        ({"ner": []}, r'a\.jsonl:1: heads: expected an object under "ner", found a list'),
        ({"ner": {"tags": ["O"]}}, r"a\.jsonl:1: heads\.ner: tags: expected one for each of 3 tokens, found 1"),
        ({"ner": {"tags": "OOO"}}, r'a\.jsonl:1: heads\.ner: expected a list under "tags", found "OOO"'),
        ({"ner": {"tags": ["O", 5, "O"]}}, r"a\.jsonl:1: heads\.ner: tags: expected a string"),
        (
            {"ner": {"spans": [{"start": 0}]}},
            r'a\.jsonl:1: heads\.ner: spans\[0\]: expected a whole number under "end"',
        ),
    ],
)
def test_what_is_wrong_with_a_head_is_said_with_its_line(tmp_path: Path, heads: Any, message: str) -> None:
    line = json.loads(written(POS, "jsonl")) | {"heads": heads}
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        list(read_jsonl(tmp_path / "a.jsonl"))


def test_columns_get_one_more_for_each_head(tmp_path: Path) -> None:
    assert written(SENTENCE, "conll") == "小\tX\tB-PER\tN\n明\tY\tI-PER\tN\n去\tZ\tO\tV\n\n"
    path = tmp_path / "a.conll"
    path.write_text(written(SENTENCE, "conll"), encoding="utf-8")
    [read] = read_conll(path, columns=("token", "_", "tag", "_"))
    assert read.tags == NER.tags
    untold = replace(SENTENCE, heads=Heads({"ner": BARE}))
    assert written(untold, "conll") == "小\tX\n明\tY\n去\tZ\n\n"


@pytest.mark.parametrize(("line", "wanted"), [("小 a b X", "小 a b Z N"), ("小\ta\tb\tX", "小\ta\tb\tZ\tN")])
def test_a_file_s_own_columns_stay_before_them(tmp_path: Path, line: str, wanted: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(f"# kept\n{line}\n\n", encoding="utf-8")
    [sentence] = read_sentences(path, columns=("token", "_", "_", "tag"))
    told = replace(sentence.with_tags(["Z"]), heads=Heads({"pos": sentence.with_tags(["N"])}))
    assert written(told, "conll") == f"# kept\n{wanted}\n\n"


def test_a_tag_that_columns_cannot_hold_is_refused() -> None:
    bad = replace(BARE, heads=Heads({"ner": BARE.with_tags(["O", "a\tb", "O"])}))
    with pytest.raises(FormatError, match="sentence 1: expected a tag without tabs"):
        written(bad, "conll")


@pytest.mark.parametrize("format", ["inline", "conllu", "doccano"])
def test_other_formats_hold_the_main_head_and_say_so(format: str) -> None:
    losses = Losses(format)
    list(losses.passing([SENTENCE, POS]))
    assert f"{format} cannot hold what further heads say: lost in 1 sentence" in losses.lines()
    plain = replace(SENTENCE, heads=Heads())
    assert written(SENTENCE, format) == written(plain, format)


@pytest.mark.parametrize("format", ["jsonl", "conll"])
def test_no_loss_is_told_where_there_is_none(format: str) -> None:
    losses = Losses(format)
    list(losses.passing([SENTENCE]))
    assert not any("heads" in line for line in losses.lines())
