"""Further heads: in the configuration, decided by their files, read from them, and in the model folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gatewise.errors import ConfigError, FormatError, ModelError
from gatewise.model.archive import open_model, save_model
from gatewise.model.config import Config, HeadConfig, TaskConfig
from gatewise.model.config_reading import config_from_dict, read_config
from gatewise.model.corpus import head_columns, resolve_config
from gatewise.model.heads import task_of
from gatewise.model.labeled import Reading, labeled_for, read_labeled

SAMPLE = Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample" / "sample.conllu"


# The configuration


def test_heads_are_tables_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        '[heads.ner]\ntrain = "ner.tsv"\nweight = 2\n[heads.ner.label_weights]\nPER = 3\n[heads."词性"]\n', "utf-8"
    )
    config = read_config(path, ["heads.ner.scheme=BIO", "heads.more.column=xpos"])
    assert list(config.heads) == ["ner", "词性", "more"]
    assert config.heads["ner"] == HeadConfig(train="ner.tsv", weight=2.0, scheme="BIO", label_weights={"PER": 3.0})
    assert config.heads["词性"] == HeadConfig()
    assert config.heads["more"] == HeadConfig(column="xpos")
    assert config_from_dict(json.loads(json.dumps(config.to_dict())), where="x") == config
    assert "heads" not in Config().to_dict()


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"ner": {"colum": "upos"}}, "unknown key 'heads.ner.colum'; did you mean 'heads.ner.column'?"),
        ({"ner": {"kind": "names"}}, "heads.ner.kind: expected one of auto, spans, tags, segmentation, found 'names'"),
        ({"ner": {"scheme": "BMES"}}, "heads.ner.scheme: expected one of auto, BIO, BIOES, plain, found 'BMES'"),
        ({"ner": {"output": "svm"}}, "heads.ner.output: expected one of auto, crf, softmax, found 'svm'"),
        ({"ner": {"column": "feats"}}, "heads.ner.column: expected one of upos, xpos, found 'feats'"),
        ({"ner": {"weight": 0}}, "heads.ner.weight: expected a number above 0, found 0.0"),
        ({"ner": {"weight": float("inf")}}, "heads.ner.weight: expected a number above 0, found inf"),
        ({"ner": {"label_weights": {"PER": -1}}}, "heads.ner.label_weights: expected a table of labels with numbers"),
        ({"ner": 5}, "heads.ner: expected a table of settings, found 5"),
        (["ner"], "heads: expected a table of heads with their settings, found ['ner']"),
        ({"a.b": {}}, "heads: expected a name of letters, digits, _ and - for a head, found 'a.b'; rename it"),
        ({"": {}}, "heads: expected a name of letters, digits, _ and - for a head, found ''; rename it"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(heads: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^here\.toml: {re.escape(message)}"):
        config_from_dict({"heads": heads}, where="here.toml")


# What the files decide


def resolved(
    path: Path, task: dict[str, Any], heads: dict[str, Any], columns: tuple[str, ...] = ("token", "tag")
) -> Config:
    return resolve_config(config_from_dict({"task": task, "heads": heads}, where="x"), path, columns)


def test_each_head_is_decided_by_its_own_file(tiny: Path) -> None:
    heads = {
        "xpos": {"column": "xpos"},
        "names": {"train": str(tiny / "spans.conll"), "output": "softmax"},
        "short": {"train": str(tiny / "spans.conll"), "scheme": "BIO"},
    }
    config = resolved(SAMPLE, {"kind": "segmentation"}, heads)
    found = {name: (head.kind, head.scheme, head.output, head.spaces) for name, head in config.heads.items()}
    assert found == {
        "xpos": ("segmentation", "BIOES", "crf", "between"),
        "names": ("spans", "BIOES", "softmax", "between"),
        "short": ("spans", "BIO", "crf", "between"),
    }
    assert {task_of(head, config.task).tokenizer for head in config.heads.values()} == {"characters"}
    assert resolve_config(config, SAMPLE) == config
    words = resolved(SAMPLE, {}, {"xpos": {"column": "xpos"}})
    assert (words.task.kind, words.heads["xpos"].kind, words.heads["xpos"].scheme) == ("tags", "tags", "plain")


def test_heads_read_columns_of_the_run_s_file_or_their_own(tmp_path: Path) -> None:
    path = tmp_path / "three.conll"
    path.write_text("EU NNP B-ORG\nis VB O\n", encoding="utf-8")
    config = resolved(path, {}, {"pos": {"columns": "token, tag,_"}}, ("token", "_", "tag"))
    assert (config.task.kind, config.heads["pos"].kind) == ("spans", "tags")
    assert head_columns(config.heads["pos"], ("token", "_", "tag")) == ("token", "tag", "_")
    assert head_columns(HeadConfig(), ("token", "_", "tag")) == ("token", "_", "tag")
    assert head_columns(HeadConfig(train="own.conll"), ("token", "_", "tag")) == ("token", "tag")


@pytest.mark.parametrize(
    ("file", "task", "heads", "error", "message"),
    [
        ("spans.conll", {}, {"w": {"train": "chunks.conll"}}, ConfigError,
         r"heads\.w: expected characters, as the main head has them, found words in .*chunks\.conll;"),
        ("chunks.conll", {}, {"c": {"train": "spans.conll"}}, ConfigError,
         r"heads\.c: expected words, as the main head has them, found characters in .*spans\.conll"),
        ("chunks.conll", {}, {"c": {"train": "segmentation.conllu", "kind": "segmentation"}}, ConfigError,
         r"heads\.c: expected words, as the main head has them, found characters"),
        ("segmentation.conllu", {"kind": "segmentation"}, {"x": {"column": "xpos", "kind": "tags"}}, ConfigError,
         r"heads\.x: expected characters, .* found words .* set heads\.x\.kind to segmentation"),
        ("segmentation.conllu", {"kind": "segmentation"}, {"x": {}}, ConfigError,
         r"heads\.x: expected another column of .*segmentation\.conllu than the main head's, found the same"),
        ("spans.conll", {}, {"x": {}}, ConfigError, r"heads\.x: expected another column of .*spans\.conll"),
        ("spans.conll", {}, {"x": {"dev": "spans.conll"}}, ConfigError,
         r"heads\.x: expected a train file beside dev and test, found none; set heads\.x\.train"),
        ("spans.conll", {}, {"x": {"train": "spans.conll", "scheme": "plain"}}, ConfigError,
         r"heads\.x: task\.scheme: expected plain for tags"),
        ("spans.conll", {}, {"x": {"train": "spans.conll", "kind": "segmentation"}}, ConfigError,
         r"heads\.x: .*expected words, in CoNLL-U or as text"),
        ("spans.conll", {}, {"x": {"train": "nothing.conll"}}, FormatError,
         r"heads\.x: .*nothing\.conll: expected a file, found nothing"),
        ("spans.conll", {}, {"x": {"columns": "token,_,tag"}}, FormatError, r"heads\.x: .*expected 3 columns, found 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    tiny: Path, file: str, task: dict[str, Any], heads: dict[str, Any], error: type[Exception], message: str
) -> None:
    placed = {
        name: {key: str(tiny / value) if key in ("train", "dev") else value for key, value in head.items()}
        for name, head in heads.items()
    }
    with pytest.raises(error, match=message):
        resolved(tiny / file, task, placed)


def test_mixed_tokens_go_with_characters(tiny: Path) -> None:
    heads = {"c": {"train": str(tiny / "spans.conll")}}
    assert resolved(tiny / "chunks.conll", {"tokenizer": "mixed"}, heads).heads["c"].kind == "spans"


# Reading


def readings(config: Config, paths: dict[str, Path]) -> list[Reading]:
    found = [Reading(head="", path=paths[""], task=config.task)]
    for name, head in config.heads.items():
        found.append(Reading(head=name, path=paths.get(name, paths[""]), task=task_of(head, config.task)))
    return found


def test_a_file_that_several_heads_read_stands_once(tiny: Path) -> None:
    names = str(tiny / "spans.conll")
    heads = {"xpos": {"column": "xpos"}, "names": {"train": names}, "again": {"train": names, "scheme": "BIO"}}
    config = resolved(SAMPLE, {"kind": "segmentation"}, heads)
    paths = {"": SAMPLE, "names": tiny / "spans.conll", "again": tiny / ".." / "tiny" / "spans.conll"}
    sentences = read_labeled(readings(config, paths))
    assert len(sentences) == 20 + 12
    for sentence in sentences[:20]:
        assert list(sentence.heads) == ["xpos"]
        assert sentence.heads["xpos"].tokens == sentence.tokens
    for sentence in sentences[20:]:
        assert sentence.tags is None
        assert list(sentence.heads) == ["names", "again"]
    assert labeled_for(sentences) == sentences[:20]
    assert [s.text for s in labeled_for(sentences, "again")] == [s.text for s in sentences[20:]]
    first = sentences[0]
    assert (first.tags or ())[:5] == ("B-ADV", "E-ADV", "S-PUNCT", "B-VERB", "E-VERB")
    assert (first.heads["xpos"].tags or ())[:5] == ("B-RB", "E-RB", "S-,", "B-VV", "E-VV")
    assert sentences[20].heads["names"].tags == ("B-PER", "E-PER", "O", "O", "B-LOC", "E-LOC", "O")
    assert sentences[20].heads["again"].tags == ("B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O")


def test_a_file_without_the_head_s_tags_is_refused(tmp_path: Path) -> None:
    row = "1\t{form}\t_\tNOUN\t{xpos}" + "\t_" * 5 + "\n\n"
    path = tmp_path / "half.conllu"
    path.write_text(row.format(form="a", xpos="NN") + row.format(form="b", xpos="_"), encoding="utf-8")
    config = resolved(path, {}, {"xpos": {"column": "xpos"}})
    with pytest.raises(FormatError, match=r"heads\.xpos: .*half\.conllu:3: expected a tag for every token, found none"):
        read_labeled(readings(config, {"": path}))


def test_heads_that_see_other_tokens_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("甲 A 乙\n丙 B 丁\n", encoding="utf-8")
    task = TaskConfig(kind="tags", tokenizer="characters", scheme="plain")
    two = [
        Reading(head="", path=path, task=task, columns=("token", "tag", "_")),
        Reading(head="other", path=path, task=task, columns=("_", "tag", "token")),
    ]
    with pytest.raises(FormatError, match=r"a\.conll: sentence 1: expected the same tokens for all heads"):
        read_labeled(two)


# The model folder


@pytest.fixture
def model(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored / "v1-heads", tmp_path / "model"))


def test_round_trip(stored: Path, tmp_path: Path) -> None:
    first = open_model(stored / "v2-heads")
    save_model(
        tmp_path / "again",
        config=first.config,
        scheme=first.scheme,
        labels=first.labels,
        vocabularies=first.vocabularies,
        arrays=load_file(stored / "v2-heads" / "model.safetensors"),
        graph=first.graph_path.read_bytes(),
        card=first.card,
        facts=first.facts,
        heads=first.heads,
    )
    second = open_model(tmp_path / "again")
    assert replace(second, folder=first.folder, legality=first.legality) == first
    assert list(first.heads) == ["names", "chunks"]
    names, chunks = first.heads["names"], first.heads["chunks"]
    assert (names.scheme, names.output, names.task.kind, names.name) == ("BIO", "softmax", "spans", "names")
    assert (chunks.scheme, chunks.output) == ("BIOES", "crf")
    assert dict(names.facts.counts) == {"LOC": 8, "ORG": 4, "PER": 10}
    assert first.head("names") == names
    assert first.head().labels == first.labels
    for file in ("vocabulary.json", "model.safetensors", "model.onnx"):
        assert (tmp_path / "again" / file).read_bytes() == (stored / "v2-heads" / file).read_bytes()
    again, before = (json.loads((f / "config.json").read_text("utf-8")) for f in (tmp_path / "again", first.folder))
    assert again["config"].pop("heads") == before["config"].pop("heads")
    assert list(again) == list(before)
    assert all(again[key] == before[key] for key in before if key != "config")  # which may have new keys


def test_each_head_has_its_own_scores(stored: Path) -> None:
    archive = open_model(stored / "v1-heads")
    arrays = load_file(stored / "v1-heads" / "model.safetensors")
    chunks = archive.crf_scores("chunks")
    legal = np.isfinite(chunks.transitions)
    assert np.array_equal(chunks.transitions[legal], arrays["heads.chunks.crf.transitions"][legal])
    assert set(np.unique(archive.crf_scores("names").transitions)) == {0.0, -np.inf}  # softmax
    assert archive.crf_scores().num_tags == len(archive.labels)
    with pytest.raises(ModelError, match="v1-heads: expected a head of this model, found 'nr'; it has names, chunks"):
        archive.crf_scores("nr")
    with pytest.raises(ModelError, match="found 'nr'; it has none beside its main head"):
        open_model(stored / "v1-spans").head("nr")


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        path = folder / "config.json"
        description = json.loads(path.read_text(encoding="utf-8"))
        change(description)
        path.write_text(json.dumps(description), encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("heads"), r"json: heads: expected those of the configuration \(names, chunks\), found none"),
        (lambda d: d["config"].pop("heads"), r"config\.json: heads: expected .*\(none\), found names, chunks"),
        (lambda d: d.update(heads=5), r"config\.json: heads: expected .* found 5"),
        (lambda d: d["heads"].update(names=5), r"config\.json: heads\.names: expected an object, found 5"),
        (lambda d: d["heads"]["names"].update(scheme="BIOES"), r"heads\.names: expected a decided head in the scheme"),
        (lambda d: d["config"]["heads"]["names"].update(kind="auto"), r"heads\.names: expected a decided head"),
        (lambda d: d["heads"]["names"].update(labels="O"), r"heads\.names: labels: expected a list of strings"),
        (lambda d: d["heads"]["names"]["labels"].append("O"), r"heads\.names: labels: expected each entry once"),
        (lambda d: d["heads"]["names"]["labels"].append("X-A"), r"heads\.names: labels: expected \"O\" or a prefix"),
        (lambda d: d["heads"]["names"]["labels"].append("S-A"), r"heads\.names: labels: expected a tag of BIO"),
        (lambda d: d["heads"]["names"]["labels"].append("B-A"), r"names\.emission\.bias: expected shape \(8,\), found"),
        (lambda d: d["heads"]["names"]["label_counts"].update(X=1), r"heads\.names: label_counts: expected labels"),
    ],
)  # fmt: skip
def test_what_does_not_fit_in_a_model_is_named(
    model: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edited(change)(model)
    with pytest.raises(ModelError, match=message):
        open_model(model)


def test_missing_weights_of_a_head_are_named(model: Path) -> None:
    arrays = load_file(model / "model.safetensors")
    del arrays["heads.chunks.crf.transitions"]
    save_file(arrays, model / "model.safetensors")
    with pytest.raises(ModelError, match=r"heads\.chunks\.crf\.transitions: expected shape \(13, 13\), found nothing"):
        open_model(model)


def test_without_heads_nothing_of_them_is_written(stored: Path, tmp_path: Path) -> None:
    archive = open_model(stored / "v1-spans")
    save_model(
        tmp_path / "again",
        config=archive.config,
        scheme=archive.scheme,
        labels=archive.labels,
        vocabularies=archive.vocabularies,
        arrays=load_file(stored / "v1-spans" / "model.safetensors"),
        graph=b"",
        card="",
    )
    assert "heads" not in (tmp_path / "again" / "config.json").read_text(encoding="utf-8")
