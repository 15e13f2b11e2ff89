"""Pretrained vectors: what is found fills its row, what is not stays, and what is wrong is named with its place."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from gatewise.errors import ConfigError, FormatError, TrainingError  # noqa: E402
from gatewise.model.archive import legality_of  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.text.sentence import sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import FIRST_ENTRY_ID, Vocabulary  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.optimizer import Optimizer  # noqa: E402
from gatewise.training.prepare import prepare  # noqa: E402
from gatewise.training.start import new_network  # noqa: E402
from gatewise.training.vector_files import read_vectors  # noqa: E402
from gatewise.training.vectors import find_vectors  # noqa: E402

pytestmark = pytest.mark.torch

VOCABULARY = Vocabulary(entries=("我", "x0", "叫"))
Entries = Sequence[tuple[str | bytes, Sequence[float]]]


def as_text(entries: Entries, *, head: bool = True, end: str = "\n", between: str = " ") -> bytes:
    lines = [f"{len(entries)} {len(entries[0][1])}{end}".encode()] if head else []
    for form, numbers in entries:
        raw = form.encode() if isinstance(form, str) else form
        lines.append(raw + (between + between.join(repr(number) for number in numbers) + end).encode())
    return b"".join(lines)


def as_binary(entries: Entries, *, newline: bytes = b"\n") -> bytes:
    """As word2vec.c writes it, and with `newline` empty as gensim does."""
    parts = [f"{len(entries)} {len(entries[0][1])}\n".encode()]
    for form, numbers in entries:
        raw = form.encode() if isinstance(form, str) else form
        parts.append(raw + b" " + struct.pack(f"<{len(numbers)}f", *numbers) + newline)
    return b"".join(parts)


LAYOUTS: dict[str, Callable[[Entries], bytes]] = {
    "word2vec text": as_text,
    "glove": lambda entries: as_text(entries, head=False),
    "fasttext": lambda entries: as_text(entries, end=" \n"),
    "windows": lambda entries: as_text(entries, end="\r\n"),
    "tabs": lambda entries: as_text(entries, head=False, between="\t"),
    "word2vec binary": as_binary,
    "gensim binary": lambda entries: as_binary(entries, newline=b""),
}


def found(tmp_path: Path, content: bytes, vocabulary: Vocabulary = VOCABULARY, dim: int = 3) -> dict[str, list[float]]:
    """By entry, what was found for it."""
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    vectors = find_vectors(path, vocabulary, dim)
    assert vectors.entries == len(vocabulary.entries)
    names = [vocabulary.entries[row - FIRST_ENTRY_ID] for row in vectors.ids.tolist()]
    return dict(zip(names, vectors.values.tolist(), strict=True))


def of_mean_length_one(entries: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The same vectors by one number, so that they are 1 long on average."""
    length = sum(math.hypot(*numbers) for numbers in entries.values()) / len(entries)
    return {name: pytest.approx([number / length for number in numbers]) for name, numbers in entries.items()}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(tmp_path: Path, layout: str, zipped: bool) -> None:
    content = LAYOUTS[layout]([("龘", [7, 7, 7]), ("我", [1, -2.5, 0.5]), ("of", [1, 0, 1]), ("叫", [0, 0.25, 1e-3])])
    vectors = found(tmp_path, gzip.compress(content) if zipped else content)
    assert vectors == of_mean_length_one({"我": [1, -2.5, 0.5], "叫": [0, 0.25, 1e-3]})


def test_vectors_are_scaled_by_one_number_whatever_their_size(tmp_path: Path) -> None:
    for size in (1e-38, 1.0, 1e38):
        vectors = found(tmp_path, as_text([("我", [3 * size, 0.0, 0.0]), ("叫", [0.0, -size, 0.0])]))
        assert vectors == {"我": pytest.approx([1.5, 0, 0]), "叫": pytest.approx([0, -0.5, 0])}
    assert found(tmp_path, as_text([("我", [0.0, 0.0, 0.0])])) == {"我": [0, 0, 0]}


def test_what_is_not_looked_for_does_not_count_for_the_scale(tmp_path: Path) -> None:
    assert found(tmp_path, as_text([("我", [4.0, 0.0, 3.0]), ("龘", [900.0, 0.0, 0.0])])) == {
        "我": pytest.approx([0.8, 0, 0.6])
    }


FORMS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def number_of(content: bytes) -> float:
    """The number that these four bytes are in a binary file."""
    found: float = struct.unpack("<f", content)[0]
    return found


