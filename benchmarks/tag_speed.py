"""How fast tagging is, from strings to spans, beside Flair, spaCy, CRFsuite, jieba and the bare LSTM kernels.

    python benchmarks/tag_speed.py MODEL TRAIN.tsv FILE.tsv… --text FILE.txt [--peers PYTHON] [--rounds 3]

MODEL is a gatewise model trained on TRAIN, such as Resume NER with all defaults: 200 units a direction that read 192
numbers a token. It tags the sentences of the FILEs, and so do

- itself on the native kernel's VNNI instructions instead of AMX, and on onnxruntime's layers;
- the bare kernels: onnxruntime's LSTM and its integer LSTM (DynamicQuantizeLSTM) in those sizes, on random numbers in
  the batches that gatewise makes, one thread a batch, with no look-up before them and nothing after them;
- Flair's SequenceTagger with the same LSTM and a CRF, trained for one epoch on 600 sentences of TRAIN (`--peers`);
- spaCy's entity recognizer in its default size, trained for one epoch on 600 sentences;
- CRFsuite through python-crfsuite on the characters and bigrams up to two places from each token, and once more on
  fewer of them, trained on TRAIN to where its F1 on the last FILE (in its row) rises no more; features included. It
  has one thread, so it is compared with gatewise on one.

jieba.posseg cuts and tags the lines of `--text`, and so does the bundled `zh`; there characters count. `--peers` names
the Python of an environment that has the peers. Everyone runs in a process of its own, once to warm up and then
`--passes` times; rounds take turns. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from train_speed import HIDDEN, INPUT, processor

SOME = 600  # sentences that a peer is trained on, to have spans at all
Found = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a child works on."""

    model: str
    train: str
    files: tuple[str, ...]
    text: str
    threads: int
    passes: int
    scratch: str


