"""`gatewise embed`: vectors trained on raw text, for `features.vectors` and `features.bigram_vectors`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.embed_bar import EmbedBar
from gatewise.cli.options import columns_option, expect_choice, split_columns, writing
from gatewise.errors import ConfigError, FormatError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatewise.training.raw_text import Cut, KeptKeys, TextFile
    from gatewise.training.skip_gram import KeyVectors, SkipGram

AT_LEAST_ONE = click.IntRange(min=1)


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT…")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write, .gz to pack.")
@click.option("--tokenizer", default="auto", show_default=True, help="characters, mixed, words, english, whitespace.")
@click.option("--unit", default="token", show_default=True, help="token, or bigram: of characters, for bigram_vectors.")
@click.option("--dim", type=click.IntRange(1, 10_000), default=64, show_default=True, help="Numbers in a vector.")
@click.option("--epochs", type=AT_LEAST_ONE, default=5, show_default=True, help="Passes over the text.")
@click.option("--min-count", type=AT_LEAST_ONE, default=5, show_default=True, help="Rarer tokens get no vector.")
@click.option("--window", type=AT_LEAST_ONE, default=5, show_default=True, help="Context: so many tokens each side.")
@click.option("--subwords", default="auto", show_default=True, help="Their lengths, MIN-MAX, or 0 for none.")
@click.option("--also", multiple=True, metavar="FILE", help="Labeled file whose rare tokens get composed vectors.")
@click.option("--from", "source", default="auto", show_default=True, help="text, or a labeled format; auto: found out.")
@columns_option
@click.option("--split", is_flag=True, help="Cut each line of text into its sentences first.")
@click.option("--threads", type=AT_LEAST_ONE, default=1, show_default=True, help="With one, a seed decides all.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Of all that is random.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def embed(
    texts: tuple[str, ...],
    output: Path,
    tokenizer: str,
    unit: str,
    dim: int,
    epochs: int,
    min_count: int,
    window: int,
    subwords: str,
    also: tuple[str, ...],
    source: str,
    columns: str,
    split: bool,
    threads: int,
    seed: int,
    quiet: bool,
) -> None:
    """Train vectors on TEXT, files of a sentence or paragraph a line: skip-gram.

    TEXT may be a pattern in quotes, and files may be packed with gzip; labeled files are read as `gatewise tag` reads
    them. Every token becomes the key that a tagger looks it up by (lower case, digits as 0). Needs the extra `embed`
    (docs/embed.md).
    """
    from gatewise.training.raw_text import KeptKeys
    from gatewise.training.skip_gram import SkipGram, check_gensim, train_vectors
    from gatewise.training.vector_files import write_vectors

    check_gensim()
    _check_output(output)
    files = _files(texts, source, columns)
    cut = _cut(files, tokenizer, unit, split=split)
    asked = SkipGram(
        dim=dim,
        epochs=epochs,
        min_count=min_count,
        window=window,
        subwords=_lengths(subwords, cut, compose=bool(also)),
        threads=threads,
        seed=seed,
    )
    with EmbedBar(shown=not quiet) as bar:
        further = _keys_of(_files(also, "auto", columns), cut, asked)
        with KeptKeys() as kept:
            for file in bar.reading(files):
                for keys in cut.sentences(file):
                    kept.add(keys)
            _check_found(kept, texts)
            total = kept.sentences * epochs
            vectors = train_vectors(kept, asked, further, lambda read: bar.trained(read, total, epochs))
            tokens = kept.tokens
    with writing(output) as stream:
        left_out = write_vectors(vectors.trained | vectors.composed, dim, stream)
    _tell(output, vectors, asked, cut, tokens, left_out)


def _check_output(output: Path) -> None:
    """Refuse now what could not be written at the end."""
    folder = output.parent
    if output.is_dir():
        raise FormatError(
            f"{output}: expected the name of a file to write, found a directory; check the path given to -o"
        )
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise FormatError(f"{output}: expected a folder that can be written to, found none; check the path given to -o")


def _files(paths: Sequence[str], source: str, columns: str) -> list[TextFile]:
    from gatewise.formats import FORMATS
    from gatewise.jobs.inputs import find_inputs
    from gatewise.training.raw_text import TextFile

    expect_choice("--from", source, ("auto", *FORMATS))
    found = find_inputs(paths, source)
    return [TextFile(path=one.path, format=one.format, size=one.size, columns=split_columns(columns)) for one in found]


def _cut(files: Sequence[TextFile], tokenizer: str, unit: str, *, split: bool) -> Cut:
    from gatewise.text.tokenize import TOKENIZERS
    from gatewise.training.raw_text import UNITS, Cut, choose_tokenizer

    expect_choice("--tokenizer", tokenizer, ("auto", *TOKENIZERS))
    expect_choice("--unit", unit, UNITS)
    if unit == "bigram":
        if tokenizer not in ("auto", "characters"):
            raise ConfigError(
                f"--tokenizer: expected characters for --unit bigram, found {tokenizer!r}; bigrams are of characters"
            )
        tokenizer = "characters"
    elif tokenizer == "auto":
        tokenizer = choose_tokenizer(files)
    return Cut(tokenizer=tokenizer, unit=unit, split=split)


def _lengths(subwords: str, cut: Cut, *, compose: bool) -> tuple[int, int]:
    """The shortest and the longest subword; by default none, but the two characters of a bigram, and those of words
    where vectors are to be composed."""
    if subwords == "auto":
        if cut.unit == "bigram":
            return (2, 2)
        return (3, 6) if compose and cut.tokenizer != "characters" else (0, 0)
    found = re.fullmatch(r"(\d{1,3})-(\d{1,3})", subwords)
    lengths = (0, 0) if subwords == "0" else tuple(map(int, found.groups())) if found else (1, 0)
    shortest, longest = lengths
    if shortest > longest or (shortest == 0 and longest > 0):
        raise ConfigError(f"--subwords: expected 0, or MIN-MAX such as 3-6, found {subwords!r}")
    return shortest, longest


def _keys_of(files: Sequence[TextFile], cut: Cut, asked: SkipGram) -> list[str]:
    """The keys of labeled files, for which vectors are composed."""
    if files and asked.subwords == (0, 0):
        raise ConfigError("--also: expected subwords to compose vectors from, found none; set --subwords, such as 1-2")
    return list(dict.fromkeys(key for file in files for keys in cut.sentences(file) for key in keys))


def _check_found(kept: KeptKeys, texts: Sequence[str]) -> None:
    if not kept.tokens:
        raise TrainingError(f"{', '.join(texts)}: expected text to train on, found none; check the files")


def _tell(output: Path, vectors: KeyVectors, asked: SkipGram, cut: Cut, tokens: int, left_out: Sequence[str]) -> None:
    """What was made, on stderr."""
    seen = "once" if asked.min_count == 1 else f"{asked.min_count} times"
    subwords = "without subwords" if asked.subwords == (0, 0) else "subwords of {}-{}".format(*asked.subwords)
    lines = [
        f"{output}: {len(vectors.trained):,} vectors of {asked.dim} numbers, one for each {cut.unit} seen {seen} or"
        f" more among {tokens:,} ({cut.tokenizer}, {subwords})"
    ]
    if vectors.composed or vectors.missing:
        lines.append(
            f"{output}: {len(vectors.composed):,} more composed from subwords, as --also asked; none for"
            f" {len(vectors.missing):,} that share no subword"
        )
    if left_out:
        lines.append(f"{output}: {len(left_out):,} with a space inside, which the file cannot hold, left out")
    click.echo("\n".join(lines), err=True)
