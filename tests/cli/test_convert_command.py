"""`gatewise convert`: between formats, schemes and tokenizers, what is said on stderr, files that stay as they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gatewise.formats import SPAN_FORMATS, read_sentences

Run = Any  # the fixture `gatewise_command`

DOCCANO = '{"text": "Anna Lee left", "label": [[0, 8, "PER"]]}\n'
COLUMNS = "-DOCSTART- -X- O\n\n# id 7 of the file\nEU NNP B-ORG\nsays  VBZ O\n\n\n# # O\nso\tRB\tO\n"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("format", SPAN_FORMATS)
def test_through_character_spans_and_back(gatewise_command: Run, tiny: Path, tmp_path: Path, format: str) -> None:
    source = tiny / "spans.conll"
    there = gatewise_command("convert", source, tmp_path / "there.json.gz", "--to", format)
    assert (there.code, there.out, there.err) == (0, "", "")
    back = gatewise_command("convert", tmp_path / "there.json.gz", tmp_path / "back.conll", "--tokenizer", "characters")
    assert (back.code, back.err) == (0, "")
    assert list(read_sentences(tmp_path / "back.conll")) == list(read_sentences(source))


def test_a_column_file_goes_through_unchanged(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", COLUMNS)
    ran = gatewise_command("convert", path, tmp_path / "b.conll.gz", "--columns", "token,_,tag")
    assert (ran.code, ran.err) == (0, "")
    assert gzip.decompress((tmp_path / "b.conll.gz").read_bytes()).decode() == COLUMNS


def test_only_the_tags_change_with_the_scheme(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", COLUMNS)
    ran = gatewise_command("convert", path, "-", "--columns", "token,_,tag", "--scheme", "BIOES")
    assert ran.out == COLUMNS.replace("B-ORG", "S-ORG")


def test_scheme_and_format_from_standard_input(gatewise_command: Run, tiny: Path) -> None:
    content = (tiny / "spans.conll").read_bytes()
    ran = gatewise_command("convert", "-", "-", "--scheme", "BMES", stdin=gzip.compress(content))
    assert ran.out.startswith("小\tB-PER\n明\tE-PER\n")
    assert (ran.code, ran.err) == (0, "")
    broken = gatewise_command("convert", "-", "-", "--scheme", "BMES", "--from", "conll", stdin="a O\nb E-X\n")
    assert broken.code == 2
    assert broken.err.startswith("error: <standard input>:2: expected")


def test_text_is_tokenized(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "我用Word写。\n\n")
    assert gatewise_command("convert", path, "-", "--tokenizer", "characters").out == "我\n用\nW\no\nr\nd\n写\n。\n\n"
    ran = gatewise_command("convert", path, "-")
    assert ran.out == "我\n用\nWord\n写\n。\n\n"
    assert ran.err == "conll cannot hold sentences without tokens: lost in 1 sentence\n"


def test_spans_that_cut_a_token(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", DOCCANO.replace("[0, 8", "[2, 8"))
    refused = gatewise_command("convert", path, "-")
    assert (refused.code, refused.out) == (2, "")
    assert (
        f'{path}:1: expected spans of whole tokens, found PER [2, 8) "na Lee", which cuts the token "Anna"'
        in refused.err
    )
    widened = gatewise_command("convert", path, "-", "--on-misaligned", "expand")
    assert widened.out == "Anna\tB-PER\nLee\tI-PER\nleft\tO\n\n"
    assert widened.err.endswith("1 spans that are not whole tokens, widened\n")
    dropped = gatewise_command("convert", path, "-", "--on-misaligned", "drop", "--scheme", "BIOES")
    assert dropped.out == "Anna\tO\nLee\tO\nleft\tO\n\n"
    assert dropped.err.endswith("1 spans that are not whole tokens, dropped\n")


def test_what_the_target_cannot_hold(gatewise_command: Run, tmp_path: Path) -> None:
    tokens = [{"start": 0, "end": 1, "tag": "O", "score": 0.5}, {"start": 2, "end": 3, "tag": "O", "score": 0.5}]
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "小 明", "tokens": tokens}) + "\n")
    assert gatewise_command("convert", path, tmp_path / "a.conll").err == (
        "conll cannot hold probabilities: lost in 1 sentence\n"
        "conll cannot hold the spaces between tokens: lost in 1 sentence\n"
    )
    columns = written(tmp_path / "b.conll", "a NN b-c O\n")
    ran = gatewise_command("convert", columns, "-", "--to", "doccano", "--columns", "_,_,token,tag")
    assert ran.err == "doccano cannot hold columns that are not read, comments and document marks: lost in 1 sentence\n"
    words = written(tmp_path / "c.conll", "我叫 O\n小明 B-PER\n\n你 O\n")
    assert gatewise_command("convert", words, "-", "--to", "cluener").err == (
        "cluener cannot hold tokens (a tokenizer makes others when the file is read): lost in 1 sentence\n"
    )


def test_spans_of_our_json_lines_become_tags(gatewise_command: Run, tmp_path: Path) -> None:
    span = {"start": 0, "end": 2, "label": "PER", "score": 1}
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "小明来了", "spans": [span]}) + "\n")
    assert gatewise_command("convert", path, "-", "--scheme", "BMES").out == "小\tB-PER\n明\tE-PER\n来\tO\n了\tO\n\n"


@pytest.mark.parametrize(
    ("tags", "scheme", "repaired", "count"),
    [("B-A I-B O", (), "B-A B-B O", 1), ("O I-A E-A", ("--scheme", "BIO"), "O B-A I-A", 1), ("O B-A", (), "O B-A", 0)],
)
def test_repair(
    gatewise_command: Run, tmp_path: Path, tags: str, scheme: tuple[str, ...], repaired: str, count: int
) -> None:
    path = written(tmp_path / "a.conll", "".join(f"x\t{tag}\n" for tag in tags.split()) + "\n")
    ran = gatewise_command("convert", path, "-", "--repair", *scheme)
    assert ran.out == "".join(f"x\t{tag}\n" for tag in repaired.split()) + "\n"
    assert ran.err.startswith(f"{path}: {count} tags repaired (")


def test_a_json_target_needs_a_format(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", DOCCANO)
    ran = gatewise_command("convert", path, tmp_path / "b.json")
    assert ran.code == 2
    assert "b.json: expected --to, for several formats are named .json; set --to label-studio" in ran.err
    assert "found standard output" in gatewise_command("convert", path, "-", "--to", "parquet").err