def read_columns(paths: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """Tokens and tags of each sentence; shared by all, so that no reader is measured."""
    found = []
    for path in paths:
        for block in Path(path).read_text(encoding="utf-8").split("\n\n"):
            rows = [line.split() for line in block.splitlines() if line.strip()]
            if rows:
                found.append(([row[0] for row in rows], [row[-1] for row in rows]))
    return found


def timed(job: Job, count: int, work: Callable[[], object], version: str) -> Found:
    work()
    began = time.perf_counter()
    for _ in range(job.passes):
        work()
    return {"speed": job.passes * count / (time.perf_counter() - began), "version": version}


def gatewise(job: Job, *, scores: bool = False) -> Found:
    import gatewise as package

    tagger = package.load(job.model, threads=job.threads)
    sentences = [tokens for tokens, _ in read_columns(job.files)]
    texts = ["".join(tokens) for tokens in sentences]

    def work() -> int:
        return sum(len(sentence.spans) for sentence in tagger.tag_many(texts, scores=scores))

    return timed(job, sum(map(len, sentences)), work, package.__version__)


def gatewise_with_scores(job: Job) -> Found:
    return gatewise(job, scores=True)


def gatewise_in_the_graph(job: Job) -> Found:
    """Without the native kernel."""
    os.environ["GATEWISE_KERNEL"] = "onnxruntime"
    return gatewise(job)


def gatewise_without_tiles(job: Job) -> Found:
    """With the native kernel's VNNI, where there is AMX, too."""
    os.environ["GATEWISE_KERNEL"] = "vnni"
    return gatewise(job)


def gatewise_text(job: Job) -> Found:
    import gatewise as package

    tagger = package.load("zh", threads=job.threads)
    lines = Path(job.text).read_text(encoding="utf-8").splitlines()

    def work() -> int:
        return sum(len(sentence.spans) for sentence in tagger.tag_many(lines, scores=False))

    return timed(job, sum(map(len, lines)), work, package.__version__)


def kernel(job: Job, *, integer: bool = False) -> Found:
    """One bidirectional layer of onnxruntime in the batches of gatewise."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import onnxruntime

    batches = batches_of(job)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(lstm_graph(integer=integer), options, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    feeds = [
        {
            "x": generator.normal(size=(max(lengths), len(lengths), INPUT)).astype("f"),
            "lengths": np.array(lengths, "i4"),
        }
        for lengths in batches
    ]

    def work() -> int:
        with ThreadPoolExecutor(job.threads or os.cpu_count()) as threads:
            return len(list(threads.map(lambda feed: session.run(None, feed)[0].shape, feeds)))

    return timed(job, sum(map(sum, batches)), work, onnxruntime.__version__)


def integer_kernel(job: Job) -> Found:
    return kernel(job, integer=True)


def batches_of(job: Job) -> list[list[int]]:
    """The lengths of the sentences of each run of the graph, as gatewise makes them of these files."""
    import gatewise as package
    from gatewise.runtime.session import Session
    from gatewise.runtime.workers import batches_of as groups
    from gatewise.text.sentence import sentence_from_forms

    session = Session(package.load(job.model, threads=1).archive, threads=1)
    sentences = [sentence_from_forms(tokens) for tokens, _ in read_columns(job.files)]
    found = []
    for group in groups(list(map(len, sentences))):
        batch = session.encode([sentences[number] for number in group])
        found += [batch.lengths[columns].tolist() for columns in batch.runs()]
    return found


def lstm_graph(*, integer: bool) -> bytes:
    """An ONNX graph of nothing but the layer, weights at random."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(1)
    shapes = {"W": (2, 4 * HIDDEN, INPUT), "R": (2, 4 * HIDDEN, HIDDEN)}
    constants: dict[str, Any] = {name: generator.normal(0, 0.1, shape).astype("f") for name, shape in shapes.items()}
    inputs = ["x", "W", "R", "B", "lengths"]
    if integer:
        inputs += ["", "", ""]
        for name in shapes:
            steps = np.abs(constants[name]).max(axis=2) / 127
            constants[name] = np.rint(constants[name] / steps[:, :, None]).astype("i1").transpose(0, 2, 1)
            constants |= {f"{name}.steps": steps, f"{name}.zero": np.zeros(steps.shape, "i1")}
            inputs += [f"{name}.steps", f"{name}.zero"]
    constants["B"] = np.zeros((2, 8 * HIDDEN), "f")
    node = helper.make_node(
        "DynamicQuantizeLSTM" if integer else "LSTM",
        inputs,
        ["y"],
        domain="com.microsoft" if integer else "",
        hidden_size=HIDDEN,
        direction="bidirectional",
    )
    graph = helper.make_graph(
        [node],
        "layer",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", INPUT]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["time", 2, "batch", HIDDEN])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return made


def flair(job: Job) -> Found:
    import torch
    from flair import __version__
    from flair.data import Corpus, Sentence
    from flair.datasets import ColumnDataset
    from flair.embeddings import OneHotEmbeddings
    from flair.models import SequenceTagger
    from flair.trainers import ModelTrainer

    torch.set_num_threads(job.threads or torch.get_num_threads())
    known = list(ColumnDataset(job.train, {0: "text", 1: "ner"}, column_delimiter="\t"))
    corpus = Corpus(train=known, sample_missing_splits=False)
    vectors = OneHotEmbeddings.from_corpus(corpus, min_freq=1, embedding_length=INPUT)
    tags = corpus.make_label_dictionary("ner", add_unk=False)
    tagger = SequenceTagger(vectors, tags, "ner", hidden_size=HIDDEN, reproject_embeddings=False)
    with tempfile.TemporaryDirectory() as folder:
        ModelTrainer(tagger, Corpus(train=known[:SOME], sample_missing_splits=False)).train(
            folder,
            learning_rate=0.01,
            optimizer=torch.optim.Adam,
            mini_batch_size=16,
            max_epochs=1,
            save_final_model=False,
            create_file_logs=False,
            create_loss_file=False,
        )
    forms = [tokens for tokens, _ in read_columns(job.files)]

    def work() -> int:
        sentences = [Sentence(tokens) for tokens in forms]
        tagger.predict(sentences, mini_batch_size=64)
        return sum(len(sentence.get_spans("ner")) for sentence in sentences)

    return timed(replace(job, passes=1), sum(map(len, forms)), work, __version__)


def spacy(job: Job) -> Found:
    import random

    import spacy as package
    from spacy.tokens import Doc
    from spacy.training import Example, biluo_tags_to_spans, iob_to_biluo
    from spacy.util import minibatch

    nlp = package.blank("xx")
    recognizer = nlp.add_pipe("ner")

    def example(tokens: list[str], tags: list[str]) -> Example:
        spaces = [False] * len(tokens)
        doc = Doc(nlp.vocab, words=tokens, spaces=spaces)
        doc.ents = biluo_tags_to_spans(doc, iob_to_biluo([tag.replace("M-", "I-") for tag in tags]))
        return Example(Doc(nlp.vocab, words=tokens, spaces=spaces), doc)

    known = [example(tokens, tags) for tokens, tags in read_columns([job.train])[:SOME]]
    nlp.initialize(lambda: known)
    random.Random(1).shuffle(known)
    for batch in minibatch(known, 32):
        nlp.update(batch)
    forms = [tokens for tokens, _ in read_columns(job.files)]

    def work() -> int:
        docs = (Doc(nlp.vocab, words=tokens, spaces=[False] * len(tokens)) for tokens in forms)
        return sum(len(doc.ents) for doc in recognizer.pipe(docs, batch_size=256))

    return timed(replace(job, passes=1), sum(map(len, forms)), work, package.__version__)


def crfsuite(job: Job) -> Found:
    return crfsuite_on(windows, job)


def crfsuite_on_less(job: Job) -> Found:
    return crfsuite_on(smaller_windows, job)


def crfsuite_on(features: Callable[[list[str]], list[list[str]]], job: Job) -> Found:
    from importlib.metadata import version

    import pycrfsuite

    path = Path(job.scratch) / f"{features.__name__}.crfsuite"
    if not path.exists():
        trainer = pycrfsuite.Trainer(verbose=False)
        for tokens, tags in read_columns([job.train]):
            trainer.append(features(tokens), tags)
        trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 100})
        trainer.train(str(path))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    found, gold = set(), set()
    for number, (tokens, tags) in enumerate(read_columns(job.files[-1:])):
        found |= {(number, *span) for span in spans(tagger.tag(features(tokens)))}
        gold |= {(number, *span) for span in spans(tags)}
    f1 = 200 * len(found & gold) / max(1, len(found) + len(gold))
    forms = [tokens for tokens, _ in read_columns(job.files)]

    def work() -> int:
        return sum(len(spans(tagger.tag(features(tokens)))) for tokens in forms)

    named = f"{version('python-crfsuite')}, F1 {f1:.2f}"
    return timed(replace(job, passes=1), sum(map(len, forms)), work, named)


