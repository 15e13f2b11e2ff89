"""Throws broken files at every reader: each must end in sentences or in a FormatError that says where.

    python tests/fuzz/fuzz_readers.py --inputs 100000 --seed 1

In: good files of each format, changed at random (bytes flipped, lines swapped, cut, doubled, JSON values exchanged).
Out: nothing, or the first input that ends otherwise, kept in a file, and exit code 1.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import random
import re
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gatewise.errors import FormatError
from gatewise.formats import (
    BINARY_FORMATS,
    ON_MISALIGNED,
    Alignment,
    detect_file_scheme,
    read_sentences,
    read_text,
    write_binary,
)
from gatewise.text import SCHEMES, Sentence, sentence_from_forms
from gatewise.text.sentence import gaps

FORMATS = ("conll", "conllu", "jsonl", "doccano", "label-studio", "prodigy", "cluener", "text", "auto")
TOKENIZERS = ("auto", "characters", "words", "whitespace")
COLUMNS = (("token", "tag"), ("token", "_", "tag"), ("token",), ("tag", "token"))
_PLACE = re.compile(r"(:\d+: )|(: sentence \d+)|gzip file|tells the format|plain text", re.DOTALL)

_PER = {"start": 0, "end": 2, "label": "PER", "score": 1}
_CONTENTS: list[Any] = [
    "-DOCSTART- O\n\n小 B-PER\n明 I-PER\n\n# id 3 x\n# O\nNew York\tB-LOC\n\n",
    "EU NNP B-ORG\nsays VBZ O\n\n\n小 x S-PER\n",
    "# text = don't go\n1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n1\tdo\tdo\tAUX\tVB\tA=b\t0\troot\t_\t_\n"
    "2\tn't\tnot\tPART\tRB\t_\t1\tx\t_\t_\n3\tgo\tgo\tVERB\tVB\t_\t1\tx\t1:x\tSpaceAfter=No\n3.1\te\t_\t_\t_\t_\t_\t_\t_\t_\n\n",
    [{"text": "小明 x", "tokens": [{"start": 0, "end": 2, "tag": "B", "score": 0.5, "text": "小明"}], "spans": [_PER]}],
    [
        {"text": "小明来了", "label": [[0, 2, "PER"]]},
        {"data": "x y", "entities": [{"start_offset": 0, "end_offset": 1, "label": "X"}]},
    ],
    [{"text": "👩‍👧小明", "label": {"PER": {"小明": [[3, 4]]}}}, {"text": "x"}],
    [
        {
            "text": "Al x",
            "tokens": [{"text": "Al", "start": 0, "end": 2, "id": 0}],
            "spans": [_PER],
            "answer": "accept",
        }
    ],
    [{"data": {"text": "小💩明"}, "annotations": [{"result": [{"value": {"start": 0, "end": 1, "labels": ["X"]}}]}]}],
    [{"text": "小明", "label": [{"start": 0, "end": 2, "text": "小明", "labels": ["PER"]}], "id": 1}],
    "我叫小明。\r\n\x00 Call me\u2028Ishmael\n\n",
]
SEEDS = list(zip(("conll", "conll", "conllu", *FORMATS[2:7], "label-studio", "text"), _CONTENTS, strict=True))
_VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2,
    10**30,
    0.5,
    1e400,
    "",
    "x",
    "\ud800",
    "\x00",
    [],
    {},
    [[]],
    [{}],
    [0, 1],
]
_BYTES = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"{",
    b"]",
    b'"',
    b"\\u",
    b"\xf0\x9f",
    b"9" * 5000,
    b"[" * 3000,
]


def binary_seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Good files of the formats that need an extra, of those that are installed."""
    sentence = sentence_from_forms(["小", "明", "来", "了"], ["B-PER", "I-PER", "O", "O"])
    seeds = []
    for format, library in (("parquet", "pyarrow"), ("docbin", "spacy")):
        if importlib.util.find_spec(library):
            write_binary([sentence] * 3, folder / "seed.dat", format)
            seeds.append((format, (folder / "seed.dat").read_bytes()))
    return seeds


