"""`gatewise embed`: from text to the file that `features.vectors` and `features.bigram_vectors` read."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gensim")

from gatewise.formats import read_sentences

Run = Any  # the fixture `gatewise_command`
TEXT = "我叫小明，住在北京。\n她在上海２０年。\n" * 30


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def table(path: Path) -> dict[str, list[float]]:
    """A file of word2vec text, its head held to what follows."""
    raw = path.read_bytes()
    head, *lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines()
    rows = {form: [float(number) for number in numbers] for form, *numbers in (line.split(" ") for line in lines)}
    assert head.split() == [str(len(lines)), str(len(next(iter(rows.values()))))]
    assert {len(numbers) for numbers in rows.values()} == {int(head.split()[1])}
    return rows


def test_a_text_becomes_vectors_of_its_keys(gatewise_command: Run, text: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors.txt"
    ran = gatewise_command("embed", text, "-o", out, "--dim", 5, "--epochs", 2)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        f"{out}: 15 vectors of 5 numbers, one for each token seen 5 times or more among 540 (characters, without"
        " subwords)\n"
    )
    assert set(table(out)) == set("我叫小明,住在北京。她上海0年")


def test_bigrams_of_several_packed_files(gatewise_command: Run, text: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt.gz").write_bytes(gzip.compress("京京\n".encode() * 7))
    labeled = tmp_path / "also.conll"
    labeled.write_text("我\tO\n住\tO\n", encoding="utf-8")
    out = tmp_path / "vectors.txt.gz"
    command = ("embed", tmp_path / "*.txt*", "-o", out, "--unit", "bigram", "--dim", 3, "--epochs", 1)
    ran = gatewise_command(*command, "--min-count", 7, "--also", labeled)
    assert ran.code == 0, ran.err
    found = list(table(out))
    assert {"<s>京", "京京", "京</s>", "小明", "00"} < set(found)
    assert found[-2:] == ["我住", "住</s>"]  # rare, so composed
    assert f"{out}: 2 more composed from subwords, as --also asked; none for 0 that share no subword" in ran.err


def test_the_same_command_writes_the_same_bytes(gatewise_command: Run, text: Path, tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("a.gz", "b.gz", "c.gz")]
    for out, seed in zip(outs, (4, 4, 5), strict=True):
        assert gatewise_command("embed", text, "-o", out, "--dim", 4, "--seed", seed).code == 0
    first, again, other = (out.read_bytes() for out in outs)
    assert first == again != other


def test_words_from_standard_input(gatewise_command: Run, tmp_path: Path) -> None:
    out = tmp_path / "vectors.txt"
    command = ("embed", "-", "-o", out, "--dim", 3, "--epochs", 1, "--min-count", 1)
    ran = gatewise_command(*command, "--tokenizer", "words", stdin="The cat\nDon't 12\n")
    assert ran.code == 0, ran.err
    assert set(table(out)) == {"the", "cat", "don't", "00"}
    assert "seen once or more among 4 (words, without subwords)" in ran.err
    labeled = tmp_path / "also.conll"
    labeled.write_text("cats\tO\ncat\tO\nq\tO\n", encoding="utf-8")
    ran = gatewise_command(*command, "--tokenizer", "words", "--also", labeled, stdin="The cat\nDon't 12\n")
    assert ran.code == 0, ran.err
    assert set(table(out)) == {"the", "cat", "don't", "00", "cats"}  # of the parts of cat
    assert "seen once or more among 4 (words, subwords of 3-6)" in ran.err


def test_a_key_with_a_space_inside_is_left_out_and_told(gatewise_command: Run, tmp_path: Path) -> None:
    text = tmp_path / "in.txt"
    text.write_text("a ´ b\n" * 9, encoding="utf-8")  # NFKC makes a space and a mark of U+00B4
    out = tmp_path / "vectors.txt"
    ran = gatewise_command("embed", text, "-o", out, "--tokenizer", "whitespace", "--dim", 3)
    assert set(table(out)) == {"a", "b"}
    assert ran.err.endswith(f"{out}: 1 with a space inside, which the file cannot hold, left out\n")


@pytest.mark.torch
def test_a_tagger_finds_every_vector(gatewise_command: Run, tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    train, text = tiny / "spans.conll", tmp_path / "text.txt"
    text.write_text("\n".join(sentence.text for sentence in read_sentences(train)), encoding="utf-8")
    settings = ["--set", "features.min_count=1", "--set", "features.bigram_min_count=1", "--set", "training.epochs=1"]
    for unit, key in (("token", ""), ("bigram", "bigram_")):
        out = tmp_path / f"{unit}.txt"
        ran = gatewise_command("embed", text, "-o", out, "--unit", unit, "--dim", 6, "--epochs", 1, "--min-count", 1)
        assert ran.code == 0, ran.err
        settings += ["--set", f"features.{key}vectors={out}", "--set", f"features.{unit}_dim=6"]
    tokens, bigrams = (len(table(tmp_path / f"{unit}.txt")) for unit in ("token", "bigram"))
    ran = gatewise_command("train", train, "-o", tmp_path / "model", *settings)
    assert ran.code == 0, ran.err
    told = f"{tokens} of {tokens} tokens, {bigrams} of {bigrams} bigrams, trained on"
    assert f"pretrained vectors: {told}" in ran.err
    assert f"| pretrained vectors | {told} |" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")


WRONG: dict[str, tuple[list[str], str]] = {
    "no text": (["empty.txt"], "empty.txt: expected text to train on, found none; check the files"),
    "no file": (["no.txt"], "no.txt: expected a file, found nothing under this name; check the path"),
    "no fitting file": (
        ["*.md"],
        "*.md: expected a pattern that fits files, found none that it fits; check the path",
    ),
    "broken gzip": (
        ["broken.txt.gz"],
        "broken.txt.gz: expected a complete gzip file, found a broken one (Compressed file ended before the"
        " end-of-stream marker was reached); pack or copy it again",
    ),
    "too rare": (
        ["text.txt", "--min-count", "61"],
        "expected at least 2 different tokens seen 61 time(s) or more in the text, found 0 among 540 tokens; give more"
        " text, or lower --min-count",
    ),
    "tokenizer": (
        ["text.txt", "--tokenizer", "word"],
        "--tokenizer: expected one of auto, characters, mixed, words, english, whitespace, found 'word'",
    ),
    "bigrams of words": (
        ["text.txt", "--unit", "bigram", "--tokenizer", "words"],
        "--tokenizer: expected characters for --unit bigram, found 'words'; bigrams are of characters",
    ),
    "unit": (["text.txt", "--unit", "trigram"], "--unit: expected one of token, bigram, found 'trigram'"),
    "subwords": (
        ["text.txt", "--subwords", "6-3"],
        "--subwords: expected 0, or MIN-MAX such as 3-6, found '6-3'",
    ),
    "subwords from 0": (
        ["text.txt", "--subwords", "0-3"],
        "--subwords: expected 0, or MIN-MAX such as 3-6, found '0-3'",
    ),
    "also without subwords": (
        ["text.txt", "--also", "text.txt"],
        "--also: expected subwords to compose vectors from, found none; set --subwords, such as 1-2",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_sentence_and_the_old_file_stays(
    gatewise_command: Run, text: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, message = WRONG[name]
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "broken.txt.gz").write_bytes(gzip.compress(TEXT.encode() * 20)[:-9])
    out = tmp_path / "out.vec"
    out.write_text("as it was", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = gatewise_command("embed", *arguments, "-o", out)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {message}\n")
    assert out.read_text(encoding="utf-8") == "as it was"
    assert not list(tmp_path.glob(".out*"))


def test_options_out_of_range_and_outputs_that_cannot_be(gatewise_command: Run, text: Path, tmp_path: Path) -> None:
    for option in ("--dim", "--epochs", "--min-count", "--window", "--threads"):
        ran = gatewise_command("embed", text, "-o", tmp_path / "out", option, 0)
        assert (ran.code, f"Invalid value for '{option}'" in ran.err) == (2, True)
    assert "Missing option '-o'" in gatewise_command("embed", text).err
    assert "Missing argument 'TEXT…'" in gatewise_command("embed", "-o", tmp_path / "out").err
    nowhere = tmp_path / "no" / "out.txt"
    assert gatewise_command("embed", text, "-o", nowhere).err == (
        f"error: {nowhere}: expected a folder that can be written to, found none; check the path given to -o\n"
    )
    assert gatewise_command("embed", text, "-o", tmp_path).err == (
        f"error: {tmp_path}: expected the name of a file to write, found a directory; check the path given to -o\n"
    )


def test_without_the_extra_nothing_is_read(
    gatewise_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gensim", None)
    ran = gatewise_command("embed", tmp_path / "no.txt", "-o", tmp_path / "out")
    assert (ran.code, ran.err) == (
        2,
        'error: training vectors needs gensim (gensim is missing): pip install "gatewise[embed]"\n',
    )


TRAINING_FOREVER = """
import sys
from pathlib import Path
from gatewise.cli import main
from gatewise.training import skip_gram
marker = Path(sys.argv[1])
told = skip_gram._Heard.__iter__
def begun(self):
    marker.touch()
    return told(self)
skip_gram._Heard.__iter__ = begun
sys.argv = ["gatewise", "embed", *sys.argv[2:], "--epochs", "100000000"]
main()
"""


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_nothing(text: Path, tmp_path: Path, kill: signal.Signals) -> None:
    out, begun = tmp_path / "out.txt", tmp_path / "begun"
    command = [sys.executable, "-c", TRAINING_FOREVER, str(begun), str(text), "-o", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        while not begun.exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(kill)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, said.lstrip()) == ((130, "interrupted\n") if kill == signal.SIGINT else (-kill, ""))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "text.txt"]