def windows(tokens: list[str]) -> list[list[str]]:
    """The characters and bigrams up to two places away, the usual features of a linear CRF on Chinese."""
    padded = ["<s>", "<s>", *tokens, "</s>", "</s>"]
    return [
        [
            f"-2={padded[t]}",
            f"-1={padded[t + 1]}",
            f"0={padded[t + 2]}",
            f"1={padded[t + 3]}",
            f"2={padded[t + 4]}",
            f"-2|-1={padded[t]}{padded[t + 1]}",
            f"-1|0={padded[t + 1]}{padded[t + 2]}",
            f"0|1={padded[t + 2]}{padded[t + 3]}",
            f"1|2={padded[t + 3]}{padded[t + 4]}",
        ]
        for t in range(len(tokens))
    ]


def smaller_windows(tokens: list[str]) -> list[list[str]]:
    """The same without the two bigrams that the token itself is not in."""
    padded = ["<s>", "<s>", *tokens, "</s>", "</s>"]
    return [
        [
            f"-2={padded[t]}",
            f"-1={padded[t + 1]}",
            f"0={padded[t + 2]}",
            f"1={padded[t + 3]}",
            f"2={padded[t + 4]}",
            f"-1|0={padded[t + 1]}{padded[t + 2]}",
            f"0|1={padded[t + 2]}{padded[t + 3]}",
        ]
        for t in range(len(tokens))
    ]


def spans(tags: list[str]) -> list[tuple[int, int, str]]:
    found, start = [], 0
    for place, tag in enumerate([*tags, "O"]):
        if tag[:2] in ("B-", "S-") or tag == "O":
            if place > start and tags[start] != "O":
                found.append((start, place, tags[start][2:]))
            start = place
    return found


