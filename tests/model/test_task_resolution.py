"""What a training file decides: the kind of task, the scheme, the tokenizer; and reading it in the model's terms."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewise.errors import ConfigError, FormatError
from gatewise.model.config import Config, TaskConfig
from gatewise.model.corpus import read_corpus, read_words, resolve_config, resolve_task
from gatewise.text.sentence import Sentence


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "kind", "scheme", "tokenizer"),
    [
        ("spans.conll", "spans", "BIOES", "characters"),
        ("chunks.conll", "spans", "BIOES", "words"),
        ("tags.conll", "tags", "plain", "words"),
        ("segmentation.conllu", "tags", "plain", "words"),
    ],
)
def test_what_is_left_to_the_file(tiny: Path, file: str, kind: str, scheme: str, tokenizer: str) -> None:
    resolved = resolve_task(TaskConfig(), tiny / file)
    assert resolved == TaskConfig(kind=kind, scheme=scheme, tokenizer=tokenizer, spaces="between")
    assert resolve_task(resolved, tiny / file) == resolved
    with_bigrams = resolve_config(Config(), tiny / file).features.bigram_dim > 0
    assert with_bigrams == (tokenizer == "characters")


def test_what_is_said_is_kept(tiny: Path) -> None:
    said = TaskConfig(kind="segmentation", scheme="BIO")
    assert resolve_task(said, tiny / "segmentation.conllu") == TaskConfig(
        kind="segmentation", scheme="BIO", tokenizer="characters", spaces="between"
    )
    said = TaskConfig(tokenizer="whitespace", scheme="BIO")
    assert resolve_task(said, tiny / "chunks.conll") == TaskConfig(
        kind="spans", scheme="BIO", tokenizer="whitespace", spaces="between"
    )


def test_words_with_spaces_inside_are_noticed(tmp_path: Path) -> None:
    rows = [(1, "Trả lời", "VERB"), (2, "tôi", "PRON")]
    lines = [f"{number}\t{form}\t_\t{tag}" + "\t_" * 6 for number, form, tag in rows]
    path = write(tmp_path, "vi.conllu", "# text = Trả lời tôi\n" + "\n".join(lines) + "\n\n")
    assert resolve_task(TaskConfig(kind="segmentation"), path).spaces == "within"
    assert resolve_task(TaskConfig(kind="segmentation", spaces="between"), path).spaces == "between"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            TaskConfig(kind="segmentation"),
            r"spans\.conll: task\.kind segmentation: expected words, in CoNLL-U or as text",
        ),
        (TaskConfig(kind="tags", scheme="BIO"), r"task\.scheme: expected plain for tags .* found BIO for tags"),
        (TaskConfig(kind="spans", scheme="plain"), r"task\.scheme: .* found plain for spans"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(tiny: Path, task: TaskConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_task(task, tiny / "spans.conll")


@pytest.mark.parametrize(
    ("content", "scheme", "wanted"),
    [
        ("小\tB-PER\n明\tI-PER\n我\tO\n", "BIOES", ("B-PER", "E-PER", "O")),
        ("小 B-PER\n明 M-PER\n明 E-PER\n", "BIO", ("B-PER", "I-PER", "I-PER")),
        ("小 S-PER\n明 S-PER\n我 O\n", "BIO", ("B-PER", "B-PER", "O")),
    ],
)
def test_every_scheme_becomes_the_models(tmp_path: Path, content: str, scheme: str, wanted: tuple[str, ...]) -> None:
    path = write(tmp_path, "a.conll", content)
    [sentence] = read_corpus(path, TaskConfig(kind="spans", scheme=scheme, tokenizer="characters"))
    assert sentence.tags == wanted


def test_words_become_characters_for_segmentation(tiny: Path) -> None:
    task = TaskConfig(kind="segmentation", scheme="BIOES", tokenizer="characters")
    first: Sentence = next(read_corpus(tiny / "segmentation.conllu", task))
    assert first.forms == ("我", "叫", "小", "明", "。")
    assert first.tags == ("S-PRON", "S-VERB", "B-PROPN", "E-PROPN", "S-PUNCT")
    words = next(read_words(tiny / "segmentation.conllu", task))
    assert (words.forms, words.tags) == (("我", "叫", "小明", "。"), ("PRON", "VERB", "PROPN", "PUNCT"))


SEGMENTED = "共同  创造 美好\u3000的　 新世纪\n\nWinter Street 101 号 。\n"


def test_segmented_text_teaches_where_words_end(tmp_path: Path) -> None:
    path = write(tmp_path, "pku.txt", SEGMENTED)
    task = resolve_task(TaskConfig(kind="segmentation"), path)
    assert (task.tokenizer, task.scheme, task.spaces) == ("characters", "BIOES", "between")
    first, empty, last = read_corpus(path, task)
    assert first.text == "共同创造美好的新世纪"
    assert first.tags == ("B", "E", "B", "E", "B", "E", "S", "B", "I", "E")
    assert (empty.text, empty.tags) == ("", ())
    assert last.text == "Winter Street 101号。"
    assert last.tags == (*"BIIIIE", *"BIIIIE", *"BIE", "S", "S")
    assert [words.tags for words in read_words(path, task)] == [None, None, None]


@pytest.mark.parametrize(("tags", "expected", "found"), [(("_", "N"), "no tags", "some"), (("N", "_"), "tags", "none")])
def test_words_are_tagged_in_all_sentences_or_in_none(
    tmp_path: Path, tags: tuple[str, ...], expected: str, found: str
) -> None:
    path = write(tmp_path, "half.conllu", "".join(f"1\t我们\t_\t{tag}" + "\t_" * 6 + "\n\n" for tag in tags))
    message = rf"half\.conllu: sentence 2: expected {expected}, as in the sentences before it, found {found}; tag the"
    with pytest.raises(FormatError, match=message):
        list(read_words(path, TaskConfig(kind="segmentation")))


def test_columns_are_passed_on(tmp_path: Path) -> None:
    path = write(tmp_path, "three.conll", "EU NNP B-ORG\nis VB O\n")
    task = resolve_task(TaskConfig(), path, ("token", "_", "tag"))
    assert task.kind == "spans"
    [sentence] = read_corpus(path, task, ("token", "_", "tag"))
    assert sentence.tags == ("S-ORG", "O")
    with pytest.raises(FormatError, match=r"three\.conll:1: expected 2 columns, found 3"):
        resolve_task(TaskConfig(), path)


def test_tags_that_break_their_scheme_are_named_with_their_line(tmp_path: Path, tiny: Path) -> None:
    path = write(tmp_path, "broken.conll", "小 B-PER\n明 I-LOC\n")
    with pytest.raises(FormatError, match=r"broken\.conll:2: .*found \"I-LOC\""):
        resolve_task(TaskConfig(), path)
    task = TaskConfig(kind="spans", scheme="BIOES", tokenizer="words")
    with pytest.raises(FormatError, match=r"tags\.conll: expected tags of spans .*found plain tags"):
        list(read_corpus(tiny / "tags.conll", task))
    with pytest.raises(FormatError, match=r"nothing\.conll: expected a file, found nothing"):
        resolve_task(TaskConfig(), tmp_path / "nothing.conll")
