"""Which sentences are labeled for which head, in the form that batches are cut from.

In: sentences that carry the tags of some heads (`model.labeled`). Out: encoded sentences with a row of tags for every
sentence and head, and whether it says anything. A batch may mix sentences labeled for different heads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gatewise.errors import TrainingError
from gatewise.model.heads import MAIN_HEAD
from gatewise.model.labeled import labeled_for
from gatewise.model.rows import rows_of
from gatewise.text.schemes import complete_tags
from gatewise.text.sentence import Sentence
from gatewise.training.batches import EncodedSentences, HeadTags
from gatewise.training.ragged import ragged


def labeled_sentences(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Those that have tokens, and tags for some head."""
    return [s for s in sentences if len(s) and (s.tags is not None or s.heads)]


def labels_of(train: Sequence[Sentence], head: str, scheme: str) -> tuple[str, ...]:
    """All tags that a head can say, as the training split has them, completed by the scheme.

    Raises TrainingError where no sentence is labeled for a further head.
    """
    labeled = labeled_for(train, head)
    if not labeled and head != MAIN_HEAD:
        raise TrainingError(
            f"heads.{head}: expected at least one training sentence labeled for it, found none; check its train file,"
            " column and columns"
        )
    return tuple(complete_tags({tag for sentence in labeled for tag in sentence.tags or ()}, scheme))


def with_labels(
    encoded: EncodedSentences, sentences: Sequence[Sentence], labels: Mapping[str, Sequence[str]]
) -> EncodedSentences:
    """The encoded sentences with the tags of the further heads, and which are labeled for the main one.

    `labels` are those of the further heads; a tag that training does not know becomes tag 0, which can only count as
    an error.
    """
    labeled = tuple(sentence.tags is not None for sentence in sentences)
    heads = {name: _head_tags(sentences, name, tags) for name, tags in labels.items()}
    return replace(encoded, labeled=None if all(labeled) else labeled, heads=heads)


def _head_tags(sentences: Sequence[Sentence], name: str, labels: Sequence[str]) -> HeadTags:
    ids = {tag: number for number, tag in enumerate(labels)}
    rows = []
    for sentence in sentences:
        own = sentence.heads.get(name)
        rows.append([0] * len(sentence) if own is None else [ids.get(tag, 0) for tag in own.tags or ()])
    return HeadTags(
        tags=ragged(rows_of(rows, map(len, rows))), labeled=tuple(name in sentence.heads for sentence in sentences)
    )