@given(st.dictionaries(FORMS, st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=8))
@example({"0": [number_of(b"\n\xd7\xa3<"), 0.0, 0.0, 0.0]})  # a line feed first
@example({"a": [number_of(b"1\n\x00\x00"), 0.0, 0.0, 0.0]})  # as if it were a line of text
def test_text_and_binary_come_back_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, list[float]]
) -> None:
    folder = tmp_path_factory.mktemp("vectors")
    for name, content in (
        ("text", as_text(list(entries.items()))),
        ("binary", as_binary(list(entries.items()))),
        ("zipped", gzip.compress(as_binary(list(entries.items()), newline=b""))),
    ):
        (folder / name).write_bytes(content)
        read = {form: values.tolist() for form, values in read_vectors(folder / name, 4, lambda form: True)}
        assert read == entries, name


def test_the_head_is_no_entry_even_when_its_number_is_in_the_vocabulary(tmp_path: Path) -> None:
    assert found(tmp_path, b"7 3\n8 1 2 3\n", Vocabulary(entries=("0",))) == of_mean_length_one({"0": [1, 2, 3]})


def test_the_form_itself_goes_before_others_of_its_key_and_of_those_the_first_wins(tmp_path: Path) -> None:
    content = as_text(
        [("China", [1, 1, 1]), ("CHINA", [2, 2, 2]), ("X1", [3, 3, 3]), ("x0", [4, 4, 4]), ("x0", [5] * 3)]
    )
    vocabulary = Vocabulary(entries=("china", "x0", "china0"))
    assert found(tmp_path, content, vocabulary) == of_mean_length_one({"china": [1, 1, 1], "x0": [4, 4, 4]})
    more = found(tmp_path, content + b"china 6 6 6\n", vocabulary)
    assert more == of_mean_length_one({"china": [6, 6, 6], "x0": [4, 4, 4]})


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("叫 1 2", r"2 \(1 2\)"),
        ("叫 1 2 3 4", r"4 \(1 2 3 4\)"),
        ("叫 1 nan 3", r"3 \(1 nan 3\)"),
        ("叫 1 1e99 3", r"3 \(1 1e99 3\)"),
        ("叫 a b c", r"3 \(a b c\)"),
        ("叫", r"0 \(\)"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, shown: str) -> None:
    message = rf"vectors\.txt:3: expected 3 numbers after the token, found {shown}.*token_dim"
    with pytest.raises(FormatError, match=message):
        found(tmp_path, f"2 3\n我 1 2 3\n{line}\n".encode())


def test_a_head_of_another_length_is_told_at_once(tmp_path: Path) -> None:
    wrong = [("我", [1.0, 2.0, 3.0, 4.0])]
    remedy = r"expected vectors of 3 numbers, found 4; set features\.token_dim=4"
    with pytest.raises(FormatError, match=r"vectors\.txt:1: " + remedy):
        found(tmp_path, as_text(wrong))
    with pytest.raises(FormatError, match=r"vectors\.txt: byte 0: " + remedy):
        found(tmp_path, as_binary(wrong))


def test_lines_of_other_tokens_are_not_looked_at(tmp_path: Path) -> None:
    vocabulary = Vocabulary(entries=(".", "我"))
    lines = [b". . 1 2 3", b"", "龘 oops".encode(), b"\xff\xfe 1 2 3", "我 1 2 3".encode(), b". 4 5 6"]
    assert found(tmp_path, b"\n".join(lines), vocabulary) == of_mean_length_one({"我": [1, 2, 3], ".": [4, 5, 6]})


def test_forms_that_are_no_text_are_passed_over_in_binary(tmp_path: Path) -> None:
    content = as_binary([(b"\xe5\x8f", [9.0, 9.0, 9.0]), ("叫", [1.0, 2.0, 3.0])])
    assert found(tmp_path, content) == of_mean_length_one({"叫": [1, 2, 3]})


def test_a_binary_file_that_is_cut_short_is_named_with_its_byte(tmp_path: Path) -> None:
    whole = as_binary([("我", [1.0, 2.0, 3.0]), ("叫", [4.0, 5.0, 6.0])])
    first = len("2 3\n我 ".encode())
    second = first + 12 + len("\n叫 ".encode())
    for kept, message in (
        (first + 5, rf"byte {first}: expected 3 numbers of 4 bytes after '我', found the file's end after 5 bytes"),
        (second + 11, rf"byte {second}: expected 3 numbers of 4 bytes after '叫', found the file's end after 11 bytes"),
        (
            first + 14,
            rf"byte {first + 12}: expected entry 2 of 2, a form and a space, found none; the file is cut short",
        ),
    ):
        with pytest.raises(FormatError, match=r"vectors\.txt: " + message):
            found(tmp_path, whole[:kept])
    with pytest.raises(FormatError, match=rf"byte {second}: expected 3 finite numbers after '叫', found others"):
        found(tmp_path, as_binary([("我", [1.0, 2.0, 3.0]), ("叫", [4.0, float("nan"), 6.0])]))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00 1 2 3\n",
        "我 1 2 3\n".encode("utf-16"),
        struct.pack("<ii", 793712314, 12) + bytes(range(128, 256)),  # a fastText .bin
    ],
)
def test_a_file_that_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatError, match=r"vectors\.txt:1: expected vectors as text in UTF-8, .*give word2vec text"):
        found(tmp_path, content)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing\.txt: expected a file of vectors, found that it cannot be read"):
        find_vectors(tmp_path / "nothing.txt", VOCABULARY, 3)
    with pytest.raises(FormatError, match=r"expected a file of vectors, found that it cannot be read"):
        find_vectors(tmp_path, VOCABULARY, 3)
    zipped = gzip.compress(as_text([("我", [1.0, 2.0, 3.0])] * 1000))
    for broken in (zipped[:-20], zipped[:30] + b"\x00" * 20 + zipped[50:]):
        with pytest.raises(
            FormatError, match=r"vectors\.txt: expected a file of vectors, found that it cannot be read"
        ):
            found(tmp_path, broken)


