"""Bulk tagging on a real Ray cluster of two CPUs: what one process says, in its order, once each, whatever dies."""

from __future__ import annotations

import os
import pickle
import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gatewise import bulk
from gatewise.bulk.cluster import connected
from gatewise.bulk.dataset import Asked, RowTagger
from gatewise.bulk.packed_model import pack_model
from gatewise.bulk.workers import ATTEMPTS, Answer, Attempts, Worker, read_chunks
from gatewise.errors import ClusterError, FormatError, GatewiseError
from gatewise.formats import write_binary
from gatewise.formats.parquet import read_parquet, table_of
from gatewise.jobs import JobOptions, JobProgress
from gatewise.runtime import Tagger
from gatewise.text import sentence_from_forms

ray: Any = pytest.importorskip("ray")
data: Any = pytest.importorskip("ray.data")
pyarrow: Any = pytest.importorskip("pyarrow.parquet") and pytest.importorskip("pyarrow")

pytestmark = [  # Ray's own code is full of them
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Run = Any  # the fixture `gatewise_command`
SENTENCES = 5 * 1024 + 77


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """The cluster of a job without an address, with two CPUs; after the module nothing of it runs."""
    with connected(None, workers=2, threads=1) as count:
        assert count == 2
        yield
    assert not ray.is_initialized()
    assert not workers()


def workers(name: str = "") -> list[int]:
    """The processes of Ray's workers below this one, by what they run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            title = (folder / "cmdline").read_text(errors="replace") if folder.name.isdigit() else ""
            if title.startswith(f"ray::{name}") and os.getpid() in ancestors(int(folder.name)):
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended
    return found


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        yield pid


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """A test that hangs is a test that fails."""

    def tell(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"expected an end within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, tell)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def wait_for_cpus() -> None:
    """Until nobody has a CPU of the cluster."""
    with within(120):
        while ray.available_resources().get("CPU") != 2:
            time.sleep(0.05)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Ragged, some empty, no two neighbors alike in length."""
    draw = random.Random(7)
    return ["".join(draw.choices("小明住在北京上海。a ", k=draw.randrange(0, 19))) for _ in range(SENTENCES)]


# The job: files in, one file out, or one for each


def test_workers_that_are_killed_lose_and_repeat_nothing(
    gatewise_command: Run, texts: list[str], tmp_path: Path
) -> None:
    source, alone, output = tmp_path / "in.txt", tmp_path / "alone.jsonl.gz", tmp_path / "out.jsonl.gz"
    source.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    assert gatewise_command("tag", source, "--from", "text", "--to", "jsonl", "-o", alone).code == 0
    killed: list[int] = []

    def kill_once(done: JobProgress) -> None:
        if not killed:
            assert done.sentences == 1024
            killed.extend(workers("MapWorker"))  # those that tag
            assert len(killed) == 2
            killed.extend(workers("FlatMap"))  # what reads, if it still does
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    job = bulk.Job(files=[str(source)], output=str(output), source="text", workers=2)
    with within(120):
        done = bulk.run(job, progress=kill_once)
    assert killed
    assert done.sentences == SENTENCES
    assert output.read_bytes() == alone.read_bytes()


def test_the_command_makes_the_files_of_one_process(
    gatewise_command: Run, stored: Path, texts: list[str], tmp_path: Path
) -> None:
    write_binary((sentence_from_forms(list(text)) for text in texts[:2100]), tmp_path / "in.parquet", "parquet")
    for n in (0, 3, 1200):
        (tmp_path / f"{n}.txt").write_text("".join(f"{i}住在北京。好\n" for i in range(n)), encoding="utf-8")
    options = ("tag", "-m", stored / "v1-heads", "--head", "chunks", "--split", "--to", "parquet")
    files = (f"{tmp_path}/*.txt", f"{tmp_path}/in.parquet")
    for engine in ((), ("--engine", "ray", "--workers", 2, "--from", "auto")):
        ran = gatewise_command(*options, *files, "-o", f"{tmp_path}/out{len(engine)}/", *engine)
        assert (ran.code, ran.out, ran.err) == (0, "", "")
    made = sorted(path.name for path in (tmp_path / "out6").iterdir())
    assert made == ["0.parquet", "1200.parquet", "3.parquet", "in.parquet"]
    for name in made:
        assert (tmp_path / "out6" / name).read_bytes() == (tmp_path / "out0" / name).read_bytes()
    assert len(list(read_parquet(tmp_path / "out6" / "in.parquet"))) == 2100


def test_what_stops_a_job_leaves_the_output_as_it_was_and_the_cluster_free(stored: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out"
    source.write_text('{"text": "我叫小明"}\n' * 3000, encoding="utf-8")
    output.write_text("old")

    def interrupt(done: JobProgress) -> None:
        raise KeyboardInterrupt

    job = bulk.Job(files=[str(source)], output=str(output), model=stored / "v1-spans", workers=2)
    with within(120), pytest.raises(KeyboardInterrupt) as told:
        bulk.run(job, progress=interrupt)
    wait_for_cpus()
    assert told.value.__traceback__ is not None  # it is kept, with all that it refers to
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out"]


def answers_of(source: Path, model: Path, again: int = 0) -> Iterator[tuple[Answer | None, GatewiseError | None]]:
    """What a worker says of each chunk of a file, in this process, and `again` of the last."""
    options = JobOptions(target="jsonl")
    worker = Worker(ray.put(pack_model(model)), options, 1, ray.remote(num_cpus=0)(Attempts).remote())
    row = {"file": 4, "name": str(source), "address": str(source), "format": "auto"}
    *chunks, _ = read_chunks(row, options)
    for chunk in [*chunks, *chunks[-1:] * again]:
        [found] = worker(pyarrow.Table.from_pylist([chunk])).to_pylist()
        yield tuple(None if found[name] is None else pickle.loads(found[name]) for name in ("answer", "error"))


def test_a_chunk_that_kills_every_worker_is_found(stored: Path, tmp_path: Path) -> None:
    source = tmp_path / "deadly.txt"
    source.write_text("我\n" * 1027, encoding="utf-8")
    _, *last = answers_of(source, stored / "v1-spans", again=ATTEMPTS)
    assert [error for _, error in last[:-1]] == [None] * ATTEMPTS
    assert type(last[-1][1]) is ClusterError
    assert str(last[-1][1]).startswith(
        f"{source}: expected workers that survive what stands at 1025 to 1027, found that 4 died of it; give workers"
    )


def test_a_broken_line_is_told_in_the_sentence_of_one_process(
    gatewise_command: Run, stored: Path, tmp_path: Path
) -> None:
    for name, line, where in (("a.jsonl", '{"text": 7}', 1033), ("b.txt", "我\x00\ud800", 1033)):
        source = tmp_path / name
        good = '{"text": "我叫小明"}\n' if name.endswith("l") else "我叫小明\n"
        source.write_bytes((good * 1032 + f"{line}\n" + good).encode(errors="surrogatepass"))
        (_, first), (answer, error) = answers_of(source, stored / "v1-spans")
        assert (first, answer, type(error)) == (None, None, FormatError)
        alone = gatewise_command("tag", "-m", stored / "v1-spans", source, "--to", "jsonl")
        assert alone.err == f"error: {error}; --rejects FILE puts such lines aside and goes on\n"
        assert f"{name}:{where}: expected" in alone.err


def test_what_a_segmentation_leaves_out_is_counted(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.conll"
    source.write_text("# id 3 x\n我 X\n\n好 Y\n\n# id 4 z\n叫 X\n好 X\n", encoding="utf-8")
    [(answer, _)] = answers_of(source, stored / "v1-segmentation")
    alone = gatewise_command("tag", "-m", stored / "v1-segmentation", source, "--to", "jsonl")
    assert answer is not None
    assert answer.content.decode() == alone.out
    [(what, count)] = answer.left_out.items()
    assert alone.err == f"{source}: {count} {what}\n"
    assert (count, answer.sentences, answer.tokens) == (2, 3, 4)


# A data set of Ray Data


def test_a_column_of_tokens_beside_others(stored: Path, taggers: dict[str, Tagger]) -> None:
    forms = [["小明", "住"], [], ["在", "北京", "。"]]
    table = pyarrow.table({"words": pyarrow.array(forms, pyarrow.list_(pyarrow.string())), "tags": [3, 1, 2]})
    asked = Asked(column="words", in_tokens=True, head="", prefix="new_", errors=None, threads=1)
    found = RowTagger(ray.put(pack_model(stored / "v1-tags")), asked)(table).to_pylist()
    assert [(row["words"], row["tags"]) for row in found] == list(zip(forms, [3, 1, 2], strict=True))
    assert [tuple(row["new_tags"]) for row in found] == [taggers["v1-tags"].tag_tokens(one).tags for one in forms]


def test_rows_that_cannot_be_tagged_stop_it_again_and_again_or_are_told_of(
    stored: Path, taggers: dict[str, Tagger], texts: list[str]
) -> None:
    some = [None if n == 40 else text for n, text in enumerate(texts[:1500])]
    rows = data.from_items([{"id": n, "text": text} for n, text in enumerate(some)], override_num_blocks=7)
    message = 'expected a text in the column "text", found null'
    kept = []  # as a notebook keeps errors
    for _ in range(3):
        with within(120), pytest.raises(GatewiseError, match=message) as told:
            bulk.tag_dataset(rows, stored / "v1-spans", workers=2).take_all()
        kept.append(told.value)
        wait_for_cpus()
    with within(120):
        found = bulk.tag_dataset(rows, stored / "v1-spans", errors="error", workers=2).take_all()
    assert [(row["id"], row["text"]) for row in found] == list(enumerate(some))
    failed = found.pop(40)
    assert (failed["error"], failed["tags"], failed["spans"]) == (message, None, None)
    wanted = table_of(list(taggers["v1-spans"].tag_many(text for text in some if text is not None))).to_pylist()
    for row, right in zip(found, wanted, strict=True):
        assert [row["tokens"], row["tags"], row["error"]] == [right["tokens"], right["tags"], None]
        assert row["scores"] == pytest.approx(right["scores"], abs=1e-5)
        assert [span["label"] for span in row["spans"]] == [span["label"] for span in right["spans"]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"column": "t"}, r'^expected a column "t", found "text", "forms"; name yours: text=… or tokens=…$'),
        ({"errors": "text"}, r'^expected no column "text", for results are written there, found .* prefix=…$'),
        (
            {"in_tokens": True, "column": "forms"},
            r"^expected a list of tokens .* none of them empty, found \['a', ''\]$",
        ),
    ],
)
def test_columns_that_do_not_fit_are_told(stored: Path, changed: dict[str, Any], message: str) -> None:
    asked = Asked(column="text", in_tokens=False, head="", prefix="", errors=None, threads=1)
    tagger = RowTagger(ray.put(pack_model(stored / "v1-spans")), replace(asked, **changed))
    with pytest.raises(GatewiseError, match=message):
        tagger(pyarrow.table({"text": ["小明"], "forms": [["a", ""]]}))


# What a reader of docs/bulk.md does


@pytest.mark.source
def test_the_python_of_the_document_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Path(__file__).resolve().parent.parent.parent / "docs" / "bulk.md"
    blocks = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    for n in (1, 2):
        Path(f"news-{n}.jsonl").write_text('{"text": "我叫小明"}\n' * n, encoding="utf-8")
    for block in blocks:
        exec(block, {})
    assert capsys.readouterr().out.splitlines() == [
        "3 12",
        "7 ['S-PRON', 'S-VERB', 'B-PROPN', 'E-PROPN'] None",
        '8 None expected a text in the column "text", found null',
    ]
    assert Path("tagged.jsonl").read_text(encoding="utf-8").count("\n") == 3
