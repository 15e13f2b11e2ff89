"""`gatewise convert --columns` and `--column`, reading and writing; and the notices of what a text file loses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatewise.formats import read_sentences

Run = Any  # the fixture `gatewise_command`

ROWS = "# sent_id = 1\n# text = ab c\n1\tab\tl\tNOUN\tNN\tf\t2\td\t_\t_\n2\tc\tl\tVERB\tVB\tf\t0\troot\t_\t_\n\n"
COLUMNS = "EU NNP B-ORG\nsays VBZ O\n\n"


def written(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def test_columns_of_conllu(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", ROWS)
    assert gatewise_command("convert", path, "-", "--to", "conll").out == "ab\tNOUN\nc\tVERB\n\n"
    assert gatewise_command("convert", path, "-", "--to", "conll", "--column", "xpos").out == "ab\tNN\nc\tVB\n\n"
    assert gatewise_command("convert", path, "-", "--to", "conllu", "--column", "xpos").out == ROWS
    new = written(tmp_path / "a.conll", "ab\tX\nc\tY\n\n")
    ran = gatewise_command("convert", new, "-", "--to", "conllu", "--column", "xpos")
    assert [line.split("\t")[3:5] for line in ran.out.splitlines()[1:3]] == [["_", "X"], ["_", "Y"]]
    assert (ran.code, ran.err) == (0, "")


def test_attributes_of_docbin(gatewise_command: Run, tmp_path: Path) -> None:
    tokens = pytest.importorskip("spacy.tokens")
    vocab = pytest.importorskip("spacy.vocab").Vocab()
    path = written(tmp_path / "a.conllu", ROWS)

    def attributes(name: str) -> list[tuple[str, str, str]]:
        [doc] = tokens.DocBin().from_disk(tmp_path / name).get_docs(vocab)
        return [(token.tag_, token.pos_, token.ent_type_) for token in doc]

    for column in ("upos", "pos"):
        assert gatewise_command("convert", path, tmp_path / "a.spacy", "--column", column).err == (
            "docbin cannot hold what else CoNLL-U says (comments, lemmas, features, heads): lost in 1 sentence\n"
        )
        assert attributes("a.spacy") == [("", "NOUN", ""), ("", "VERB", "")]
    gatewise_command("convert", path, tmp_path / "b.spacy", "--column", "xpos")
    assert attributes("b.spacy") == [("NN", "", ""), ("VB", "", "")]
    back = gatewise_command("convert", tmp_path / "b.spacy", "-", "--to", "conllu", "--column", "tag")
    assert [line.split("\t")[3:5] for line in back.out.splitlines()[1:3]] == [["_", "NN"], ["_", "VB"]]
    back = gatewise_command("convert", tmp_path / "a.spacy", "-", "--to", "conll", "--column", "pos")
    assert back.out == "ab\tNOUN\nc\tVERB\n\n"


def test_tags_that_mark_no_spans_are_not_made_entities(gatewise_command: Run, tmp_path: Path) -> None:
    pytest.importorskip("spacy")
    path = written(tmp_path / "a.conll", "ab\tNOUN\nc\tVERB\n\n")
    ran = gatewise_command("convert", path, tmp_path / "a.spacy")
    assert ran.err == (
        f"{tmp_path / 'a.spacy'}: tags that mark no spans are written to TAG, not to the entities; read them by "
        "--column tag\n"
    )
    assert [s.tags for s in read_sentences(tmp_path / "a.spacy", column="tag")] == [("NOUN", "VERB")]
    assert [s.tags for s in read_sentences(tmp_path / "a.spacy")] == [None]
    spans = written(tmp_path / "b.conll", "ab\tI-X\nc\tI-X\nd\tB-X\n\n")  # IOB1, which one sentence may not tell
    assert gatewise_command("convert", spans, tmp_path / "b.spacy").err == ""
    assert [s.tags for s in read_sentences(tmp_path / "b.spacy")] == [("B-X", "I-X", "B-X")]
    one = '{"text": "小明来了", "spans": [{"start": 0, "end": 2, "label": "PER", "score": 1}]}\n'
    assert gatewise_command("convert", written(tmp_path / "c.jsonl", one), tmp_path / "c.spacy").err == ""
    assert [s.tags for s in read_sentences(tmp_path / "c.spacy")] == [("B-PER", "I-PER", "O", "O")]


def test_names_of_parquet_columns(gatewise_command: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = written(tmp_path / "a.conll", COLUMNS)
    names = "text=sentence,tokens=words,tags=ner"
    made = gatewise_command("convert", path, tmp_path / "a.parquet", "--columns", f"token,_,tag,{names}")
    assert made.code == 0
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["sentence", "words", "ner", "spans", "scores"]
    assert table["ner"].to_pylist() == [["B-ORG", "O"]]
    assert table["sentence"].to_pylist() == ["EU says"]
    back = gatewise_command("convert", tmp_path / "a.parquet", "-", "--to", "conll", "--columns", names)
    assert (back.out, back.err) == ("EU\tB-ORG\nsays\tO\n\n", "")
    wrong = gatewise_command("convert", tmp_path / "a.parquet", "-", "--to", "conll", "--columns", "tokens=token")
    assert wrong.err == (
        f'error: {tmp_path / "a.parquet"}: expected a column "token" (tokens), found "sentence", "words", "ner", '
        '"spans", "scores"; name one of these: --columns tokens=…\n'
    )
    checked = gatewise_command("check", tmp_path / "a.parquet", "--columns", names, "--json")
    assert (checked.code, '"ORG": 1' in checked.out) == (0, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--columns", "tokens=words"),
            'columns: expected names for a Parquet file, found "tokens=words" for conll and',
        ),
        (("--column", "xpos"), 'column: expected a file in conllu or docbin, found "xpos" for conll and jsonl; leave'),
        (("--to", "conllu", "--column", "ents"), "column: expected one that conllu has (upos, xpos, pos, tag), found"),
        (("--to", "parquet", "--columns", "word=a"), "columns: expected names of Parquet columns, such as"),
        (
            ("--to", "parquet", "--columns", "tags=a,tags=b"),
            'columns: expected one column for "tags", found two; leave',
        ),
        (
            ("--to", "parquet", "--columns", "tags=a,text=a"),
            "columns: expected a column for each part, found one twice",
        ),
        (("--to", "parquet", "--columns", "tags="), "columns: expected names of Parquet columns, such as"),
    ],
)
def test_what_is_refused(gatewise_command: Run, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    path = written(tmp_path / "a.conll", "ab\tO\n")
    ran = gatewise_command("convert", path, tmp_path / "out.jsonl", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
    assert not (tmp_path / "out.jsonl").exists()


def test_nothing_of_a_text_file_is_lost_in_silence(gatewise_command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "\ufeff" + "# the first of it\na O\n\n# the end of it\n".replace("\n", "\r\n"))
    ran = gatewise_command("convert", path, tmp_path / "b.conll", "--scheme", "BIOES")
    assert (tmp_path / "b.conll").read_bytes() == b"# the first of it\na O\n\n"
    assert ran.err == (
        f"{path}: 1 lines after the last sentence (comments, document marks), left out\n"
        f"{path}: a byte order mark at the beginning, left out\n"
        f"{path}: lines that end in CR LF, read as LF\n"
    )
    array = written(tmp_path / "a.json", '[\r\n{"text": "a", "label": []}\r\n]\r\n')
    assert gatewise_command("convert", array, "-", "--to", "conll").err == (
        f"{array}: lines that end in CR LF, read as LF\n"
    )
    packed = gatewise_command("convert", "-", "-", "--from", "text", stdin=b"\xef\xbb\xbfa\n")
    assert (packed.out, packed.err) == ("a\n\n", "<standard input>: a byte order mark at the beginning, left out\n")


def test_sentences_of_conllu_written_anew_are_counted(gatewise_command: Run, tmp_path: Path) -> None:
    """The tag of the multiword token abc is B-X+I-X+O; in BIOES it still names three tags, for two words."""
    merged = "1-2\tabc\t_\t_\t_\t_\t_\t_\t_\t_\n1\tab"
    rows = ROWS.replace("1\tab", merged).replace("ab c", "abc").replace("\tc\t", "\tk\t")
    path = written(tmp_path / "a.conllu", rows)
    ran = gatewise_command("convert", path, tmp_path / "b.conllu")
    assert (ran.err, (tmp_path / "b.conllu").read_text()) == ("", rows)
    path = written(tmp_path / "c.conllu", rows.replace("NOUN", "B-X").replace("VERB", "I-X+O") * 2)
    ran = gatewise_command("convert", path, tmp_path / "d.conllu", "--scheme", "BIOES")
    assert ran.err == (
        "conllu: 2 sentences whose other columns and comments could not be kept: the tag of a multiword token does not "
        "name one tag for each of its words\n"
    )
    assert "sent_id" not in (tmp_path / "d.conllu").read_text()
