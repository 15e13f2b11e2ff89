"""`gatewise tag` with n-best, constraints, a dictionary and a threshold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatewise.formats import read_sentences
from gatewise.runtime import Tagger
from gatewise.runtime.abstain import Abstainer
from gatewise.text.schemes import check_tags

Run = Any  # the fixture `gatewise_command`
TEXT = "小明住在北京。"


def test_n_best_as_json_lines(gatewise_command: Run, stored: Path, taggers: dict[str, Tagger], tmp_path: Path) -> None:
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "--to", "jsonl", "--n-best", 3, stdin=f"{TEXT}\n\n")
    assert (ran.code, ran.err) == (0, "")
    first, empty = map(json.loads, ran.out.splitlines())
    wanted = taggers["v1-spans"].n_best(TEXT, 3)
    assert [tuple(entry["tags"]) for entry in first["n_best"]] == [sentence.tags for sentence in wanted]
    assert [entry["probability"] for entry in first["n_best"]] == [sentence.path_probability for sentence in wanted]
    assert [span["label"] for span in first["n_best"][0]["spans"]] == ["PER", "LOC"]
    assert [token["tag"] for token in first["tokens"]] == first["n_best"][0]["tags"]
    assert empty == {"text": "", "tokens": [], "spans": [], "n_best": []}
    path = tmp_path / "again.jsonl"
    path.write_text(ran.out, encoding="utf-8")
    assert next(iter(read_sentences(path))).tags == wanted[0].tags  # the best one, for every reader of JSON Lines


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--n-best", "2"), "--n-best: expected --to jsonl and no --min-score, found --to inline; change that"),
        (("--n-best", "2", "--to", "jsonl", "--min-score", "0.5"), "found --min-score; change that"),
        (("--n-best", "0", "--to", "jsonl"), "0 is not in the range"),
        (("--min-score", "1.5"), "1.5 is not in the range"),
        (("--hard-dictionary",), "--hard-dictionary: expected a dictionary, found none; add --dictionary FILE"),
        (("--dictionary", "none.txt"), "none.txt: cannot be read"),
        (("--constrain", "none.jsonl"), "none.jsonl: expected a file, found nothing"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    gatewise_command: Run, stored: Path, options: tuple[str, ...], said: str
) -> None:
    ran = gatewise_command("tag", "-m", stored / "v1-spans", *options, stdin=TEXT)
    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())


def test_constraints_a_line_a_sentence(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    path.write_text(
        json.dumps({"text": TEXT, "spans": [{"start": 2, "end": 4, "label": "ORG"}]}, ensure_ascii=False)
        + '\n\n{"tags": [{"start": 0, "end": 2, "tag": "O"}]}\n'
    )
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "--constrain", path, stdin=f"{TEXT}\n" * 3)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "[小明 PER][住在 ORG][北京 LOC]。",
        "[小明 PER]住在[北京 LOC]。",
        "小明住在[北京 LOC]。",
    ]
    ran = gatewise_command(
        "tag", "-m", stored / "v1-spans", "--constrain", path, "--to", "jsonl", "--n-best", 1, stdin=f"{TEXT}\n" * 3
    )
    assert json.loads(ran.out.splitlines()[0])["spans"][1]["label"] == "ORG"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("{}\n", "known.jsonl: expected a line for every sentence, found 1 lines and more sentences"),
        ("{}\n\n{}\n", "known.jsonl:3: expected a line for every sentence, found one too many; take it out"),
        ('{"text": "我"}\n{}\n', "known.jsonl:1: expected the constraints of \"小明住在北京。\", found those of '我'"),
        ('\n{"spans": [{"start": 0, "end": 99}]}\n', "known.jsonl:2: spans[0] (0…99): expected 0 ≤ start < end ≤ 7"),
        ('\n{"spans": [{"start": 0}]}\n', "known.jsonl:2: spans[0]: expected a whole number"),
        ("{}\n[1]\n", "known.jsonl:2"),
        ("{}\n{\n", "known.jsonl:2"),
    ],
)
def test_wrong_constraints_are_refused_with_their_line(
    gatewise_command: Run, stored: Path, tmp_path: Path, lines: str, said: str
) -> None:
    path = tmp_path / "known.jsonl"
    path.write_text(lines, encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "--constrain", path, stdin=f"{TEXT}\n" * 2)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_dictionary(gatewise_command: Run, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("叫小 10 nz\n", encoding="utf-8")
    ran = gatewise_command("tag", "--dictionary", path, "--hard-dictionary", stdin="我叫小明\n")
    assert ran.code == 0
    assert [word.split("/")[0] for word in ran.out.split()] == ["我", "叫小", "明"]
    assert ran.err == f"{path}: the model has no label nz; words with such a tag may get any label\n"
    path.write_text("叫小 inf VERB\n", encoding="utf-8")
    ran = gatewise_command("tag", "--dictionary", path, stdin="我叫小明\n")
    assert "叫小/VERB" in ran.out
    assert ran.err == ""


# Withholding


def test_spans_below_the_threshold_are_left_out(
    gatewise_command: Run, stored: Path, taggers: dict[str, Tagger]
) -> None:
    scores = sorted(span.score for span in taggers["v1-spans"].tag(TEXT).spans)
    between = (scores[0] + scores[1]) / 2
    options = ("tag", "-m", stored / "v1-spans", "--min-score", between)
    ran = gatewise_command(*options, stdin=f"{TEXT}\n")
    assert ran.err == f"withheld 1 of 2 spans, with a probability below {between:g}\n"
    assert ran.out.count("[") == 1
    sentence = json.loads(gatewise_command(*options, "--to", "jsonl", stdin=f"{TEXT}\n").out)
    assert len(sentence["spans"]) == 1
    for token in sentence["tokens"]:
        withheld = token["tag"] == "O" and token["text"] in "小明北京"
        assert (token["score"] is None) == withheld
    check_tags([token["tag"] for token in sentence["tokens"]], "BIOES")


def test_withheld_scores_are_read_again(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "--min-score", 1, "--to", "jsonl", stdin=f"{TEXT}\n")
    path = tmp_path / "out.jsonl"
    path.write_text(ran.out, encoding="utf-8")
    [sentence] = read_sentences(path)
    assert sentence.tags == ("O",) * 7
    again = gatewise_command("convert", path, tmp_path / "again.jsonl")
    assert again.code == 0
    assert (tmp_path / "again.jsonl").read_text(encoding="utf-8") == ran.out


@pytest.mark.parametrize(("model", "what"), [("v1-segmentation", "labels of words"), ("v1-tags", "tags")])
def test_words_and_tokens_stay_and_lose_their_label(gatewise_command: Run, stored: Path, model: str, what: str) -> None:
    free = gatewise_command("tag", "-m", stored / model, stdin="小明住在北京。\n")
    for least, all_of_them in ((0, False), (1, True)):
        ran = gatewise_command("tag", "-m", stored / model, "--min-score", least, stdin="小明住在北京。\n")
        words = [word.split("/") for word in ran.out.split()]
        assert [word for word, _ in words] == [word.split("/")[0] for word in free.out.split()]
        assert all((label == "?") == all_of_them for _, label in words)
        count = len(words) if all_of_them else 0
        assert ran.err == f"withheld {count} of {len(words)} {what}, with a probability below {least:g}\n"
    conllu = gatewise_command("tag", "-m", stored / model, "--min-score", 1, "--to", "conllu", stdin="小明住在北京。\n")
    assert conllu.code == 0
    assert "\t?\t" in conllu.out


def test_the_threshold_itself_is_enough(taggers: dict[str, Tagger]) -> None:
    sentence = taggers["v1-spans"].tag(TEXT)
    for span in sentence.spans:
        kept = Abstainer("spans", span.score)(sentence)
        assert span in kept.spans
