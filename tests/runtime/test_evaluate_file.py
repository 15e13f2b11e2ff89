"""Scoring files: a model that makes no mistakes on a corpus, and gold data changed in known places."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatewise.errors import ConfigError, FormatError
from gatewise.runtime import Tagger
from gatewise.runtime.evaluate import evaluate_file


def changed(source: Path, target: Path, *replacements: tuple[str, str]) -> Path:
    """A copy of a corpus in which each first string, once, became the second."""
    text = source.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    target.write_text(text, encoding="utf-8")
    return target


def test_spans(taggers: dict[str, Tagger], tiny: Path, tmp_path: Path) -> None:
    gold = (tiny / "spans.conll").read_text(encoding="utf-8")
    total, persons = len(re.findall("\tB-", gold)), len(re.findall("\tB-PER", gold))
    scores = evaluate_file(taggers["v1-spans"], tiny / "spans.conll")
    assert scores.spans is not None
    assert scores.main == 1.0
    assert (scores.spans.overall.gold, scores.spans.per_label["PER"].gold) == (total, persons)
    # one name less in gold: found, but not right; one label changed: neither of the two is right
    path = changed(
        tiny / "spans.conll",
        tmp_path / "gold.conll",
        ("小\tB-PER\n明\tI-PER", "小\tO\n明\tO"),
        ("B-ORG", "B-LOC"),
        ("I-ORG", "I-LOC"),
        ("I-ORG", "I-LOC"),
        ("I-ORG", "I-LOC"),
    )
    scores = evaluate_file(taggers["v1-spans"], path)
    assert scores.spans is not None
    overall, per_label = scores.spans.overall, scores.spans.per_label
    assert (overall.gold, overall.predicted, overall.correct) == (total - 1, total, total - 2)
    assert overall.precision == pytest.approx((total - 2) / total)
    assert overall.recall == pytest.approx((total - 2) / (total - 1))
    assert (per_label["PER"].gold, per_label["PER"].predicted, per_label["PER"].correct) == (
        persons - 1,
        persons,
        persons - 1,
    )
    assert per_label["LOC"].gold == per_label["LOC"].predicted + 1
    assert per_label["ORG"].predicted == per_label["ORG"].gold + 1
    assert scores.words is scores.accuracy is None


def test_spans_in_another_scheme_and_with_labels_the_model_does_not_know(
    taggers: dict[str, Tagger], tmp_path: Path
) -> None:
    path = tmp_path / "gold.bmes"
    path.write_text("小 B-PER\n明 E-PER\n住 O\n在 O\n北 B-TOWN\n京 E-TOWN\n。 S-DOT\n")
    scores = evaluate_file(taggers["v1-spans"], path)
    assert scores.spans is not None
    overall = scores.spans.overall
    assert (overall.gold, overall.predicted, overall.correct) == (3, 2, 1)
    assert scores.spans.per_label["DOT"].recall == 0


def test_columns(taggers: dict[str, Tagger], tmp_path: Path) -> None:
    path = tmp_path / "gold.conll"
    path.write_text("The DT B-NP\ncat NN I-NP\nsat VB B-VP\n")
    assert evaluate_file(taggers["v1-softmax-rnn"], path, ("token", "_", "tag")).main == 1.0


def test_plain_tags(taggers: dict[str, Tagger], tiny: Path, tmp_path: Path) -> None:
    tagger = taggers["v1-tags"]
    gold = (tiny / "tags.conll").read_text(encoding="utf-8")
    total = gold.count("\t")
    scores = evaluate_file(tagger, tiny / "tags.conll")
    assert scores.accuracy is not None
    assert (scores.main, scores.accuracy.total, scores.main_name) == (1.0, total, "accuracy")
    path = changed(tiny / "tags.conll", tmp_path / "gold.tsv", ("cat\tNOUN", "cat\tANIMAL"), ("saw\tVERB", "saw\tNOUN"))
    scores = evaluate_file(tagger, path)
    assert scores.accuracy is not None
    assert (scores.accuracy.correct, scores.accuracy.total) == (total - 2, total)
    assert scores.accuracy.per_label["ANIMAL"].recall == 0
    nouns = gold.count("\tNOUN")
    assert scores.accuracy.per_label["NOUN"].gold == nouns  # one went, one came
    assert scores.accuracy.per_label["NOUN"].correct == nouns - 1
    assert scores.spans is scores.words is None


def test_segmentation_starts_from_the_raw_text(taggers: dict[str, Tagger], tiny: Path, tmp_path: Path) -> None:
    tagger = taggers["v1-segmentation"]
    scores = evaluate_file(tagger, tiny / "segmentation.conllu")
    assert scores.main == 1.0
    assert scores.words is not None
    total = scores.words.gold
    assert total == (tiny / "segmentation.conllu").read_text(encoding="utf-8").count("SpaceAfter=No")

    def row(number: int, form: str, tag: str) -> str:
        return f"{number}\t{form}\t_\t{tag}\t_\t_\t_\t_\t_\tSpaceAfter=No\n"

    # gold cuts 小明 in two, and calls 叫 a noun: three gold words, two predicted ones, are not matched with labels
    path = changed(
        tiny / "segmentation.conllu",
        tmp_path / "gold.conllu",
        (
            row(2, "叫", "VERB") + row(3, "小明", "PROPN") + row(4, "。", "PUNCT"),
            row(2, "叫", "NOUN") + row(3, "小", "PROPN") + row(4, "明", "PROPN") + row(5, "。", "PUNCT"),
        ),
    )
    scores = evaluate_file(tagger, path)
    assert scores.spans is not None
    assert scores.words is not None
    words, joint = scores.words, scores.spans.overall
    assert (words.gold, words.predicted, words.correct) == (total + 1, total, total - 1)
    assert (joint.gold, joint.predicted, joint.correct) == (total + 1, total, total - 2)
    assert scores.main == joint.f1 == pytest.approx(2 * (total - 2) / (2 * total + 1))


def test_plain_tags_from_raw_text(taggers: dict[str, Tagger], tmp_path: Path) -> None:
    tagger, path = taggers["v1-tags"], tmp_path / "gold.conllu"
    words = [("The", "DET", "_"), ("old", "ADJ", "_"), ("ca", "NOUN", "SpaceAfter=No"), ("t", "PART", "_")]
    words += [("sat", "NOUN", "_"), (".", "PUNCT", "_")]
    rows = [f"{n}\t{form}\t_\t{tag}\t_\t_\t_\t_\t_\t{misc}" for n, (form, tag, misc) in enumerate(words, 1)]
    path.write_text("# text = The old cat sat .\n" + "\n".join(rows) + "\n\n", encoding="utf-8")
    assert tagger.tag("The old cat sat .").tags == ("DET", "ADJ", "NOUN", "AUX", "PUNCT")
    scores = evaluate_file(tagger, path, raw=True)
    assert scores.spans is not None
    assert scores.words is not None
    # of 6 gold words the model cuts 4 alike (`cat` is one to it), and tags 3 of them alike (`sat` is no noun to it)
    assert (scores.words.gold, scores.words.predicted, scores.words.correct) == (6, 5, 4)
    assert (scores.spans.overall.gold, scores.spans.overall.predicted, scores.spans.overall.correct) == (6, 5, 3)
    seen = evaluate_file(tagger, path, raw=True, train=path).unseen
    assert seen is not None
    assert (seen.seen.gold, seen.unseen.gold) == (6, 0)


def test_names_are_scored_on_the_tokens_of_the_file(taggers: dict[str, Tagger], tiny: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--raw: expected a task of plain tags, .*found spans; leave it off"):
        evaluate_file(taggers["v1-spans"], tiny / "spans.conll", raw=True)


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("v1-spans", "empty.conll", "\n", r"empty\.conll: expected .*found (none|plain tags)"),
        ("v1-tags", "empty.conll", "\n\n", r"empty\.conll: expected at least one sentence, found none"),
        ("v1-segmentation", "empty.conllu", "# newdoc\n\n", r"empty\.conllu: expected at least one sentence"),
        ("v1-spans", "broken.conll", "小 B-PER\n明 I-PER x\n", r"broken\.conll:2: expected 2 columns, found 3"),
        ("v1-spans", "illegal.conll", "小 O\n明 E-PER\n", r"illegal\.conll:2: "),
        ("v1-spans", "plain.conll", "小 X\n明 Y\n", r"plain\.conll: expected tags of spans"),
        ("v1-segmentation", "columns.conll", "小 S-X\n", r"columns\.conll: expected words, in CoNLL-U"),
        ("v1-tags", "short.conllu", "1\tThe\n", r"short\.conllu:1: expected 10 columns"),
    ],
)
def test_files_that_cannot_be_scored_are_named(
    taggers: dict[str, Tagger], tmp_path: Path, name: str, file: str, content: str, message: str
) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        evaluate_file(taggers[name], tmp_path / file)


def test_a_missing_file_is_named(taggers: dict[str, Tagger], tmp_path: Path) -> None:
    for tagger in taggers.values():
        with pytest.raises(FormatError, match=r"nothing\.conll: expected a file, found nothing"):
            evaluate_file(tagger, tmp_path / "nothing.conll")
