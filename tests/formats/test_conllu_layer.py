"""What CoNLL-U holds beyond tokens and tags: read → write gives it back, and new tags change their column alone."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import conllu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.formats import read_conllu, write_conllu
from gatewise.text import Sentence, Token, characters_from_words, words_from_characters

SAMPLE = Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample" / "sample.conllu"

# comments of the file, a multiword token with a spelling of its own, one without, an empty node, all ten columns
FRENCH = (
    "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n\n"
    "# newdoc id = d1\n# sent_id = s1\n# text = Je n'y vais pas au lac.\n# text_en = I do not go there to the lake.\n"
    "1\tJe\tje\tPRON\tcls\tNumber=Sing|Person=1\t4\tnsubj\t4:nsubj\t_\n"
    "2-3\tn'y\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "2\tn'\tne\tADV\tadv\tPolarity=Neg\t4\tadvmod\t4:advmod\t_\n"
    "3\ty\ty\tPRON\tclo\t_\t4\tobl\t4:obl\t_\n"
    "4\tvais\taller\tVERB\tv\tMood=Ind\t0\troot\t0:root\t_\n"
    "4.1\tvais\taller\tVERB\tv\t_\t_\t_\t0:root\tCopyOf=4\n"
    "5\tpas\tpas\tADV\tadv\t_\t4\tadvmod\t4:advmod\t_\n"
    "6-7\tau\t_\t_\t_\t_\t_\t_\t_\tGloss=to the\n"
    "6\tà\tà\tADP\tp\t_\t8\tcase\t8:case\t_\n"
    "7\tle\tle\tDET\td\t_\t8\tdet\t8:det\t_\n"
    "8\tlac\tlac\tNOUN\tnc+x\t_\t4\tobl\t4:obl\tSpaceAfter=No|Translit=lac\n"
    "9\t.\t.\tPUNCT\tponct\t_\t4\tpunct\t4:punct\t_\n\n"
)


def read(tmp_path: Path, content: str, column: str = "upos") -> list[Sentence]:
    path = tmp_path / "a.conllu"
    path.write_text(content, encoding="utf-8", newline="")
    return list(read_conllu(path, column=column))


def written(sentences: Iterable[Sentence], column: str | None = None) -> str:
    stream = io.StringIO()
    write_conllu(sentences, stream, column=column)
    return stream.getvalue()


def changes(before: str, after: str) -> list[tuple[str, int, str]]:
    """ID, column and new value of each field that differs; the lines are as many."""
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    fields = [(a.split("\t"), b.split("\t")) for a, b in pairs]
    return [(a[0], i, new) for a, b in fields for i, (old, new) in enumerate(zip(a, b, strict=True)) if old != new]


@pytest.mark.parametrize("column", ["upos", "xpos"])
def test_what_was_read_is_written_byte_for_byte(tmp_path: Path, column: str) -> None:
    assert written(read(tmp_path, FRENCH * 2, column)) == FRENCH * 2
    official = SAMPLE.read_text(encoding="utf-8")
    assert written(read_conllu(SAMPLE, column=column)) == official


def test_line_ends_blank_lines_and_byte_order_mark_become_the_official_ones(tmp_path: Path) -> None:
    odd = "\ufeff" + FRENCH.replace("\n\n", "\n \t\n\n").replace("\n", "\r\n").rstrip("\r\n \t")
    assert written(read(tmp_path, odd)) == FRENCH


def test_new_tags_change_their_column_alone(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, FRENCH)
    assert sentence.tags == ("PRON", "ADV", "PRON", "VERB", "ADV", "ADP+DET", "NOUN", "PUNCT")
    tagged = sentence.with_tags(["X", "ADV", "Y", "VERB", "ADV", "ADP+Z", "NOUN", "A+B"])
    after = written([tagged])
    assert changes(FRENCH, after) == [("1", 3, "X"), ("3", 3, "Y"), ("7", 3, "Z"), ("9", 3, "A+B")]
    assert read(tmp_path, after) == [tagged]
    theirs = conllu.parse(after)[-1]  # the oracle: what the library reads of the words is unchanged but for the tags
    before = conllu.parse(FRENCH)[-1]
    assert [{**token, "upos": None} for token in theirs] == [{**token, "upos": None} for token in before]


def test_new_tags_in_xpos(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, FRENCH, "xpos")
    new = ["X", *sentence.tags[1:]]
    assert changes(FRENCH, written([sentence.with_tags(new)])) == [("1", 4, "X")]
    assert changes(FRENCH, written([sentence.with_tags(new)], "upos"))[0] == ("1", 3, "X")
    assert written([sentence], "xpos") == FRENCH
    (by_upos,) = read(tmp_path, FRENCH)
    assert read(tmp_path, written([by_upos], "xpos"), "xpos") == [by_upos]


def test_tags_taken_away_leave_the_column_empty(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, FRENCH)
    found = changes(FRENCH, written([replace(sentence, tags=None)]))
    assert found == [(str(word), 3, "_") for word in range(1, 10)]


@pytest.mark.parametrize("tag", ["X", "X+", "X+Y+Z"])
def test_a_multiword_token_without_a_tag_for_each_of_two_words_gets_new_rows(tmp_path: Path, tag: str) -> None:
    (sentence,) = read(tmp_path, FRENCH)
    tagged = sentence.with_tags([tag] * 8)
    after = written([tagged])
    assert after.startswith(f"# text = Je n'y vais pas au lac.\n1\tJe\t_\t{tag}\t")
    assert read(tmp_path, after) == [tagged]


@pytest.mark.parametrize("step", ["segmentation", "tokens", "text"])
def test_other_tokens_leave_nothing_of_the_old_rows(step: str) -> None:
    sentence = next(read_conllu(SAMPLE))
    first = sentence.tokens[0]
    match step:
        case "segmentation":
            other = words_from_characters(characters_from_words(sentence, "BIO"), "BIO")
            assert other.layer is None
        case "tokens":
            glued = Token(text=sentence.text[: sentence.tokens[1].end], start=0, end=sentence.tokens[1].end)
            other = replace(sentence, tokens=(glued, *sentence.tokens[2:]), tags=sentence.tags[1:])
        case _:
            other = replace(sentence, text=sentence.text + " ")
    assert first.start == 0
    assert written([other]) == written([replace(other, layer=None)])
    assert "sent_id" not in written([other])


def test_the_layer_is_no_part_of_what_a_sentence_is(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, FRENCH)
    bare = replace(sentence, layer=None)
    assert (sentence, hash(sentence), repr(sentence)) == (bare, hash(bare), repr(bare))
    assert written([replace(sentence, layer="of another format")]) == written([bare])
    for copied in (pickle.loads(pickle.dumps(sentence)), copy.deepcopy(sentence)):
        assert written([copied]) == FRENCH


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t#"), min_size=1)
FORM = st.text(st.characters(categories=["L", "M", "N", "S"]), min_size=1, max_size=4)
TAG = st.sampled_from(["A", "B+C", "D"])


@given(
    words=st.lists(st.tuples(FORM, FIELD, TAG, TAG, FIELD), min_size=1, max_size=6),
    comment=FIELD,
    ranged=st.booleans(),
    new=st.lists(TAG, min_size=6, max_size=6),
)
def test_any_columns_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    words: list[tuple[str, str, str, str, str]],
    comment: str,
    ranged: bool,
    new: list[str],
) -> None:
    def lines(upos: list[str]) -> str:
        rows = [
            f"{i}\t{form}\t{other}\t{tag}\t{xpos}\t_\t{misc}\t_\t_\t{misc}\n"
            for i, ((form, other, _, xpos, misc), tag) in enumerate(zip(words, upos, strict=True), start=1)
        ]
        whole = "".join(form for form, *_ in words)
        merged = f"1-{len(words)}\t{whole}\t_\t_\t_\t_\t_\t_\t_\t_\n" if ranged and len(words) > 1 else ""
        return f"# note = {comment}\n{merged}{''.join(rows)}0.1\te\t_\t_\t_\t_\t_\t_\t_\t_\n\n"

    base = tmp_path_factory.getbasetemp()
    content = lines([tag for _, _, tag, _, _ in words])
    (sentence,) = read(base, content)
    assert written([sentence]) == content
    assert written([sentence.with_tags(new[: len(words)])]) == lines(new[: len(words)])
