"""What teachers say of a text, against the enumeration of all their paths; which are refused; raw text."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import math
import random
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import FormatError, ModelError, TrainingError  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.runtime import Tagger, load  # noqa: E402
from gatewise.runtime.posteriors import posteriors  # noqa: E402
from gatewise.text.sentence import Sentence, sentence_from_forms  # noqa: E402
from gatewise.training import teachers  # noqa: E402
from gatewise.training.raw_sentences import draw_raw, drawn_from  # noqa: E402
from gatewise.training.soft_tags import SoftSentence  # noqa: E402
from gatewise.training.splits import Corpus, Files, read_splits  # noqa: E402
from gatewise.training.teachers import lessons_of, mean_of  # noqa: E402

pytestmark = pytest.mark.torch

TEXTS = (["he", "saw", "it"], ["on"], ["the", "cat", "sat", "there"])


def enumerated(tagger: Tagger, sentence: Sentence) -> dict[tuple[str, ...], float]:
    """The probability of every path of tags, in plain floats."""
    [(_, emissions)] = tagger.emissions([sentence])
    rows, scores, labels = emissions[:, 0].tolist(), tagger.crf_scores, tagger.labels
    moves, start, end = (a.tolist() for a in (scores.transitions, scores.start_transitions, scores.end_transitions))
    weights = {}
    for path in itertools.product(range(len(labels)), repeat=len(rows)):
        score = start[path[0]] + end[path[-1]] + math.fsum(rows[t][tag] for t, tag in enumerate(path))
        score += math.fsum(moves[a][b] for a, b in itertools.pairwise(path))
        weights[tuple(labels[tag] for tag in path)] = math.exp(score / tagger.temperature)
    total = math.fsum(weights.values())
    return {path: weight / total for path, weight in weights.items() if weight}


def tables(paths: dict[tuple[str, ...], float], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Marginals and expected transitions of a distribution over paths, in an order of the tags."""
    length, number = len(next(iter(paths))), {tag: index for index, tag in enumerate(labels)}
    tags, moves = np.zeros((length, len(labels))), np.zeros((len(labels), len(labels)))
    for path, share in paths.items():
        for t, tag in enumerate(path):
            tags[t, number[tag]] += share
        for before, after in itertools.pairwise(path):
            moves[number[before], number[after]] += share
    return tags, moves


def dense(said: SoftSentence, length: int, num_tags: int) -> tuple[np.ndarray, np.ndarray]:
    tags, moves = np.zeros(length * num_tags), np.zeros(num_tags * num_tags)
    tags[said.tags.places], moves[said.moves.places] = said.tags.values, said.moves.values
    return tags.reshape(length, num_tags), moves.reshape(num_tags, num_tags)


def reordered(folder: Path, target: Path) -> Path:
    """The same model with its tags in another order, weights and all, and a temperature."""
    from safetensors.numpy import load_file

    from gatewise.model.archive import open_model, save_model
    from gatewise.training.export import onnx_graph

    archive = open_model(folder)
    order = np.random.default_rng(5).permutation(len(archive.labels))
    arrays = load_file(folder / "model.safetensors")
    for name, array in arrays.items():
        if name.startswith(("emission.", "crf.")):
            arrays[name] = array[np.ix_(*[order] * array.ndim)] if name == "crf.transitions" else array[order]
    save_model(
        target,
        config=archive.config,
        scheme=archive.scheme,
        labels=[archive.labels[index] for index in order],
        vocabularies=archive.vocabularies,
        arrays=arrays,
        graph=onnx_graph(archive.config, arrays),
        card="",
        temperature=1.7,
    )
    return target


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("name", ["v1-tags", "v1-softmax-rnn"])
def test_posteriors_are_those_of_all_paths(stored: Path, name: str, temperature: float) -> None:
    tagger = load(stored / name).with_temperature(temperature)
    sentences = [sentence_from_forms(forms) for forms in TEXTS]
    found = dict(posteriors(tagger, sentences))
    assert sorted(found) == [0, 1, 2]
    for number, sentence in enumerate(sentences):
        tags, moves = tables(enumerated(tagger, sentence), tagger.labels)
        assert found[number].marginals == pytest.approx(tags, abs=1e-6)  # emissions are float32
        assert found[number].transitions == pytest.approx(moves, abs=1e-6)