def test_a_file_of_other_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"vectors\.txt: expected vectors of the training split's tokens, found none"
    ):
        found(tmp_path, as_text([("Haus", [1.0, 2.0, 3.0])]))


# In training

SENTENCES = [
    sentence_from_forms(["小", "明", "在", "北", "京"], ["B-PER", "I-PER", "O", "B-LOC", "I-LOC"]),
    sentence_from_forms(["我", "在", "上", "海"], ["O", "O", "B-LOC", "I-LOC"]),
]


def settings(path: Path, **features: Any) -> dict[str, Any]:
    return {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO", "spaces": "between"},
        "features": {"token_dim": 3, "bigram_dim": 2, "vectors": str(path), **features},
        "encoder": {"hidden": 4},
        "training": {"epochs": 6, "batch_size": 1, "learning_rate": 0.05, "unknown_weight": 0.5, "threads": 1},
    }


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_static_vectors_stay_to_the_bit_and_all_others_move(tmp_path: Path, averaging: float) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(as_text([("北", [0.1, 0.2, 0.3]), ("在", [-1.0, 0.5, 0.25]), ("龘", [1.0, 1.0, 1.0])]))
    table = settings(path, vectors_trained=False)
    table["training"]["averaging"] = averaging
    prepared = prepare(config_from_dict(table, where="test"), SENTENCES)
    vectors = prepared.vectors["tokens"]
    assert (len(vectors.ids), vectors.entries) == (2, 8)
    one, more = (table | {"training": table["training"] | {"epochs": n}} for n in (1, 6))
    early, late = (
        train_tagger(prepare(config_from_dict(entry, where="test"), SENTENCES)).arrays["token_embedding.weight"]
        for entry in (one, more)
    )
    rows = {entry: row for row, entry in enumerate(prepared.vocabularies["tokens"].entries, start=FIRST_ENTRY_ID)}
    for entry, row in rows.items():
        moved = not torch.equal(early[row], late[row])
        assert moved == (entry not in ("北", "在")), entry
    for entry, numbers in of_mean_length_one({"北": [0.1, 0.2, 0.3], "在": [-1.0, 0.5, 0.25]}).items():
        assert late[rows[entry]].tolist() == numbers


