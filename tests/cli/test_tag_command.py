"""`gatewise tag`: every way in, every way out."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise.formats import read_sentences
from gatewise.runtime import Tagger

Run = Any  # the fixture `gatewise_command`
SPANS = "[小明 PER]住在[北京 LOC]。\n"
WORDS = "小明/PROPN 住/VERB 在/ADP 北京/PROPN 。/PUNCT\n"


@pytest.mark.parametrize(("model", "said"), [("v1-spans", SPANS), ("v1-segmentation", WORDS)])
@pytest.mark.parametrize("way", ["stdin", "dash", "text", "gzip", "crlf", "bom"])
def test_lines_of_text(gatewise_command: Run, stored: Path, tmp_path: Path, model: str, said: str, way: str) -> None:
    content = "小明住在北京。\n\n小明住在北京。\n".encode()
    if way in ("stdin", "dash"):
        ran = gatewise_command("tag", "-m", stored / model, *(["-"] if way == "dash" else []), stdin=content)
    else:
        path = tmp_path / ("in.txt.gz" if way == "gzip" else "in.txt")
        changed = {
            "text": content,
            "gzip": gzip.compress(content),
            "crlf": content.replace(b"\n", b"\r\n"),
            "bom": b"\xef\xbb\xbf" + content,
        }
        path.write_bytes(changed[way])
        ran = gatewise_command("tag", "-m", stored / model, path)
    assert (ran.code, ran.out, ran.err) == (0, f"{said}\n{said}", "")


def test_labeled_files_are_tagged_anew_in_their_own_tokens(
    gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path
) -> None:
    gold = (tiny / "chunks.conll").read_text(encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-softmax-rnn", tiny / "chunks.conll", "--to", "conll")
    assert ran.code == 0
    assert ran.out.replace("\t", " ") == gold + "\n" * (not gold.endswith("\n\n"))
    bare = tmp_path / "bare.txt"
    bare.write_text("The\ncat\nsat\n.\n", encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-softmax-rnn", bare, "--from", "conll", "--columns", "token")
    assert ran.out == "[The cat NP] [sat VP] .\n"
    columns = tmp_path / "three.conll"
    columns.write_text("The x B-NP\ncat y O\n", encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-tags", columns, "--columns", "token,_,tag")
    assert ran.out == "The/DET cat/NOUN\n"


def test_what_a_segmentation_leaves_out_is_told(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    def write(name: str, content: str) -> Path:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path / name

    told = "sentences whose other columns and comments are left out: this model makes words of its own"
    segmentation = ("tag", "-m", stored / "v1-segmentation")
    columns = write("a.conll", "# id 3 x\n我 X\n\n好 Y\n")
    assert gatewise_command(*segmentation, columns).err == f"{columns}: 1 {told}\n"
    conllu = "# text = 我\n1\t我\tlemma\tX\t_\t_\t_\t_\t_\t_\n\n"
    assert gatewise_command(*segmentation, "--from", "conllu", stdin=conllu).err == f"<standard input>: 1 {told}\n"
    assert gatewise_command(*segmentation, write("b.conll", "我 X\n")).err == ""
    assert gatewise_command("tag", "-m", stored / "v1-spans", columns).err == ""


def test_conllu_in_and_out(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    source, target = tiny / "segmentation.conllu", tmp_path / "out.conllu"
    ran = gatewise_command("tag", "-m", stored / "v1-segmentation", source, "--to", "conllu", "-o", target)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    wanted, found = list(read_sentences(source)), list(read_sentences(target))
    assert [(s.text, s.forms, s.tags) for s in found] == [(s.text, s.forms, s.tags) for s in wanted]


def test_jsonl_holds_offsets_and_probabilities(
    gatewise_command: Run, stored: Path, taggers: dict[str, Tagger], tmp_path: Path
) -> None:
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "--to", "jsonl", stdin=" 小明👩‍👧住在北京。\n\n")
    first, empty = map(json.loads, ran.out.splitlines())
    sentence = taggers["v1-spans"].tag(" 小明👩‍👧住在北京。")
    assert first["text"] == sentence.text
    assert [(t["text"], t["start"], t["end"], t["tag"]) for t in first["tokens"]] == [
        (token.text, token.start, token.end, tag) for token, tag in zip(sentence, sentence.tags or (), strict=True)
    ]
    assert [token["score"] for token in first["tokens"]] == pytest.approx(sentence.scores)
    assert first["spans"][0]["label"] == "PER"
    assert empty == {"text": "", "tokens": [], "spans": []}
    path = tmp_path / "in.jsonl"
    path.write_text(ran.out, encoding="utf-8")
    again = gatewise_command("tag", "-m", stored / "v1-spans", path, "--to", "jsonl")
    assert [json.loads(line)["text"] for line in again.out.splitlines()] == [first["text"], ""]
    assert json.loads(again.out.splitlines()[0])["tokens"][0]["tag"] == first["tokens"][0]["tag"]


@pytest.mark.parametrize("model", ["v1-segmentation", "v1-spans"])
def test_jsonl_with_nothing_but_text(gatewise_command: Run, stored: Path, model: str) -> None:
    ran = gatewise_command("tag", "-m", stored / model, "--from", "jsonl", stdin='{"text": "小明住在北京。"}\n')
    assert ran.out == {"v1-segmentation": WORDS, "v1-spans": SPANS}[model]


def test_several_files_in_the_order_given(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n", encoding="utf-8")
    ran = gatewise_command("tag", "-m", stored / "v1-spans", tmp_path / "b.txt", "-", tmp_path / "a.txt", stdin="c\n")
    assert ran.out == "b\nc\na\n"


@pytest.mark.parametrize("target", ["inline", "conll", "conllu", "jsonl"])
@pytest.mark.parametrize("model", ["v1-spans", "v1-segmentation", "v1-softmax-rnn", "v1-tags"])
def test_nothing_in_nothing_out(gatewise_command: Run, stored: Path, model: str, target: str) -> None:
    ran = gatewise_command("tag", "-m", stored / model, "--to", target)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert gatewise_command("tag", "-m", stored / model, "--to", target, stdin="\n \n").code == 0


def test_one_line_of_ten_thousand_characters(gatewise_command: Run, stored: Path) -> None:
    ran = gatewise_command("tag", "-m", stored / "v1-segmentation", "--to", "conll", stdin="小明住在" * 2500 + "\n")
    assert ran.code == 0
    assert ran.out.count("\t") == 10_000


def test_threads_do_not_change_what_is_said(gatewise_command: Run, stored: Path) -> None:
    outs = [
        gatewise_command("tag", "-m", stored / "v1-spans", "--threads", n, stdin="小明住在北京。\n").out
        for n in (0, 1, 2)
    ]
    assert outs == [SPANS] * 3


# Where it is written


def test_the_output_appears_when_it_is_complete(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    target.write_text("old")
    source.write_bytes("小明住在北京。\n".encode() * 3 + b"\xff\n")
    ran = gatewise_command("tag", "-m", stored / "v1-spans", source, "-o", target)
    assert ran.code == 2
    assert "in.txt:4: expected UTF-8" in ran.err
    assert target.read_text() == "old"
    source.write_text("小明住在北京。\n", encoding="utf-8")
    assert gatewise_command("tag", "-m", stored / "v1-spans", source, "-o", target).code == 0
    assert target.read_text(encoding="utf-8") == SPANS
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.txt"]


def test_a_file_may_be_written_over_itself(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    path.write_text("小明住在北京。\n" * 5, encoding="utf-8")
    assert gatewise_command("tag", "-m", stored / "v1-spans", path, "-o", path).code == 0
    assert path.read_text(encoding="utf-8") == SPANS * 5


def test_nothing_is_left_where_nothing_can_be_written(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    ran = gatewise_command("tag", "-m", stored / "v1-spans", "-o", tmp_path / "folder", stdin="我\n")
    assert ran.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_is_no_file_is_written_to_and_not_replaced(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert gatewise_command("tag", "-m", stored / "v1-spans", "-o", pipe, stdin="小明住在北京。\n").code == 0
        assert os.read(reader, 1000).decode() == SPANS
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


def test_as_a_program_with_a_reader_that_leaves(stored: Path) -> None:
    """`gatewise tag … | head -1`, in bytes, whatever the locale says."""
    with subprocess.Popen(
        [sys.executable, "-m", "gatewise", "tag", "-m", str(stored / "v1-spans"), "--to", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"},
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdin.write("小明住在北京。\n".encode() * 1200)
        program.stdin.close()
        first = program.stdout.readline()
        program.stdout.close()
        assert json.loads(first)["spans"][0]["text"] == "小明"
        assert program.stderr.read() == b""
        assert program.wait(60) in (0, 1)  # click's own answer to a broken pipe is a quiet 1
