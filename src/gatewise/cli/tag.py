"""`gatewise tag`: texts or files in, tagged sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, expect_choice, head_option, output_option, split_columns, writing
from gatewise.errors import ConfigError

if TYPE_CHECKING:
    from gatewise.model.heads import ModelHead
    from gatewise.runtime import Constraints, Tagger
    from gatewise.text.sentence import Sentence

CHUNK = 1024  # sentences that are tagged together
WITH_SCORES = ("jsonl", "parquet")  # formats that hold probabilities; for others none are computed
WITH_HEADS = ("jsonl", "conll")  # formats that hold what further heads say; for others none is asked


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
@click.option("-m", "--model", default="zh", show_default=True, help="A bundled model or a model folder.")
@click.option("--from", "source", default="auto", show_default=True, help="text, or a labeled format; auto: found out.")
@click.option("--to", "target", default="inline", show_default=True, help="inline, conll, conllu, jsonl, doccano, …")
@click.option("--split", is_flag=True, help="Cut each line of text into its sentences first.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Threads; 0 means one a core.")
@click.option("--n-best", type=click.IntRange(min=1), help="The N most probable taggings of each; with --to jsonl.")
@click.option("--constrain", type=click.Path(path_type=Path), help="What is known of each sentence, as JSON Lines.")
@click.option("--dictionary", type=click.Path(path_type=Path), help="Words to favor, as jieba has them.")
@click.option("--hard-dictionary", is_flag=True, help="Cut the words of --dictionary out wherever they are found.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Withhold what is less probable than this.")
@head_option
@columns_option
@output_option
def tag(
    files: tuple[str, ...],
    model: str,
    source: str,
    target: str,
    split: bool,
    threads: int,
    n_best: int | None,
    constrain: Path | None,
    dictionary: Path | None,
    hard_dictionary: bool,
    min_score: float | None,
    head: str,
    columns: str,
    output: Path | None,
) -> None:
    """Tag files, or what comes in on stdin: one sentence a line, or sentences that are cut into tokens already.

    The formats are listed in docs/formats.md; the tags that a labeled file holds are not looked at. Confidence,
    constraints and dictionaries are explained in docs/tagging.md. Of a model with further heads, jsonl and conll hold
    what all of them say, other formats what the main head says, or with --head another one alone; n-best, constraints
    and dictionary are for the main head, or for that of --head.
    """
    from gatewise.formats import BINARY_FORMATS, FORMATS, OUTPUT_FORMATS, write_binary, write_n_best, write_sentences
    from gatewise.runtime import load

    expect_choice("--from", source, ("auto", *FORMATS))
    expect_choice("--to", target, (*OUTPUT_FORMATS, *BINARY_FORMATS))
    if target in BINARY_FORMATS and output is None:
        raise ConfigError(f"--to {target}: expected a file to write to, found none; add -o FILE")
    if n_best is not None and (target != "jsonl" or min_score is not None):
        raise ConfigError(
            "--n-best: expected --to jsonl and no --min-score, found "
            f"{'--min-score' if target == 'jsonl' else '--to ' + target}; change that"
        )
    if hard_dictionary and dictionary is None:
        raise ConfigError("--hard-dictionary: expected a dictionary, found none; add --dictionary FILE")
    tagger = load(model, threads=threads)
    chosen = tagger.archive.head(head)
    if dictionary is not None:
        tagger = _with_dictionary(tagger, dictionary, hard=hard_dictionary, head=head)
    given = (s for file in files or ("-",) for s in _read(tagger, chosen, file, source, split_columns(columns), split))
    pairs = _with_constraints(given, constrain)
    if n_best is not None:
        with writing(output) as stream:
            write_n_best(((s, tagger.n_best(s, n_best, constraints=known, head=head)) for s, known in pairs), stream)
        return
    wanted = None if not head and target in WITH_HEADS else head  # None: all heads
    sentences = _tagged(tagger, pairs, scores=target in WITH_SCORES or min_score is not None, head=wanted)
    if min_score is not None:
        sentences = _confident(tagger, sentences, min_score, wanted)
    if target == "conllu":
        sentences = _as_words(chosen, sentences)
    if target in BINARY_FORMATS and output is not None:
        write_binary(sentences, output, target)
        return
    with writing(output) as stream:
        column = chosen.task.column if head and target == "conllu" else None
        write_sentences(sentences, stream, target, scheme=chosen.scheme, column=column)


def _read(
    tagger: Tagger, head: ModelHead, file: str, source: str, columns: tuple[str, ...], split: bool
) -> Iterator[Sentence]:
    """The sentences of one file in the tokens they are tagged in, streamed."""
    from gatewise.formats import detect_format, read_lines, read_sentences

    if source == "auto":
        source = "text" if file == "-" else detect_format(file)
    if source == "text":
        lines = read_lines(file)
        yield from map(tagger.tokenize, _in_sentences(lines) if split else lines)
        return
    sentences = read_sentences(file, source, columns)
    if "segmentation" in (tagger.archive.config.task.kind, head.task.kind):  # it makes its own words
        yield from map(tagger.tokenize, _texts(sentences, file))
        return
    for sentence in sentences:
        yield tagger.tokenize(sentence.text) if sentence.text and not len(sentence) else sentence


def _with_constraints(
    sentences: Iterable[Sentence], path: Path | None
) -> Iterator[tuple[Sentence, Constraints | None]]:
    if path is None:
        return ((sentence, None) for sentence in sentences)
    from gatewise.runtime.constraint_file import with_constraints

    return iter(with_constraints(sentences, path))


def _tagged(
    tagger: Tagger, pairs: Iterator[tuple[Sentence, Constraints | None]], *, scores: bool, head: str | None
) -> Iterator[Sentence]:
    while chunk := list(islice(pairs, CHUNK)):
        known = [constraints for _, constraints in chunk]
        yield from tagger.tag_sentences(
            [sentence for sentence, _ in chunk], scores=scores, constraints=known if any(known) else None, head=head
        )


def _with_dictionary(tagger: Tagger, path: Path, *, hard: bool, head: str) -> Tagger:
    """The tagger with the dictionary; labels in it that the model does not have are told."""
    steered = tagger.with_dictionary(path, hard=hard, head=head)
    if unknown := steered.unknown_dictionary_labels():
        click.echo(
            f"{path}: the model has no label {', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}; words with "
            "such a tag may get any label",
            err=True,
        )
    return steered


def _confident(tagger: Tagger, sentences: Iterable[Sentence], least: float, head: str | None) -> Iterator[Sentence]:
    """The sentences without what is less probable, in any head; how much that was is told at the end."""
    from gatewise.runtime.abstain import Abstainer
    from gatewise.text import Heads

    first = tagger.archive.head(head or "")
    further = {} if head is not None else tagger.archive.heads
    kinds = {first.name: first.task.kind, **{name: of_head.task.kind for name, of_head in further.items()}}
    abstain = {name: Abstainer(kind, least) for name, kind in kinds.items()}
    for sentence in sentences:
        kept = abstain[first.name](sentence)
        if further:
            kept = replace(kept, heads=Heads({name: abstain[name](said) for name, said in sentence.heads.items()}))
        yield kept
    for name, kind in kinds.items():
        what = {"tags": "tags", "segmentation": "labels of words"}.get(kind, "spans")
        where, counts = (f"{name}: " if further and name else ""), abstain[name]
        click.echo(
            f"{where}withheld {counts.withheld} of {counts.total} {what}, with a probability below {least:g}", err=True
        )


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


def _as_words(head: ModelHead, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """CoNLL-U holds words: what a segmentation head found becomes the tokens."""
    from gatewise.text.segment import words_from_characters

    segments = head.task.kind == "segmentation"
    return (words_from_characters(s, head.scheme) if segments and len(s) else s for s in sentences)