def test_tuned_vectors_start_as_they_are_and_move(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(as_text([("北", [0.1, 0.2, 0.3])]))
    table = settings(path)
    prepared = prepare(config_from_dict(table, where="test"), SENTENCES)
    weight = train_tagger(prepared).arrays["token_embedding.weight"]
    row = prepared.vocabularies["tokens"].encode(["北"])[0]
    wanted = torch.tensor([0.1, 0.2, 0.3]) / math.hypot(0.1, 0.2, 0.3)
    assert not torch.equal(weight[row], wanted)
    assert float((weight[row] - wanted).abs().max()) < 1.5  # it began there


def test_a_step_that_reads_frozen_rows_alone_moves_nothing_of_the_table() -> None:
    table = {
        "features": {"token_dim": 3, "bigram_dim": 0},
        "encoder": {"hidden": 2},
        "training": {"dropout": 0.0},  # which could take all of the moving row away
    }
    config = config_from_dict(table, where="test")
    network = TaggerNetwork(config, sizes={"tokens": 4}, legality=legality_of(("O", "B-X", "I-X"), "BIO"))
    network.initialize()
    embedding = network.inputs.embeddings["tokens"]
    embedding.freeze(torch.arange(3))
    optimizer = Optimizer(network, clip=1.0, averaging=0.9)
    before = embedding.weight.clone()
    for ids, moved in (([1, 2], False), ([2, 3], True)):
        network.train()
        network({"tokens": torch.tensor([ids])}, torch.tensor([1, 1])).sum().backward()
        assert optimizer.step(0.1) > 0
        assert torch.equal(embedding.weight[:3], before[:3])
        assert torch.equal(optimizer.weights()["token_embedding.weight"][:3], before[:3])
        assert torch.equal(embedding.weight[3], before[3]) != moved


def test_other_vectors_are_another_run(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    prints = []
    for numbers in ([0.1, 0.2, 0.3], [0.1, 0.2, 0.4]):
        path.write_bytes(as_text([("北", numbers)]))
        prints.append(prepare(config_from_dict(settings(path), where="test"), SENTENCES).fingerprint())
    assert prints[0] != prints[1]


# Of bigrams

BIGRAMS = [("北京", [3.0, 4.0]), ("<s>我", [0.0, -1.0]), ("龘龘", [9.0, 9.0]), ("海</s>", [1.0, 0.0])]


def bigram_settings(path: Path, **features: Any) -> dict[str, Any]:
    return settings(path) | {
        "features": {"token_dim": 3, "bigram_dim": 2, "bigram_min_count": 1, "bigram_vectors": str(path), **features}
    }


@pytest.mark.parametrize("tuned", [False, True])
def test_vectors_of_bigrams_fill_their_own_table_alone(tmp_path: Path, tuned: bool) -> None:
    path = tmp_path / "bigrams.txt"
    path.write_bytes(as_text(BIGRAMS))
    prepared = prepare(config_from_dict(bigram_settings(path, vectors_trained=tuned), where="test"), SENTENCES)
    assert list(prepared.vectors) == ["bigrams"]
    assert len(prepared.vectors["bigrams"].ids) == 3
    entries = prepared.vocabularies["bigrams"].entries
    assert prepared.vectors["bigrams"].entries == len(entries)
    torch.manual_seed(5)
    filled = new_network(prepared).arrays()
    torch.manual_seed(5)
    bare = new_network(replace(prepared, vectors={})).arrays()
    assert torch.equal(filled["token_embedding.weight"], bare["token_embedding.weight"])
    wanted = of_mean_length_one({"北京": [3, 4], "<s>我": [0, -1], "海</s>": [1, 0]})
    trained = train_tagger(prepared).arrays["bigram_embedding.weight"]
    for row, entry in enumerate(entries, start=FIRST_ENTRY_ID):
        start = filled["bigram_embedding.weight"][row]
        if entry in wanted:
            assert start.tolist() == wanted[entry]
        else:
            assert torch.equal(start, bare["bigram_embedding.weight"][row])
        assert torch.equal(trained[row], start) == (entry in wanted and not tuned), entry


def test_both_files_are_read_each_for_its_table(tmp_path: Path) -> None:
    bigrams, tokens = tmp_path / "bigrams.txt", tmp_path / "tokens.txt"
    bigrams.write_bytes(as_text(BIGRAMS))
    tokens.write_bytes(as_text([("北", [0.0, 2.0, 0.0])]))
    prints = []
    for one in (str(tokens), ""):
        table = bigram_settings(bigrams, vectors=one)
        prepared = prepare(config_from_dict(table, where="test"), SENTENCES)
        assert {name: len(found.ids) for name, found in prepared.vectors.items()} == (
            {"tokens": 1, "bigrams": 3} if one else {"bigrams": 3}
        )
        prints.append(prepared.fingerprint())
    bigrams.write_bytes(as_text([(form, [numbers[1], numbers[0]]) for form, numbers in BIGRAMS]))
    prints.append(prepare(config_from_dict(bigram_settings(bigrams), where="test"), SENTENCES).fingerprint())
    assert len(set(prints)) == 3


def test_what_is_wrong_with_vectors_of_bigrams_is_told_of_bigrams(tmp_path: Path) -> None:
    path = tmp_path / "bigrams.txt"

    def told(content: bytes, **features: Any) -> str:
        path.write_bytes(content)
        with pytest.raises((FormatError, TrainingError, ConfigError)) as caught:
            prepare(config_from_dict(bigram_settings(path, **features), where="test"), SENTENCES)
        return str(caught.value)

    assert told(as_text([("北京", [1.0, 2.0, 3.0])])) == (
        f"{path}:1: expected vectors of 2 numbers, found 3; set features.bigram_dim=3"
    )
    assert told("北京 1 2 3\n".encode()) == (
        f"{path}:1: expected 2 numbers after the token, found 3 (1 2 3); set features.bigram_dim to the length of the"
        " file's vectors"
    )
    assert told(as_text([("北", [1.0, 2.0])])) == (
        f"{path}: expected vectors of the training split's bigrams, found none of 11; are both of one language, and cut"
        " into the same bigrams?"
    )
    assert told(as_text(BIGRAMS), bigram_dim=0) == (
        "features.bigram_vectors: expected a model that reads bigrams, found one that does not; leave it out, or set"
        " features.bigram_dim with the tokenizer characters"
    )