def test_teachers_are_averaged_in_the_order_of_the_student(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "SLICE", 2)
    taggers = [load(reordered(stored / "v1-softmax-rnn", tmp_path / "turned")), load(stored / "v1-softmax-rnn")]
    assert taggers[0].labels != taggers[1].labels
    assert taggers[0].temperature == 1.7
    labels = sorted(taggers[1].labels, reverse=True)
    sentences = [sentence_from_forms(forms) for forms in TEXTS]
    for sentence, said in zip(sentences, mean_of(taggers, labels, sentences), strict=True):
        both = [tables(enumerated(tagger, sentence), labels) for tagger in taggers]
        tags, moves = dense(said, len(sentence), len(labels))
        assert tags == pytest.approx((both[0][0] + both[1][0]) / 2, abs=1e-5)
        assert moves == pytest.approx((both[0][1] + both[1][1]) / 2, abs=1e-5)
        assert tags.sum(1) == pytest.approx(1.0, abs=1e-6)
        assert moves.sum() == pytest.approx(len(sentence) - 1, abs=1e-6)
        assert abs(both[0][0] - both[1][0]).max() > 0.01  # they do not say the same


def test_a_word_that_white_space_ends_is_never_carried_on(stored: Path) -> None:
    tagger = load(stored / "v1-segmentation")
    [(_, found)] = posteriors(tagger, [tagger.tokenize("我们 在")])
    goes_on = [tag[0] in "IE" for tag in tagger.labels]
    assert found.marginals[2, goes_on].sum() == 0.0
    assert found.marginals[1, goes_on].sum() > 0.0


def corpus_of(path: Path, teaching: dict[str, object], **task: str) -> Corpus:
    table = {"task": task, "distillation": teaching, "training": {"seed": 4}}
    return read_splits(config_from_dict(table, where="test"), Files(train=path))


def labels_of(corpus: Corpus) -> tuple[str, ...]:
    from gatewise.training.annotation import labels_of

    return labels_of(corpus.train, "", corpus.config.task.scheme)


@pytest.mark.parametrize(
    ("teacher", "file", "task", "message"),
    [
        (
            "v1-tags",
            "spans.conll",
            {},
            "expected a teacher of task.kind spans, as this run has it, found tags; train it with the same [task], or"
            " name another",
        ),
        (
            "v1-spans",
            "spans.conll",
            {"scheme": "BIO"},
            "expected a teacher of task.scheme BIO, as this run has it, found BIOES; train it with the same [task], or"
            " name another",
        ),
        (
            "v1-spans",
            "spans.conll",
            {"tokenizer": "words"},
            "expected a teacher whose tokens are those of the tokenizer words, found characters; train it on text that"
            " is cut alike, or name another",
        ),
    ],
)
def test_a_teacher_of_another_task_is_refused(
    stored: Path, tiny: Path, teacher: str, file: str, task: dict[str, str], message: str
) -> None:
    path = str(stored / teacher)
    corpus = corpus_of(tiny / file, {"teachers": [path]}, **task)
    with pytest.raises(TrainingError, match=rf"^{re.escape(f'distillation.teachers: {path}: {message}')}$"):
        lessons_of(corpus.config, labels_of(corpus), corpus.train)


def test_a_teacher_of_other_tags_is_refused(stored: Path, tiny: Path, tmp_path: Path) -> None:
    changed = (tiny / "tags.conll").read_text("utf-8").replace("\tADJ\n", "\tADV\n")
    (tmp_path / "tags.conll").write_text(changed, "utf-8")
    path = str(stored / "v1-tags")
    corpus = corpus_of(tmp_path / "tags.conll", {"teachers": [path]})
    message = (
        f"distillation.teachers: {path}: expected a teacher with the 8 tags of the training split, found one"
        " without ADV and with ADJ; train it on the same labels, or name another"
    )
    with pytest.raises(TrainingError, match=rf"^{re.escape(message)}$"):
        lessons_of(corpus.config, labels_of(corpus), corpus.train)


def test_a_teacher_that_is_not_there_is_refused(tiny: Path) -> None:
    corpus = corpus_of(tiny / "spans.conll", {"teachers": ["nobody"]})
    with pytest.raises(ModelError, match=r"^nobody: expected a model folder or a bundled model"):
        lessons_of(corpus.config, labels_of(corpus), corpus.train)


def test_nobody_is_asked_where_nothing_counts(tiny: Path) -> None:
    for teaching in ({}, {"teachers": ["nobody"], "weight": 0.0}):
        corpus = corpus_of(tiny / "spans.conll", teaching)
        assert lessons_of(corpus.config, labels_of(corpus), corpus.train) is None


