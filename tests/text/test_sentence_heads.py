"""What further heads say travels in the sentence: frozen, compared, hashed, pickled, and in no one's way."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from gatewise.text import NO_HEADS, Heads, Sentence, sentence_from_forms


def said(*tags: str) -> Sentence:
    return sentence_from_forms(["小", "明", "去"]).with_tags(tags)


def with_heads(**heads: Sentence) -> Sentence:
    return replace(said("A", "B", "C"), heads=Heads(heads))


def test_a_sentence_has_none_unless_it_was_given_some() -> None:
    assert said("A", "B", "C").heads is NO_HEADS
    assert dict(NO_HEADS) == {}
    sentence = with_heads(ner=said("B", "I", "O"))
    assert sentence.heads["ner"].tags == ("B", "I", "O")
    assert sentence.heads["ner"].tokens == sentence.tokens
    assert list(sentence.heads) == ["ner"]
    assert "heads" not in repr(sentence)


def test_sentences_that_differ_in_a_head_differ() -> None:
    one, two = with_heads(ner=said("B", "I", "O")), with_heads(ner=said("B", "O", "O"))
    assert one == with_heads(ner=said("B", "I", "O"))
    assert hash(one) == hash(with_heads(ner=said("B", "I", "O")))
    assert one not in (two, with_heads(pos=said("B", "I", "O")), replace(one, heads=NO_HEADS))
    assert len({one, two, with_heads(ner=said("B", "I", "O"))}) == 2


def test_heads_cannot_be_changed_and_keep_no_tie_to_what_they_were_made_of() -> None:
    source = {"ner": said("B", "I", "O")}
    heads = Heads(source)
    source["pos"] = said("A", "B", "C")
    assert list(heads) == ["ner"]
    with pytest.raises(TypeError):
        heads["ner"] = said("O", "O", "O")  # type: ignore[index]
    with pytest.raises(KeyError, match="pos"):
        heads["pos"]


def test_heads_go_through_pickle_and_copies() -> None:
    sentence = with_heads(ner=said("B", "I", "O"), pos=said("X", "Y", "Z"))
    assert pickle.loads(pickle.dumps(sentence)) == sentence
    assert copy.deepcopy(sentence) == sentence
