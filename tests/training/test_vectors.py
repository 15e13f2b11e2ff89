"""Pretrained vectors: what is found fills its row, what is not stays, and a wrong line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from gatewise.errors import FormatError  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.vectors import load_vectors  # noqa: E402

pytestmark = pytest.mark.torch

VOCABULARY = Vocabulary(entries=("我", "x0", "叫"))


def load(tmp_path: Path, content: str | bytes, dim: int = 3) -> tuple[int, list[list[float]]]:
    """How many were found, and the embedding, which held 9 everywhere before."""
    path = tmp_path / "vectors.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    embedding = torch.full((VOCABULARY.size, dim), 9.0, requires_grad=True)
    return load_vectors(path, VOCABULARY, embedding), embedding.tolist()


@pytest.mark.parametrize("head", ["", "4 3\n"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
def test_rows_are_filled_with_and_without_a_head(tmp_path: Path, head: str, end: str) -> None:
    lines = ["我 1 -2.5 3e-1", "龘 7 7 7", "叫 0 0.5 1"]
    count, rows = load(tmp_path, head.replace("\n", end) + "".join(line + end for line in lines))
    assert count == 2
    assert rows[2] == pytest.approx([1, -2.5, 0.3])
    assert rows[4] == [0, 0.5, 1]
    assert rows[0] == rows[1] == rows[3] == [9, 9, 9]


def test_the_head_is_no_entry_even_when_its_number_is_in_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_text("7 3\n8 1 2 3\n")
    embedding = torch.zeros(3, 3)
    assert load_vectors(tmp_path / "vectors.txt", Vocabulary(entries=("0",)), embedding) == 1
    assert embedding[2].tolist() == [1, 2, 3]


def test_forms_are_normalized_and_the_first_of_two_wins(tmp_path: Path) -> None:
    count, rows = load(tmp_path, "Ｘ7 1 2 3\nx8 4 5 6\n")
    assert (count, rows[3]) == (1, [1, 2, 3])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("叫 1 2", r"2 \(1 2\)"),
        ("叫 1 2 3 4", r"4 \(1 2 3 4\)"),
        ("叫 1 nan 3", r"3 \(1 nan 3\)"),
        ("叫 a b c", r"3 \(a b c\)"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(tmp_path: Path, line: str, found: str) -> None:
    with pytest.raises(
        FormatError, match=rf"vectors\.txt:3: expected 3 numbers after the token, found {found}.*token_dim"
    ):
        load(tmp_path, f"2 3\n我 1 2 3\n{line}\n")


def test_lines_of_other_tokens_are_not_looked_at(tmp_path: Path) -> None:
    assert load(tmp_path, ". . 1 2 3\n\n龘 oops\n我 1 2 3\n")[0] == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"vectors\.txt: expected a text file of vectors"):
        load(tmp_path, b"\xff\xfe\x00 1 2 3\n")
    with pytest.raises(FormatError, match=r"nothing\.txt: expected a text file of vectors"):
        load_vectors(tmp_path / "nothing.txt", VOCABULARY, torch.zeros(5, 3))
