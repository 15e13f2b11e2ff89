"""Reading goes on after what is broken: good sentences come as from a file without it, the rest as it stood there."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from gatewise.errors import FormatError
from gatewise.formats import locate_sentences, read_sentences
from gatewise.formats.broken import Broken
from gatewise.formats.source import WatchedFile, line_runs, numbered_lines

# Of each format: pieces of a file, those marked False broken, with what is said of them.
GOOD_JSONL = b'{"text": "\xe5\xb0\x8f\xe6\x98\x8e"}\n'
PIECES: dict[str, list[tuple[bytes, str | None]]] = {
    "jsonl": [
        (GOOD_JSONL, None),
        (b'{"text": "a"\n', "broken JSON"),
        (b'{"text": "\xff"}\n', "found the byte 0xFF after 10 good bytes"),
        (b'{"text": "\\ud83d"}\n', "unpaired surrogate U+D83D"),
        (b'{"txt": "a"}\n', 'expected a string under "text", found nothing'),
        (b'{"text": "ab", "spans": [{"start": 1, "end": 3, "label": "X"}]}\n', "0 \u2264 start < end \u2264 2"),
        (b'{"text": "last"}\n', None),
    ],
    "conll": [
        (b"a O\nb B-X\n\n", None),
        (b"c O\nd\ne O\n\n", "expected 2 columns, found 1"),
        (b"# of f\nf\tO\n\n", None),
        (b"g\tO\nh\xfe\tO\n\n", "found the byte 0xFE after 1 good bytes"),
        (b"# \xff\ni\tO\n\n", "found the byte 0xFF after 2 good bytes"),
        (b"j\tO\n\n", None),
    ],
    "conllu": [
        (b"# text = a\n1\ta\t_\tX" + b"\t_" * 6 + b"\n\n", None),
        (b"# text = a\n2\ta\t_\tX" + b"\t_" * 6 + b"\n\n", "2"),
        (b"# newdoc\n\n", None),
        (b"1\tb\xff\t_\tX" + b"\t_" * 6 + b"\n\n", "found the byte 0xFF after 3 good bytes"),
        (b"1\tc\t_\tX" + b"\t_" * 6 + b"\n\n", None),
    ],
    "doccano": [
        (b'{"text": "ab cd", "label": [[0, 2, "X"]]}\n', None),
        (b'{"text": "ab cd", "label": [[1, 4, "X"]]}\n', 'cuts the token "ab"'),
        (b'{"text": "ab cd", "label": [[1, 9, "X"]]}\n', "0 \u2264 start < end \u2264 5"),
        (b'{"text": "e\xff"}\n', "found the byte 0xFF after 11 good bytes"),
        (b"[]\n", "expected a JSON object"),
        (b'{"text": "ef", "label": []}\n', None),
    ],
    "prodigy": [
        (b'{"text": "ab", "spans": [], "answer": "accept"}\n', None),
        (b'{"text": "ab", "spans": [], "answer": "maybe"}\n', "expected the answer accept"),
        (b'{"text": "cd", "spans": [], "answer": "accept"}\n', None),
    ],
    "cluener": [
        (b'{"text": "ab", "label": {"X": {"ab": [[0, 1]]}}}\n', None),
        (b'{"text": "ab", "label": {"X": {"ab": [[0, 2]]}}}\n', "found 0 and 3"),
        (b'{"text": "cd", "label": {}}\n', None),
    ],
    "label-studio": [
        (b'{"data": {"text": "ab"}, "annotations": [{"result": []}]}\n', None),
        (b'{"data": {"x": "y", "z": "w"}, "annotations": [{"result": []}]}\n', "found 2 strings"),
        (b'{"data": {"text": "cd"}, "annotations": [{"result": []}]}\n', None),
    ],
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("format", PIECES)
def test_it_goes_on_after_each(tmp_path: Path, format: str, packed: bool) -> None:
    pieces = PIECES[format]
    if format == "conllu":  # comments go with the sentence that follows them, here a broken one
        raws = [pieces[1][0], pieces[2][0] + pieces[3][0]]
    else:
        raws = [raw for raw, said in pieces if said is not None]
    path, clean = tmp_path / "all", tmp_path / "clean"
    whole = b"".join(raw for raw, _ in pieces)
    path.write_bytes(gzip.compress(whole) if packed else whole)
    clean.write_bytes(b"".join(raw for raw, said in pieces if said is None and raw != b"# newdoc\n\n"))
    found: list[Broken] = []
    sentences = [located.sentence for located in locate_sentences(path, format, broken=found.append)]
    assert sentences == list(read_sentences(clean, format))
    reasons = [said for _, said in pieces if said is not None]
    first, found = found[0], sorted(found, key=lambda broken: broken.line)  # some look at many lines before they begin
    for broken, said in zip(found, reasons, strict=True):
        assert said in broken.reason
        assert broken.reason.startswith(f"{path}:")
        assert whole.splitlines()[broken.line - 1] == broken.raw.splitlines()[0]
    if format != "conllu":
        assert [broken.raw.strip(b"\n") for broken in found] == [raw.strip(b"\n") for raw in raws]
    else:
        assert found[1].raw == b"# newdoc\n\n1\tb\xff\t_\tX" + b"\t_" * 6
    with pytest.raises(FormatError) as raised:
        list(locate_sentences(path, format))
    assert str(raised.value) == first.reason


def test_rows_of_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    rows = [{"text": "ab", "spans": []}, {"text": None, "spans": None}, {"text": "cd", "spans": None}]
    rows.insert(2, {"text": "ab", "spans": [{"start": 1, "end": 5, "label": "X"}]})
    span = pyarrow.struct({"start": pyarrow.int64(), "end": pyarrow.int64(), "label": pyarrow.string()})
    schema = pyarrow.schema({"text": pyarrow.string(), "spans": pyarrow.list_(span)})
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path)
    found: list[Broken] = []
    located = list(locate_sentences(path, broken=found.append))
    assert [(entry.sentence.text, entry.lines) for entry in located] == [("ab", (1,)), ("cd", (4,))]
    assert [(broken.line, json.loads(broken.raw)) for broken in found] == [(2, rows[1]), (3, rows[2])]
    assert found[0].reason == (
        f'{path}:2: expected a string under "text", found null; see the format in docs/formats.md'
    )


def test_a_packed_file_that_is_cut_off_is_no_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(os.urandom(5000).hex().encode() + b"\n")[:-200])
    with pytest.raises(FormatError, match="expected a complete gzip file"):
        list(line_runs(path, errors="surrogateescape"))


def test_an_idle_pipe_gives_its_lines_before_the_next_come(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as incoming:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(incoming))
        runs = line_runs("-")
        os.write(writer, b"a\nb\nhalf")
        assert next(run for run in runs if run) == [(1, "a"), (2, "b")]
        assert next(runs) == []  # nothing more for now; without this the next line would be waited for
        threading.Timer(0.1, lambda: (os.write(writer, b" a line\n"), os.close(writer))).start()
        assert [run for run in runs if run] == [[(3, "half a line")]]


def test_packed_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(gzip.compress("小\n明".encode()))
    with path.open("rb") as incoming:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(incoming))
        assert list(numbered_lines("-")) == [(1, "小"), (2, "明")]


def test_a_watched_file_says_how_far_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "long.gz"
    path.write_bytes(gzip.compress(os.urandom(300_000).hex().encode().replace(b"0", b"\n")))
    watched = WatchedFile(path=str(path))
    assert watched.position == 0
    seen = [watched.position for _ in line_runs(watched)]
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[len(seen) // 2] < path.stat().st_size
    assert seen[-1] == path.stat().st_size
    assert watched.position == path.stat().st_size
