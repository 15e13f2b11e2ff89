"""Lines are decoded many at a time: the same as one at a time, wherever the pieces of a file happen to end."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import FormatError
from gatewise.formats import source
from gatewise.formats.source import numbered_lines

PIECES = st.sampled_from(
    [b"a", b"\n", b"\r", b"\r\n", b"\t", b"\xe6\x88\x91", b"\xe6", b"\xff", b"\xef\xbb\xbf", b"\x00", b"\xc2\x85"]
)


def one_at_a_time(raw: bytes) -> tuple[list[tuple[int, str]], str | None]:
    """The lines before the first that is not UTF-8, and what is said of that one."""
    found = []
    for number, whole in enumerate(io.BytesIO(raw.removeprefix(b"\xef\xbb\xbf")), start=1):
        line = whole.removesuffix(b"\n").removesuffix(b"\r")
        try:
            found.append((number, line.decode()))
        except UnicodeDecodeError as error:
            return (
                found,
                f":{number}: expected UTF-8, found the byte 0x{line[error.start]:02X} after {error.start} good",
            )
    return found, None


@pytest.mark.parametrize("packed", [False, True])
@given(raw=st.lists(PIECES, max_size=30).map(b"".join), size=st.integers(1, 12))
def test_the_same_as_one_at_a_time(
    tmp_path_factory: pytest.TempPathFactory, packed: bool, raw: bytes, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "pieces"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    lines, problem = one_at_a_time(raw)
    found = []
    said = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK", size)
        try:
            for line in numbered_lines(path):
                found.append(line)  # noqa: PERF402 – what came before an error counts
        except FormatError as error:
            said = str(error).removeprefix(str(path))
    assert found == lines
    assert (said is None) == (problem is None)
    assert (said or "").startswith(problem or "")


def test_a_line_longer_than_what_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 10)
    path = tmp_path / "long"
    path.write_text("我" * 1000 + "\nb", encoding="utf-8")
    assert list(numbered_lines(path)) == [(1, "我" * 1000), (2, "b")]
