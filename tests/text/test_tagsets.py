"""The tag sets: whole, in both languages, and chosen only when they explain enough."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from gatewise.text.tagsets import find_tag_set, tag_sets

# counted in the definitions, or in the corpora themselves
SIZES = {
    "upos": 17,
    "pku": 46,
    "ctb": 33,
    "conll2000": 11,
    "conll2003": 4,
    "msra": 3,
    "resume": 8,
    "weibo": 8,
    "ontonotes": 18,
    "wnut17": 6,
    "bc5cdr": 2,
    "cluener": 10,
}
UPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]
CTB = [
    "AD",
    "AS",
    "BA",
    "CC",
    "CD",
    "CS",
    "DEC",
    "DEG",
    "DER",
    "DEV",
    "DT",
    "ETC",
    "FW",
    "IJ",
    "JJ",
    "LB",
    "LC",
    "M",
    "MSP",
    "NN",
    "NR",
    "NT",
    "OD",
    "ON",
    "P",
    "PN",
    "PU",
    "SB",
    "SP",
    "VA",
    "VC",
    "VE",
    "VV",
]
PKU = [
    "a",
    "ad",
    "an",
    "b",
    "c",
    "d",
    "e",
    "f",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "n",
    "nr",
    "ns",
    "nt",
    "nx",
    "nz",
    "o",
    "p",
    "q",
    "r",
    "s",
    "t",
    "u",
    "v",
    "vd",
    "vn",
    "w",
    "y",
    "z",
    "Ag",
    "Bg",
    "Dg",
    "Mg",
    "Ng",
    "Rg",
    "Tg",
    "Vg",
    "Yg",
]


def test_every_set_is_whole() -> None:
    found = {known.name: len(known.meanings) for known in tag_sets()}
    assert {name: found[name] for name in SIZES} == SIZES
    for known in tag_sets():
        assert known.title
        assert known.source
        for label, meaning in known.meanings.items():
            assert meaning.en, label
            assert meaning.en == meaning.en.strip()
            assert re.search(r"[\u4e00-\u9fff]", meaning.zh) or label == "TO", (known.name, label)
            assert not re.search(r"[\u4e00-\u9fff]", meaning.en) or known.name == "ctb", (
                "Chinese words are quoted by CTB"
            )


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (UPOS, "upos"),
        (UPOS[:9], "upos"),
        (CTB, "ctb"),
        ([*PKU, "vvn", "na"], "pku"),
        (["PER", "LOC", "ORG", "MISC"], "conll2003"),
        (["PER", "LOC", "ORG"], "msra"),
        (["NR", "NS", "NT"], "msra_original"),
        (["NAME", "ORG", "TITLE", "LOC", "CONT", "EDU", "PRO", "RACE"], "resume"),
        (["PER.NAM", "PER.NOM", "GPE.NAM"], "weibo"),
        (["PERSON", "GPE", "DATE", "ORG"], "ontonotes"),
        (["person", "group", "location"], "wnut17"),
        (["name", "address", "book"], "cluener"),
        (["NP", "VP", "PP"], "conll2000"),
        (["NN", "NNS", "VBZ", "-LRB-", "PRP$", "``"], "penn"),
        (["Chemical", "Disease"], "bc5cdr"),
    ],
)
def test_the_set_that_explains_most_is_found(labels: list[str], name: str) -> None:
    known = find_tag_set(labels)
    assert known is not None
    assert known.name == name


# the tags of UD Chinese GSD's XPOS column: a mixture that nobody has documented
GSD_XPOS = [
    "NN",
    "VV",
    "NNP",
    ",",
    "CD",
    "RB",
    "DEC",
    "SFN",
    "IN",
    "NNB",
    ".",
    "JJ",
    "VC",
    "CC",
    "PRP",
    "DT",
    "EC",
    "FW",
    "AS",
    "MD",
    ")",
    "(",
    "PFA",
    "BB",
    "''",
    "``",
    "PRD",
    "/",
    ":",
    "UH",
    "DEV",
    "HYPH",
    "WP",
    "SFV",
    "XX",
    "SFA",
]


@pytest.mark.parametrize("labels", [[], [""], ["FOO"], ["PER", "FOO", "BAR"], GSD_XPOS])
def test_nothing_is_guessed(labels: Iterable[str]) -> None:
    assert find_tag_set(list(labels)) is None