def one_input(random_source: random.Random, seeds: Sequence[tuple[str, Any]] = SEEDS) -> tuple[str, bytes]:
    """A file that was good once, and the format that it was then."""
    format, seed = random_source.choice(seeds)
    packed = format == "docbin" and random_source.random() < 0.7  # broken inside of what is a sound zlib stream
    if isinstance(seed, bytes):
        content = zlib.decompress(seed) if packed else seed
    elif isinstance(seed, str):
        content = seed.encode()
    else:
        value = json.loads(json.dumps(seed))
        for _ in range(random_source.randrange(3)):
            value = _exchanged(value, random_source)
        ascii_only, records = random_source.random() < 0.5, value if isinstance(value, list) else [value]
        if random_source.random() < 0.5:
            text = json.dumps(value, ensure_ascii=ascii_only, indent=random_source.choice([None, 1]))
        else:
            text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
        content = text.encode("utf-8", "surrogatepass")
    for _ in range(random_source.choice([0, 0, 1, 1, 2, 5])):
        content = random_source.choice(_CHANGES)(content, random_source)
    if packed:
        content = zlib.compress(content)
    if random_source.random() < 0.05:
        content = gzip.compress(content)
        content = content[: random_source.randrange(len(content) + 1)] if random_source.random() < 0.5 else content
    return format, content


def check(path: Path, was: str, random_source: random.Random) -> str:
    """Read the file in some way; the outcome, `sentences` or `refused`. Raises AssertionError for any other."""
    format = was if random_source.random() < 0.7 else random_source.choice(FORMATS)
    columns = random_source.choice(COLUMNS)
    alignment = Alignment(
        tokenizer=random_source.choice(TOKENIZERS),
        on_misaligned=random_source.choice(ON_MISALIGNED),
        notify=lambda message: None,
    )
    named = None if format == "auto" else format
    try:
        if format == "text":
            found = list(read_text(path, tokenizer=alignment.tokenizer))
        elif random_source.random() < 0.2:
            detect_file_scheme(path, named, columns)
            return "scheme"
        else:
            scheme = random_source.choice(SCHEMES) if random_source.random() < 0.4 else None
            found = list(read_sentences(path, named, columns, scheme=scheme, alignment=alignment))
    except FormatError as error:
        message = str(error)
        assert message.startswith(str(path)), message
        assert format in BINARY_FORMATS or was in BINARY_FORMATS or _PLACE.search(message), message
        return "refused"
    for sentence in found:
        _check_sentence(sentence)
    return "sentences"


def _check_sentence(sentence: Sentence) -> None:
    pieces = gaps(sentence)
    joined = pieces[0] + "".join(map("".join, zip(sentence.forms, pieces[1:], strict=True)))
    assert joined == sentence.text
    assert sentence.tags is None or len(sentence.tags) == len(sentence)
    sentence.text.encode()
    "".join(sentence.tags or ()).encode()


def run(inputs: int, seed: int, folder: Path) -> Counter[str]:
    """Read so many inputs; the outcomes, counted. Whatever is no outcome is raised, its input left in the folder."""
    random_source = random.Random(seed)
    path = folder / "fuzz.dat"
    outcomes: Counter[str] = Counter()
    seeds = [*SEEDS, *binary_seeds(folder)]
    for _ in range(inputs):
        format, content = one_input(random_source, seeds)
        path.write_bytes(content)
        outcomes[check(path, format, random_source)] += 1
    return outcomes


def _exchanged(value: Any, random_source: random.Random) -> Any:
    """The same JSON with something in it put in the place of something."""
    if random_source.random() < 0.25 or not isinstance(value, (list, dict)) or not value:
        return random_source.choice(_VALUES)
    if isinstance(value, list):
        at = random_source.randrange(len(value))
        return [*value[:at], _exchanged(value[at], random_source), *value[at + 1 :]]
    key = random_source.choice(list(value))
    return value | {key: _exchanged(value[key], random_source)}


def _cut(content: bytes, random_source: random.Random) -> bytes:
    return content[: random_source.randrange(len(content) + 1)]


def _insert(content: bytes, random_source: random.Random) -> bytes:
    at = random_source.randrange(len(content) + 1)
    return content[:at] + random_source.choice(_BYTES) + content[at:]


def _flip(content: bytes, random_source: random.Random) -> bytes:
    at = random_source.randrange(len(content) + 1)
    return content[:at] + bytes([random_source.randrange(256)]) + content[at + 1 :]


def _shuffle_lines(content: bytes, random_source: random.Random) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join(random_source.choices(lines, k=len(lines)))


_CHANGES: list[Callable[[bytes, random.Random], bytes]] = [_cut, _insert, _flip, _shuffle_lines]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="gatewise-fuzz-"))
    try:
        outcomes = run(arguments.inputs, arguments.seed, folder)
    except BaseException:
        sys.stderr.write(f"the input is in {folder}\n")
        raise
    sys.stdout.write(f"{arguments.inputs} inputs in {time.perf_counter() - began:.0f} s: {dict(outcomes)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