def test_what_was_asked_once_is_not_asked_again(stored: Path, tiny: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.txt"
    raw.write_text("他在北京。\n李明来了。\n", "utf-8")
    teaching = {"teachers": [str(stored / "v1-spans")], "raw": str(raw), "raw_sentences": 1}
    corpus = corpus_of(tiny / "spans.conll", teaching)
    labels = labels_of(corpus)
    first = lessons_of(corpus.config, labels, corpus.train)
    assert first is not None

    def again(**changed: object) -> bool:
        other = corpus_of(tiny / "spans.conll", teaching | changed)
        return lessons_of(other.config, labels, other.train, known=first) is first

    assert again()
    assert again(weight=0.2, raw_weight=3.0)
    assert not again(weight=0.0)
    unweighted = corpus_of(tiny / "spans.conll", teaching | {"weight": 0.0})
    raw_alone = lessons_of(unweighted.config, labels, unweighted.train)
    assert raw_alone is not None
    assert raw_alone.distilled.labeled_sentences == 0
    assert raw_alone.said.weights.tolist() == [0.0] * len(corpus.train) + [1.0]
    assert not again(raw_sentences=2)
    weights = first.soft_tags(config_of(teaching | {"weight": 0.25, "raw_weight": 3.0})).weights.tolist()
    assert weights == [0.25] * len(corpus.train) + [3.0]
    digest = hashlib.sha256((stored / "v1-spans" / "config.json").read_bytes()).hexdigest()
    teacher = {"path": str(stored / "v1-spans"), "name": load(stored / "v1-spans").name, "sha256": digest}
    assert first.distilled.to_dict() == {
        "teachers": (teacher,),
        "labeled_sentences": len(corpus.train),
        "raw": str(raw),
        "raw_sentences": 1,
        "raw_tokens": 5,
    }


def test_sentences_of_another_head_are_not_taught(stored: Path, tiny: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.conll"
    own.write_text("天\tO\n气\tO\n\n", "utf-8")
    table = {
        "distillation": {"teachers": [str(stored / "v1-spans")], "weight": 0.25},
        "heads": {"other": {"train": str(own), "kind": "tags"}},
    }
    corpus = read_splits(config_from_dict(table, where="test"), Files(train=tiny / "spans.conll"))
    found = lessons_of(corpus.config, labels_of(corpus), corpus.train)
    assert found is not None
    assert found.soft_tags(corpus.config).weights.tolist() == [0.25] * (len(corpus.train) - 1) + [0.0]
    assert found.distilled.labeled_sentences == len(corpus.train) - 1


def config_of(teaching: dict[str, object]) -> Config:
    return config_from_dict({"distillation": teaching}, where="test")


def test_raw_text_is_read_like_files_to_tag(tiny: Path, tmp_path: Path) -> None:
    lines = ["他在 北京。", "", "   ", "李明"]
    (tmp_path / "raw.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    objects = [{"text": line} for line in lines]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    draw = random.Random(1)
    for name in ("raw.txt.gz", "raw.jsonl"):
        found = draw_raw(str(tmp_path / name), "characters", most=9, draw=draw)
        assert [sentence.forms for sentence in found] == [tuple("他在北京。"), tuple("李明")]
        assert all(sentence.tags is None for sentence in found)
    shutil.copy(tiny / "spans.conll", tmp_path / "spans.conll")
    labeled = draw_raw(str(tmp_path / "spans.conll"), "words", most=2, draw=random.Random(2))
    assert len(labeled) == 2
    assert all(sentence.tags is None and not sentence.spans for sentence in labeled)
    words = draw_raw(str(tiny / "segmentation.conllu"), "words", most=1, draw=random.Random(2))
    characters = draw_raw(str(tiny / "segmentation.conllu"), "characters", most=1, draw=random.Random(2))
    assert words[0].text == characters[0].text
    assert max(map(len, words[0].forms)) > 1 == max(map(len, characters[0].forms))


def test_columns_of_a_raw_file_are_those_of_the_run(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("1\t小\tB-PER\n2\t明\tE-PER\n\n", "utf-8")
    path = str(tmp_path / "train.conll")
    found = draw_raw(path, "words", most=3, draw=random.Random(0), columns=("_", "token", "tag"))
    assert [sentence.forms for sentence in found] == [("小", "明")]


def test_raw_text_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n", "utf-8")
    path = str(tmp_path / "empty.txt")
    message = f"{path}: expected at least one sentence of raw text, found none; check distillation.raw"
    with pytest.raises(TrainingError, match=rf"^{re.escape(message)}$"):
        draw_raw(path, "words", most=3, draw=random.Random(0))
    with pytest.raises(FormatError, match=r"missing\.txt: expected a file, found nothing under this name"):
        draw_raw(str(tmp_path / "missing.txt"), "words", most=3, draw=random.Random(0))


def test_each_sentence_is_drawn_as_often_as_any_other() -> None:
    counts = np.zeros(7, dtype=int)
    for seed in range(3000):
        drawn = drawn_from(range(7), 3, random.Random(seed))
        assert drawn == sorted(set(drawn))
        assert len(drawn) == 3
        counts[drawn] += 1
    assert abs(counts / 3000 - 3 / 7).max() < 0.03  # 3.3 standard deviations
    assert drawn_from(range(2), 3, random.Random(0)) == [0, 1]
    assert drawn_from(range(100), 5, random.Random(1)) == drawn_from(range(100), 5, random.Random(1))
