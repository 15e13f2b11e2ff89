"""Parquet in and out, with pyarrow itself as the oracle; columns of other tools; row groups one at a time."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import FormatError, MissingExtraError
from gatewise.formats import parquet
from gatewise.formats.parquet import locate_parquet, read_parquet, write_parquet
from gatewise.text import Sentence, TextSpan, sentence_from_forms, tokenize

pyarrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def table(path: Path, columns: dict[str, Any], types: dict[str, Any] | None = None, names: Any = None) -> Path:
    """A file as another tool would write it; `names` go into the metadata of the library `datasets`."""
    made = pyarrow.table(columns)
    for name, type_ in (types or {}).items():
        made = made.set_column(made.schema.get_field_index(name), name, made[name].cast(type_))
    if names is not None:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": names}})})
    pq.write_table(made, path)
    return path


SENTENCE = Sentence(
    text="𝄞我 Ann",
    tokens=tokenize("𝄞我 Ann", "characters").tokens,
    tags=("O", "O", "B-PER", "I-PER", "I-PER"),
    spans=(TextSpan(start=3, end=6, label="PER", text="Ann", score=0.25),),
    scores=(0.5, 1.0, 0.25, 0.125, 0.0),
)


def test_what_we_write_is_what_pyarrow_reads(tmp_path: Path) -> None:
    write_parquet([SENTENCE, Sentence(text="", tokens=())], tmp_path / "a.parquet")
    first, second = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert first["text"] == "𝄞我 Ann"
    assert first["tokens"][1:3] == [{"text": "我", "start": 1, "end": 2}, {"text": "A", "start": 3, "end": 4}]
    assert first["tags"] == ["O", "O", "B-PER", "I-PER", "I-PER"]
    assert first["spans"] == [{"start": 3, "end": 6, "label": "PER", "text": "Ann", "score": 0.25}]
    assert first["scores"] == [0.5, 1.0, 0.25, 0.125, 0.0]
    assert second == {"text": "", "tokens": [], "tags": None, "spans": [], "scores": None}
    assert [located.lines for located in locate_parquet(tmp_path / "a.parquet")] == [(1,) * 5, (2,)]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    sentence = tokenize(draw(TEXTS), draw(st.sampled_from(["characters", "words", "whitespace"])))
    n = len(sentence)
    scores = st.lists(st.floats(0, 1), min_size=n, max_size=n).map(tuple)
    spans = tuple(
        TextSpan(start=token.start, end=token.end, label=draw(TEXTS), text=token.text, score=draw(st.floats(0, 1)))
        for token in sentence.tokens[: draw(st.integers(0, 2))]
    )
    tags = draw(st.none() | st.lists(TEXTS, min_size=n, max_size=n).map(tuple))
    return replace(sentence, tags=tags, spans=spans, scores=draw(st.none() | scores))


@given(made=st.lists(sentences(), max_size=5))
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, made: list[Sentence]) -> None:
    path = tmp_path_factory.getbasetemp() / "round.parquet"
    write_parquet(made, path)
    assert list(read_parquet(path)) == made


def test_hugging_face_columns(tmp_path: Path) -> None:
    columns = {
        "id": ["0", "1"],
        "tokens": [["New", "York"], ["我", "叫"]],
        "ner_tags": [["B-LOC", "I-LOC"], ["O", "O"]],
    }
    expected = [sentence_from_forms(["New", "York"], ["B-LOC", "I-LOC"]), sentence_from_forms(["我", "叫"], ["O", "O"])]
    assert list(read_parquet(table(tmp_path / "a.parquet", columns))) == expected
    numbered = columns | {"ner_tags": [[1, 2], [0, 0]]}
    names = {"names": ["O", "B-LOC", "I-LOC"], "_type": "ClassLabel"}
    for feature in ({"feature": names, "_type": "Sequence"}, [names], {"feature": names, "_type": "List"}):
        path = table(tmp_path / "b.parquet", numbered, names={"ner_tags": feature})
        assert list(read_parquet(path)) == expected
    for number in (3, -1):
        wrong = table(
            tmp_path / "c.parquet", numbered | {"ner_tags": [[1, 2], [0, number]]}, names={"ner_tags": [names]}
        )
        with pytest.raises(
            FormatError, match=rf"c\.parquet:2: expected the number of a tag from 0 to 2, found {number};"
        ):
            list(read_parquet(wrong))
    with pytest.raises(
        FormatError, match=r'"ner_tags" \(tags\) to be list of string, found list<.*int64>; name another'
    ):
        list(read_parquet(table(tmp_path / "d.parquet", numbered)))


def test_columns_by_name_and_the_text_beside_plain_tokens(tmp_path: Path) -> None:
    columns = {"raw": ["New  York."], "words": [["New", "York", "."]], "pos": [["A", "B", "C"]]}
    types = {"raw": pyarrow.large_string(), "words": pyarrow.large_list(pyarrow.large_string())}
    path = table(tmp_path / "a.parquet", columns, types)
    (sentence,) = read_parquet(path, columns={"text": "raw", "tokens": "words", "tags": "pos"})
    assert sentence == tokenize("New  York.", "words").with_tags("ABC")
    (bare,) = read_parquet(path, columns={"text": "raw"})
    assert bare == Sentence(text="New  York.", tokens=())


@pytest.mark.parametrize(
    ("columns", "named", "message"),
    [
        (
            {"words": [["a"]], "labels": [["O"]]},
            {},
            ': expected a column "text" or "tokens", found "words", "labels"; name yours, for example --columns tok',
        ),
        (
            {"tokens": [["a"]], "labels": [["O"]]},
            {"columns": {"tags": "tag"}},
            ': expected a column "tag" (tags), found "tokens", "labels"; name one of these: --columns tags=…',
        ),
        (
            {"text": [1]},
            {},
            ': expected the column "text" (text) to be string, found int64; name another column: --columns text=',
        ),
        (
            {"tokens": [[{"start": 0, "end": 1}]]},
            {},
            ': expected a column "text", into which the offsets of "tokens" point, found "tokens"; name yours: --c',
        ),
        ({"text": ["a", None]}, {}, ':2: expected a string under "text", found null; see'),
        ({"tokens": [["a"], ["b", "c"]], "tags": [["O"], ["O"]]}, {}, ':2: expected one entry of "tags" for each of 2'),
        ({"tokens": [["a"]], "tags": [[None]]}, {"scheme": None}, None),
        (
            {"tokens": [["a", "b"]], "tags": [["O", None]]},
            {},
            ':1: tags[1]: expected a string under "tags", found null',
        ),
        ({"tokens": [["a", ""]]}, {}, ":1: expected tokens, found an empty one (tokens[1]); leave it out"),
        ({"text": ["a c"], "tokens": [["a", "b"]]}, {}, ':1: expected "b" at character 2 of the text, found "c"; mend'),
        (
            {"text": ["ab"], "tokens": [[{"start": 1, "end": 3}]]},
            {},
            ":1: tokens[0]: expected 0 ≤ start < end ≤ 2 (the length of the text), found 1 and 3; count",
        ),
        (
            {"text": ["ab"], "spans": [[{"start": 0, "end": 1, "label": "X", "score": 1.0, "text": "b"}]]},
            {},
            ':1: spans[0]: expected "a", which stands at 0…1 of the text, found "b"; count',
        ),
    ],
)
def test_what_is_said_of_a_file_that_does_not_fit(
    tmp_path: Path, columns: dict[str, Any], named: dict[str, Any], message: str | None
) -> None:
    path = table(tmp_path / "a.parquet", columns)
    with pytest.raises(FormatError) as caught:
        list(read_parquet(path, **named))
    assert message is None or str(caught.value).startswith(f"{path}{message}")


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet([SENTENCE] * 3, path)
    whole = path.read_bytes()
    for content in (b"", b"a X\n", whole[:-1], whole[: len(whole) // 2], whole[:4] + b"\xff" * 90 + whole[94:]):
        path.write_bytes(content)
        with pytest.raises(
            FormatError, match=r"a\.parquet: expected a complete Parquet file, found one that cannot be"
        ):
            list(read_parquet(path))
    with pytest.raises(FormatError, match=r"none\.parquet: expected a file, found nothing under this name; check"):
        list(read_parquet(tmp_path / "none.parquet"))


def test_row_groups_are_written_and_read_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROW_GROUP", 2)
    path = tmp_path / "a.parquet"
    write_parquet((sentence_from_forms([str(number)]) for number in range(5)), path)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [2, 2, 1]
    assert [sentence.text for sentence in read_parquet(path)] == list("01234")


def test_a_file_that_fails_halfway_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("as it was")

    def failing() -> Iterator[Sentence]:
        yield SENTENCE
        raise FormatError("broken")

    with pytest.raises(FormatError, match=r"^broken$"):
        write_parquet(failing(), path)
    surrogate = "\ud800"
    with pytest.raises(FormatError, match=r"^sentence 2: expected Unicode text, found the unpaired surrogate U\+D800;"):
        write_parquet([SENTENCE, Sentence(text=surrogate, tokens=())], path)
    assert path.read_text() == "as it was"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.parquet"]
    with pytest.raises(
        FormatError, match=r"a\.parquet: cannot be written \(No such file or directory\); check the path"
    ):
        write_parquet([], tmp_path / "none" / "a.parquet")


def test_verified_scheme(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"tokens": [["a"], ["b"]], "tags": [["O"], ["I-X"]]})
    with pytest.raises(FormatError, match=r"a\.parquet:2: expected .*\(BIO\), found \"I-X\""):
        list(read_parquet(path, scheme="BIO"))


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    for call in (lambda: locate_parquet(tmp_path / "a"), lambda: write_parquet([], tmp_path / "a")):
        with pytest.raises(MissingExtraError, match=r'^Parquet needs pyarrow: pip install "gatewise\[parquet\]"$'):
            call()


def test_bytes_in_the_place_of_a_token_s_text_are_refused_in_a_sentence(tmp_path: Path) -> None:
    rows = [{"text": "ab", "tokens": [{"text": b"\xff", "start": 0, "end": 1}]}]
    pq.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    with pytest.raises(FormatError, match=r'a\.parquet:1: .*expected "a"'):
        list(read_parquet(tmp_path / "a.parquet"))
