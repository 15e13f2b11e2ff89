"""What training saw of each label: how often, and one example of it, so that `gatewise tags` can explain a model.

In: the training sentences in the model's tags, or the optional tables `label_counts` and `label_examples` of a model's
config.json. Out: `LabelFacts`. A label is a tag without its prefix (`B-PER` → PER; in plain, the tag itself); `O` is
none. An example is short (at most 20 characters) and stands in the training split as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewise.errors import ModelError
from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Sentence
from gatewise.text.transitions import OUTSIDE, split_tag

LONGEST_EXAMPLE = 20  # characters
COUNTS_KEY, EXAMPLES_KEY = "label_counts", "label_examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """`counts`: how many spans (plain: tokens) of training carry each label; `examples`: the text of one of them.

    Both are empty for a model that was saved without them; a label of which all texts are long has no example.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The two tables as config.json holds them; nothing at all when there are no facts."""
        return {COUNTS_KEY: dict(self.counts), EXAMPLES_KEY: dict(self.examples)} if self.counts else {}


def bare_labels(tags: Iterable[str], scheme: str) -> tuple[str, ...]:
    """The labels of these tags, each once, sorted; plain tags are their own labels."""
    if scheme == "plain":
        return tuple(sorted(set(tags)))
    return tuple(sorted({split_tag(tag)[1] for tag in tags if tag != OUTSIDE}))


def label_facts(sentences: Iterable[Sentence], scheme: str) -> LabelFacts:
    """Count the labels of tagged sentences, and choose for each the example that shows it best.

    That is the most frequent text among those that carry this label more often than any other one; where there is
    none, the most frequent text. Equals go in the order of their characters.
    """
    counts: Counter[str] = Counter()
    texts: dict[str, Counter[str]] = {}
    for sentence in sentences:
        for label, text in _labeled_texts(sentence, scheme):
            counts[label] += 1
            if len(text) <= LONGEST_EXAMPLE and text.isprintable():
                texts.setdefault(label, Counter())[text] += 1
    highest: Counter[str] = Counter()
    for of_label in texts.values():
        for text, count in of_label.items():
            highest[text] = max(highest[text], count)
    examples = {
        label: min(of_label, key=lambda text: (of_label[text] < highest[text], -of_label[text], text))
        for label, of_label in texts.items()
    }
    return LabelFacts(counts=dict(sorted(counts.items())), examples=dict(sorted(examples.items())))


def unseen_labels(train: Iterable[Sentence], other: Iterable[Sentence], scheme: str) -> dict[str, int]:
    """The labels of `other` that `train` has not, which can never be predicted, with their counts."""
    known = label_facts(train, scheme).counts
    return {label: count for label, count in label_facts(other, scheme).counts.items() if label not in known}


def facts_from_dict(description: Mapping[str, Any], labels: Sequence[str], *, where: str) -> LabelFacts:
    """The facts that a config.json holds, or none where it was written without them; `where` opens each message.

    Raises ModelError when a table is no table, names a label that the model does not have, or holds a wrong value.
    """
    return LabelFacts(
        counts=_table(description, COUNTS_KEY, int, labels, where),
        examples=_table(description, EXAMPLES_KEY, str, labels, where),
    )


def _labeled_texts(sentence: Sentence, scheme: str) -> Iterable[tuple[str, str]]:
    tags = sentence.tags or ()
    if scheme == "plain":
        yield from zip(tags, sentence.forms, strict=True)
        return
    for span in spans_from_tags(tags, scheme):
        start, end = sentence.tokens[span.start].start, sentence.tokens[span.end - 1].end
        yield span.label, sentence.text[start:end]


def _table(description: Mapping[str, Any], key: str, kind: type, labels: Sequence[str], where: str) -> dict[str, Any]:
    table = description.get(key, {})
    wanted = {int: "a count of at least 0", str: "a text"}[kind]
    if not isinstance(table, dict):
        raise ModelError(f"{where}: {key}: expected an object, found {type(table).__name__}; restore the file")
    for label, value in table.items():
        if label not in labels:
            raise ModelError(
                f"{where}: {key}: expected labels of the model, found {label!r}; restore the file, or leave {key} out"
            )
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise ModelError(f"{where}: {key}: {label}: expected {wanted}, found {value!r}; restore the file")
    return table
