"""What a model's card tells of its training: the data, how long it took, what it started from.

In: a trained tagger and its corpus. Out: `TrainingFacts`.
"""

from __future__ import annotations

from datetime import date

import gatewise
from gatewise.model.card import TrainingFacts
from gatewise.model.heads import MAIN_HEAD
from gatewise.model.labeled import labeled_for
from gatewise.model.lexicon import LEXICON, Lexicon
from gatewise.text.sentence import Sentence
from gatewise.training.loop import TrainedTagger
from gatewise.training.prepare import Prepared
from gatewise.training.splits import Corpus


def training_facts(trained: TrainedTagger, corpus: Corpus) -> TrainingFacts:
    """Of a run that is over; what storage changes is not in it."""
    splits, vectors = dict[str, list[Sentence]](), trained.prepared.vectors
    for head in (MAIN_HEAD, *corpus.config.heads):
        for name, sentences in (("train", corpus.train), ("dev", corpus.dev)):
            if labeled := labeled_for(sentences, head):
                splits[f"{name} ({head})" if head else name] = labeled
    return TrainingFacts(
        date=date.today().isoformat(),
        version=gatewise.__version__,
        splits={name: (len(split), sum(map(len, split))) for name, split in splits.items()},
        best_epoch=trained.best_epoch,
        seconds=trained.seconds,
        parameters=sum(array.numel() for array in trained.arrays.values()),
        num_tags=len(trained.prepared.labels),
        vectors={name: (len(found.ids), found.entries) for name, found in vectors.items() if name != LEXICON},
        lexicon=_lexicon_facts(trained.prepared),
        heads={name: len(head.labels) for name, head in trained.prepared.heads.items()},
        distilled=None if trained.prepared.lessons is None else trained.prepared.lessons.distilled,
    )


def _lexicon_facts(prepared: Prepared) -> tuple[int, int, int] | None:
    """Words, those with vectors of their own, those with pretrained ones."""
    lexicon, vectors = prepared.vocabularies.get(LEXICON), prepared.vectors.get(LEXICON)
    if not isinstance(lexicon, Lexicon):
        return None
    return len(lexicon.words), len(lexicon.entries), len(vectors.ids) if vectors is not None else 0
