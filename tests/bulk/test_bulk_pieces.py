"""The parts of a bulk job, without a cluster: places, chunks, packed models, and the order of what comes back."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from gatewise import bulk
from gatewise.bulk.answers import Answers
from gatewise.bulk.packed_model import PackedModel, pack_model, unpack_model
from gatewise.bulk.places import fetched, find_files, find_places, placing
from gatewise.bulk.workers import Answer, Row, read_chunks
from gatewise.errors import ClusterError, ConfigError, FormatError, JobError, ModelError
from gatewise.formats.target import appearing
from gatewise.jobs import Input, JobOptions, JobProgress
from gatewise.jobs.stream import CHUNK
from gatewise.runtime import Tagger


def rows(*places: tuple[int, int, bool]) -> list[Row]:
    answers = [
        pickle.dumps(Answer(content=f"{f}.{c} ".encode(), sentences=2, tokens=5, left_out={})) for f, c, _ in places
    ]
    return [
        {"file": file, "name": "a", "chunk": chunk, "last": last, "read": 7, "answer": answer, "error": None}
        for (file, chunk, last), answer in zip(places, answers, strict=True)
    ]


def written(found: list[Row], files: list[int]) -> list[str]:
    """What each output holds, of so many files each."""
    inputs = [Input(path="a", format="text", size=7)] * sum(files)
    answers = Answers(found, inputs, progress=lambda _: None, notify=pytest.fail)
    outputs = [b"".join(answers.contents(of_one)).decode() for of_one in files]
    assert (answers.sentences, answers.tokens) == (2 * len(found), 5 * len(found))
    return outputs


WHOLE = rows((0, 0, False), (0, 1, True), (1, 0, True), (2, 0, False), (2, 1, False), (2, 2, True))


def test_what_is_whole_and_in_order_passes() -> None:
    assert written(WHOLE, [3]) == ["0.0 0.1 1.0 2.0 2.1 2.2 "]
    assert written(WHOLE, [1, 2]) == ["0.0 0.1 ", "1.0 2.0 2.1 2.2 "]
    assert written([], []) == []


@pytest.mark.parametrize("at", range(len(WHOLE)))
def test_nothing_is_lost_repeated_or_exchanged_unseen(at: int) -> None:
    lost = WHOLE[:at] + WHOLE[at + 1 :]
    repeated = WHOLE[: at + 1] + WHOLE[at:]
    exchanged = [*WHOLE[:at], *reversed(WHOLE[at : at + 2]), *WHOLE[at + 2 :]]
    for wrong in (lost, repeated, *([exchanged] if exchanged != WHOLE else [])):
        with pytest.raises(ClusterError, match=r"^Ray: expected .* the output is not complete, start the job again$"):
            written(wrong, [3])


def test_progress_and_what_was_left_out_are_added_up() -> None:
    left = [{"x": 1}, {"x": 2, "y": 1}, {}]
    answers = [
        pickle.dumps(Answer(content=b"", sentences=n, tokens=n * n, left_out=kinds)) for n, kinds in enumerate(left)
    ]
    where = [(0, 0, False, 30), (0, 1, True, 100), (1, 0, True, 9)]
    found = [
        {"file": f, "name": f"{f}.txt", "chunk": c, "last": last, "read": read, "answer": answer, "error": None}
        for (f, c, last, read), answer in zip(where, answers, strict=True)
    ]
    inputs = [Input(path="a", format="text", size=100), Input(path="b", format="text", size=11)]
    heard: list[JobProgress] = []
    told: list[str] = []
    list(Answers(found, inputs, progress=heard.append, notify=told.append).contents(2))
    assert [(now.done, now.total, now.sentences, now.tokens) for now in heard] == [
        (30, 111, 0, 0), (100, 111, 1, 1), (109, 111, 3, 5),
    ]  # fmt: skip
    assert told == ["0.txt: 3 x", "0.txt: 1 y"]


def test_chunks_are_those_of_one_process(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    lines = [f"{n}号" * (n % 3) for n in range(2 * CHUNK + 5)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    row = {"file": 3, "name": "mine.txt", "address": str(path), "format": "auto"}
    *found, last = read_chunks(row, JobOptions(target="jsonl"))
    units = [pickle.loads(chunk["units"]) for chunk in found]
    assert [len(of_one) for of_one in units] == [1024, 1024, 5]
    assert [unit.content for of_one in units for unit in of_one] == lines
    assert [chunk["chunk"] for chunk in found] == [0, 1, 2]
    assert found[-1]["read"] == path.stat().st_size
    assert (last["file"], last["chunk"], last["last"], last["units"], last["error"]) == (3, 3, True, None, None)


def test_what_breaks_a_file_off_travels_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 40_000)[:-30])
    row = {"file": 3, "name": "mine.jsonl.gz", "address": str(path), "format": "jsonl"}
    *before, last = read_chunks(row, JobOptions(target="jsonl"))
    assert [chunk["chunk"] for chunk in before] == list(range(len(before)))
    assert (last["file"], last["chunk"], last["last"], last["units"]) == (3, len(before), False, None)
    error = pickle.loads(last["error"])
    assert type(error) is FormatError
    assert str(error).startswith("mine.jsonl.gz")


def test_a_packed_model_needs_no_folder(stored: Path, taggers: dict[str, Tagger]) -> None:
    packed = pickle.loads(pickle.dumps(pack_model(stored / "v1-spans")))
    for threads in (1, 2):
        tagger = unpack_model(packed, threads=threads)
        many = ["小明住在北京。" * n for n in range(90)]
        assert list(tagger.tag_many(many)) == list(taggers["v1-spans"].tag_many(many))
    assert tagger.tag("小明住在北京。") == taggers["v1-spans"].tag("小明住在北京。")
    with pytest.raises(ModelError, match=r"expected gatewise 0\.0\.9 on every machine, found .* on one; install the"):
        unpack_model(PackedModel(files=packed.files, version="0.0.9"), threads=1)


# Places


def test_files_are_found_as_by_one_process(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    found = find_files([f"file://{tmp_path}/*.txt", f"{tmp_path}/a.txt"], "auto")
    assert [(entry.path, entry.format, entry.size) for entry in found] == [
        (f"{tmp_path}/{name}.txt", "text", 5) for name in ("a", "b", "a")
    ]
    with pytest.raises(
        JobError, match=r"x\*: expected a pattern that fits files, found none that it fits; check the path"
    ):
        find_files([f"{tmp_path}/x*"], "auto")
    for address, message in (
        ("memory://a", "expected files that every worker can read, found the memory of one process"),
        ("-", "expected a file that workers can read, found a stream; save it first"),
        ("/dev/null", "expected a file that workers can read, found a stream; save it first"),
    ):
        with pytest.raises(JobError, match=f"^{address}: {message}"):
            find_files([address], "text")


def test_remote_files_are_read_through_fsspec(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    store = f"zip://*.txt::file://{tmp_path}/store.zip"
    with zipfile.ZipFile(tmp_path / "store.zip", "w") as packed:
        packed.writestr("b.txt", "这是b.txt")
        packed.writestr("a.txt", "这是a.txt")
    address = store.replace("*", "a")
    [found] = find_files([address], "auto")
    assert (found.path, found.size) == (address, None)
    with fetched(address, address) as path:
        assert str(path) == address
        assert Path(path).read_text(encoding="utf-8") == "这是a.txt"
    assert not Path(path).exists()
    row = {"file": 0, "name": address, "address": address, "format": "auto"}
    [unit] = pickle.loads(next(read_chunks(row, JobOptions(target="jsonl")))["units"])
    assert unit.content == "这是a.txt"
    missing = store.replace("*", "c")
    with pytest.raises(JobError, match=r"zip://c\.txt.*: expected "), fetched(missing, missing):
        pass
    unknown = "^nope://a: expected a place that fsspec can read, found that it cannot"
    with pytest.raises(JobError, match=unknown), fetched("nope://a", "nope://a"):
        pass
    with pytest.raises(JobError, match=r"^nope://\*: expected a place that fsspec can read"):
        find_files(["nope://*"], "auto")


def test_a_folder_gets_an_output_for_each_file(tmp_path: Path) -> None:
    inputs = [Input(path=path, format="text") for path in ("x/b.txt.gz", "s3://bucket/a.jsonl")]
    places = find_places(f"{tmp_path}/out/", inputs, "parquet")
    assert [(place.address, place.files) for place in places] == [
        (f"{tmp_path}/out/b.parquet", 1), (f"{tmp_path}/out/a.parquet", 1),
    ]  # fmt: skip
    assert (tmp_path / "out").is_dir()
    [place] = find_places("s3://bucket/out.jsonl", inputs, "jsonl")
    assert (place.address, place.files) == ("s3://bucket/out.jsonl", 2)


@pytest.mark.parametrize("remote", [False, True])
def test_an_output_appears_when_it_is_complete(tmp_path: Path, remote: bool) -> None:
    fsspec = pytest.importorskip("fsspec")
    address = "memory://bulk/out.jsonl" if remote else f"file://{tmp_path}/out.jsonl"
    system, path = fsspec.core.url_to_fs(address)
    system.makedirs(system._parent(path), exist_ok=True)
    system.pipe_file(path, b"old")
    with suppress(RuntimeError), placing(address) as target, appearing(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert system.cat_file(path) == b"old"
    with placing(address) as target, appearing(target) as stream:
        stream.write(b"new")
        assert system.cat_file(path) == b"old"
    assert system.cat_file(path) == b"new"
    assert [Path(name).name for name in system.ls(system._parent(path), detail=False)] == ["out.jsonl"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    for address, what in ((str(tmp_path), "a directory"), ("/dev/null", "a device")):
        with pytest.raises(JobError, match=f"expected a file to write, found {what}"), placing(address):
            pass


def test_a_wrong_job_is_refused_before_a_cluster_starts(tmp_path: Path, stored: Path) -> None:
    with pytest.raises(ConfigError, match=r"^target: expected one of jsonl, parquet, found 'conll'"):
        bulk.run(bulk.Job(files=["a"], output="b", target="conll"))
    with pytest.raises(ModelError, match=r"^nope: expected a model folder"):
        bulk.run(bulk.Job(files=["a"], output="b", model="nope"))
    with pytest.raises(ModelError, match=r"expected a head of this model, found 'ner'"):
        bulk.run(bulk.Job(files=["a"], output="b", model=stored / "v1-spans", head="ner"))
