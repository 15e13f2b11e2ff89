"""`gatewise tag`: texts or files in, tagged sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, expect_choice, output_option, split_columns, writing
from gatewise.errors import ConfigError

if TYPE_CHECKING:
    from gatewise.runtime import Tagger
    from gatewise.text.sentence import Sentence

CHUNK = 1024  # sentences that are tagged together
WITH_SCORES = ("jsonl", "parquet")  # formats that hold probabilities; for others none are computed


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
@click.option("-m", "--model", default="zh", show_default=True, help="A bundled model or a model folder.")
@click.option("--from", "source", default="auto", show_default=True, help="text, or a labeled format; auto: found out.")
@click.option("--to", "target", default="inline", show_default=True, help="inline, conll, conllu, jsonl, doccano, …")
@click.option("--split", is_flag=True, help="Cut each line of text into its sentences first.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Threads; 0 means one a core.")
@columns_option
@output_option
def tag(
    files: tuple[str, ...],
    model: str,
    source: str,
    target: str,
    split: bool,
    threads: int,
    columns: str,
    output: Path | None,
) -> None:
    """Tag files, or what comes in on stdin: one sentence a line, or sentences that are cut into tokens already.

    The formats are listed in docs/formats.md; the tags that a labeled file holds are not looked at.
    """
    from gatewise.formats import BINARY_FORMATS, FORMATS, OUTPUT_FORMATS, write_binary, write_sentences
    from gatewise.runtime import load

    expect_choice("--from", source, ("auto", *FORMATS))
    expect_choice("--to", target, (*OUTPUT_FORMATS, *BINARY_FORMATS))
    if target in BINARY_FORMATS and output is None:
        raise ConfigError(f"--to {target}: expected a file to write to, found none; add -o FILE")
    tagger = load(model, threads=threads)
    sentences: Iterator[Sentence] = (
        s
        for file in files or ("-",)
        for s in _tagged(tagger, file, source, split_columns(columns), split, scores=target in WITH_SCORES)
    )
    if target == "conllu":
        sentences = _as_words(tagger, sentences)
    if target in BINARY_FORMATS and output is not None:
        write_binary(sentences, output, target)
        return
    with writing(output) as stream:
        write_sentences(sentences, stream, target, scheme=tagger.scheme)


def _tagged(
    tagger: Tagger, file: str, source: str, columns: tuple[str, ...], split: bool, *, scores: bool
) -> Iterator[Sentence]:
    """The tagged sentences of one file, streamed."""
    from gatewise.formats import detect_format, read_lines, read_sentences

    if source == "auto":
        source = "text" if file == "-" else detect_format(file)
    if source == "text":
        lines = read_lines(file)
        yield from tagger.tag_many(_in_sentences(lines) if split else lines, scores=scores)
        return
    sentences = read_sentences(file, source, columns)
    if tagger.archive.config.task.kind == "segmentation":  # it makes its own words
        yield from tagger.tag_many(_texts(sentences, file), scores=scores)
        return
    sentences = (tagger.tokenize(s.text) if s.text and not len(s) else s for s in sentences)  # text alone
    while chunk := list(islice(sentences, CHUNK)):
        yield from tagger.tag_sentences(chunk, scores=scores)


def _texts(sentences: Iterable[Sentence], file: str) -> Iterator[str]:
    """The texts alone; what else the file says of them is told to be left out."""
    from gatewise.formats.conll import ConllLayer
    from gatewise.formats.conllu_rows import ConlluLayer
    from gatewise.formats.tally import Tally

    tally = Tally()
    for sentence in sentences:
        layer = sentence.layer
        if isinstance(layer, ConllLayer | ConlluLayer) and layer.has_more:
            tally.add("sentences whose other columns and comments are left out: this model makes words of its own")
        yield sentence.text
    tally.say(file, lambda line: click.echo(line, err=True))


def _in_sentences(lines: Iterable[str]) -> Iterator[str]:
    """The sentences of each line; white space around one goes, an empty line stays."""
    from gatewise.text.split import split_sentences

    for line in lines:
        pieces = [line[start:end].strip() for start, end in split_sentences(line)]
        yield from [piece for piece in pieces if piece] or [line]


def _as_words(tagger: Tagger, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """CoNLL-U holds words: what a segmentation model found becomes the tokens."""
    from gatewise.text.segment import words_from_characters

    segments = tagger.archive.config.task.kind == "segmentation"
    return (words_from_characters(s, tagger.scheme) if segments and len(s) else s for s in sentences)