def jieba(job: Job) -> Found:
    import jieba as package
    import jieba.posseg

    package.setLogLevel(60)
    lines = Path(job.text).read_text(encoding="utf-8").splitlines()

    def work() -> int:
        return sum(len(jieba.posseg.lcut(line)) for line in lines)

    return timed(replace(job, passes=1), sum(map(len, lines)), work, package.__version__)


# What is measured: its function, whether it needs the peers' Python, and whether its one thread is all that it has.
TAGGERS: dict[str, tuple[Callable[[Job], Found], bool]] = {
    "gatewise": (gatewise, False),
    "gatewise, with probabilities": (gatewise_with_scores, False),
    "gatewise, by VNNI": (gatewise_without_tiles, False),
    "gatewise, by onnxruntime": (gatewise_in_the_graph, False),
    "onnxruntime's LSTM alone": (kernel, False),
    "onnxruntime's integer LSTM alone": (integer_kernel, False),
    "Flair": (flair, True),
    "spaCy": (spacy, True),
    "CRFsuite": (crfsuite, True),
    "CRFsuite, two bigrams": (crfsuite_on_less, True),
}
ON_TEXT: dict[str, tuple[Callable[[Job], Found], bool]] = {
    "gatewise `zh`": (gatewise_text, False),
    "jieba.posseg": (jieba, True),
}
ONE_THREAD = ("CRFsuite", "CRFsuite, two bigrams", "jieba.posseg")


def measure(name: str, python: str, job: Job) -> Found:
    command = [python, __file__, "--child", name, json.dumps(asdict(job))]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: Found = json.loads(printed.splitlines()[-1])
    return found


def compare(taggers: dict[str, tuple[Callable[[Job], Found], bool]], peers: str, job: Job, rounds: int) -> None:
    """Print a row for each; the first is what the others are compared with."""
    first = next(iter(taggers))
    named = [name for name, (_, outside) in taggers.items() if peers or not outside]
    if job.threads != 1:
        named = [name for name in named if name not in ONE_THREAD]
    found: list[dict[str, Found]] = []
    for number in range(1, rounds + 1):
        found.append({})
        for name in named:
            python = peers if taggers[name][1] else sys.executable
            found[-1][name] = measure(name, python, job)
            print(f"round {number}, {name}: {found[-1][name]['speed']:,.0f}/s", file=sys.stderr)
    for name in named:
        speeds = sorted(one[name]["speed"] for one in found)
        ratio = statistics.median(one[first]["speed"] / one[name]["speed"] for one in found)
        version = found[-1][name]["version"]
        print(
            f"| {job.threads or 'all'} | {name} {version} | {statistics.median(speeds):,.0f}"
            f" ({speeds[0]:,.0f}–{speeds[-1]:,.0f}) | {ratio:.2f} |",
            flush=True,
        )


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child, _ = (TAGGERS | ON_TEXT)[sys.argv[2]]
        print("\n" + json.dumps(child(Job(**json.loads(sys.argv[3])))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--text", required=True, help="lines of Chinese")
    parser.add_argument("--peers", metavar="PYTHON", default="")
    parser.add_argument("--threads", default="0,1", help="0: one a core")
    parser.add_argument("--passes", type=int, default=5, help="of gatewise and the kernels in a round; peers have one")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for what, taggers in (("tokens/s", TAGGERS), ("characters/s", ON_TEXT)):
            print(f"| threads | | {what} | {next(iter(taggers))} / it |\n|---:|---|---:|---:|")
            for threads in map(int, options.threads.split(",")):
                job = Job(
                    model=options.model,
                    train=options.train,
                    files=tuple(options.files),
                    text=options.text,
                    threads=threads,
                    passes=options.passes,
                    scratch=scratch,
                )
                compare(taggers, options.peers, job, options.rounds)
            print()
    print(f"Median of {options.rounds} rounds (lowest–highest). Python {platform.python_version()};")
    print(f"{os.cpu_count()} cores, {processor()}.")


if __name__ == "__main__":
    main()
