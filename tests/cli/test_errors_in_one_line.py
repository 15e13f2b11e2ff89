"""Whatever a user can mend ends with exit code 2 and one line on stderr; nothing ends in a traceback."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import gatewise.runtime

Run = Any  # the fixture `gatewise_command`


@pytest.fixture
def place(tmp_path: Path, stored: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with good and broken files and models in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("v1-spans", "v1-segmentation", "v1-tags"):
        shutil.copytree(stored / name, tmp_path / name)
    shutil.copy(tiny / "spans.conll", tmp_path / "good.conll")
    for broken in ("truncated", "misspelled", "graphless"):
        shutil.copytree(stored / "v1-spans", tmp_path / broken)
    weights = tmp_path / "truncated" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    config = tmp_path / "misspelled" / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"hidden"', '"hiden"'), encoding="utf-8")
    (tmp_path / "graphless" / "model.onnx").unlink()
    for name, content in {
        "three.conll": "EU\tB-ORG\nsees\tVB\tO\n",
        "illegal.conll": "我 O\n小 B-PER\n明 I-LOC\n",
        "short.conllu": "1\t我\t_\tPRON\n",
        "broken.jsonl": '{"text": "我"}\n{"text": \n',
        "offsets.jsonl": '{"text": "我", "tokens": [{"start": 0, "end": 7}]}\n',
        "surrogate.jsonl": '{"text": "\\ud800", "tokens": [{"start": 0, "end": 1}]}\n',
        "plain.txt": "just text\n",
        "empty.conll": "",
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes("gut\nsch\xf6n\n".encode("latin-1"))
    (tmp_path / "cut.txt.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01")
    (tmp_path / "folder").mkdir()
    return tmp_path


CASES = [
    ("tag -m v1-spans no.txt", r"no\.txt: expected a file, found nothing under this name"),
    ("tag -m v1-spans folder", r"folder: expected a file, found a directory"),
    ("tag -m v1-spans latin.txt", r"latin\.txt:2: expected UTF-8, found the byte 0xF6"),
    ("tag -m v1-spans cut.txt.gz", r"cut\.txt\.gz: expected a complete gzip file"),
    ("tag -m v1-spans three.conll", r"three\.conll:2: expected 2 columns, found 3 .*--columns token,_,tag"),
    ("tag -m v1-spans short.conllu", r"short\.conllu:1: expected 10 columns"),
    ("tag -m v1-spans broken.jsonl", r"broken\.jsonl:2: expected a JSON object, found broken JSON"),
    ("tag -m v1-spans offsets.jsonl", r"offsets\.jsonl:1: tokens\[0\]: expected 0 ≤ start < end ≤ 1"),
    ("tag -m v1-segmentation surrogate.jsonl", r"unpaired surrogate U\+D800"),
    ("tag -m no-such-model good.conll", r"no-such-model: expected a model folder or a bundled model \(.*zh.*\), found"),
    ("tag -m good.conll good.conll", r"good\.conll: expected a model folder, found a file"),
    ("tag -m folder good.conll", r"folder/config\.json: cannot be read .*is folder a whole gatewise model\?"),
    ("tag -m truncated good.conll", r"truncated/model\.safetensors: expected safetensors, found a damaged file"),
    ("tag -m misspelled good.conll", r"misspelled/config\.json: unknown key 'encoder\.hiden'; did you mean 'enc"),
    ("tag -m graphless good.conll", r"graphless/model\.onnx: cannot be read \(No such file"),
    ("tag -m v1-spans --to html good.conll", r"--to: expected one of inline, .*, found 'html'"),
    ("tag -m v1-spans --from html good.conll", r"--from: expected one of auto, .*, found 'html'"),
    ("tag -m v1-spans --columns a,b good.conll", r'columns: expected "token", "tag" or "_", found "a"'),
    ("tag -m v1-spans good.conll -o no/where.txt", r"no/where\.txt: cannot be written \(No such file"),
    ("evaluate v1-spans no.conll", r"no\.conll: expected a file, found nothing"),
    ("evaluate v1-spans illegal.conll", r'illegal\.conll:3: .*found "I-LOC"'),
    ("evaluate v1-spans plain.txt", r"plain\.txt: expected labeled sentences, found plain text"),
    ("evaluate v1-tags empty.conll", r"empty\.conll: expected at least one sentence, found none"),
    ("evaluate v1-segmentation good.conll", r"good\.conll: expected words, in CoNLL-U"),
    ("evaluate truncated good.conll", r"truncated/model\.safetensors"),
    ("evaluate nope good.conll", r"nope: expected a model folder or a bundled model"),
    ("convert no.conll -", r"no\.conll: expected a file, found nothing"),
    ("convert three.conll -", r"three\.conll:2: expected 2 columns, found 3"),
    ("convert good.conll - --scheme BIOLU", r'expected a scheme \(.*BIO, .*\), found "BIOLU"'),
    ("convert illegal.conll - --scheme BIOES", r"illegal\.conll:3: "),
    ("convert good.conll - --to spacy", r"--to: expected one of inline, .*, found 'spacy'"),
    ("convert - -", r"<standard input>: expected a name or a content that tells the format, found neither"),
    ("convert plain.txt - --tokenizer bytes", r'tokenizer: expected one of auto, characters, .*, found "bytes"'),
    ("models nope", r"nope: expected a model folder or a bundled model"),
    ("models folder", r"folder/config\.json: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), CASES, ids=[line for line, _ in CASES])
def test_one_line_and_exit_code_2(gatewise_command: Run, place: Path, line: str, message: str) -> None:
    before = sorted(path.name for path in place.iterdir())
    ran = gatewise_command(*line.split())
    assert ran.code == 2
    assert ran.err.startswith("error: ")
    assert ran.err.endswith("\n")
    assert len(ran.err.splitlines()) == 1
    assert re.search(message, ran.err), ran.err
    assert "Traceback" not in ran.out + ran.err
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize(
    "line",
    ["tag -m v1-spans surrogate.jsonl", "convert surrogate.jsonl - --to conll", "convert surrogate.jsonl x.jsonl"],
)
def test_an_escaped_surrogate_is_named_with_its_line(gatewise_command: Run, place: Path, line: str) -> None:
    ran = gatewise_command(*line.split())
    assert ran.code == 2
    assert re.match(r"error: surrogate\.jsonl:1: ", ran.err)


@pytest.mark.parametrize(
    "line",
    ["nope", "tag --nope", "tag --threads x", "tag --threads -1", "evaluate", "evaluate v1-spans", "convert good.conll",
     "models a b", "train", "train good.conll"],
)  # fmt: skip
def test_wrong_usage_is_told_by_click(gatewise_command: Run, place: Path, line: str) -> None:
    ran = gatewise_command(*line.split())
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("Usage: ")
    assert "Error: " in ran.err.splitlines()[-1]


def test_an_interrupt_is_no_error(gatewise_command: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gatewise.runtime, "load", interrupted)
    ran = gatewise_command("tag", "-m", "v1-spans", "good.conll")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.strip() == "interrupted"
