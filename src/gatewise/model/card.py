"""The model card: what a model is, what it was trained on, how well it does, under which licence.

In: the configuration, the scores, and the facts of the training run. Out: Markdown. Every number on it was measured by
the run that wrote it; a score that was not taken is not mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.model.calibration import CalibrationChange
from gatewise.model.config import Config
from gatewise.model.distilled import Distilled
from gatewise.model.scoring import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """What a training run knows of itself.

    `splits` maps train, dev, test to (sentences, tokens); `vectors` is, by feature, how many of how many entries had
    pretrained ones; `lexicon` is how many words there are, how many with vectors of their own, and how many of these
    pretrained; `heads` maps each further head to its number of tags; `numbers_scores` are the main dev scores in the
    numbers that are stored and in float32, where the training chose between them; `distilled` says what taught.
    """

    date: str
    version: str
    splits: Mapping[str, tuple[int, int]]
    best_epoch: int
    seconds: float
    parameters: int
    num_tags: int
    vectors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    lexicon: tuple[int, int, int] | None = None
    heads: Mapping[str, int] = field(default_factory=dict)
    numbers_scores: tuple[float, float] | None = None
    distilled: Distilled | None = None


def format_card(
    config: Config,
    facts: TrainingFacts,
    scores: Mapping[str, Scores],
    calibrations: Mapping[str, CalibrationChange] | None = None,
    *,
    head_scores: Mapping[str, Mapping[str, Scores]] | None = None,
) -> str:
    """The card; `scores` maps a split's name to what the saved model scores on it, `head_scores` does so by head, and
    `calibrations` to how far its probabilities are right there."""
    sections = [f"# {config.name}", config.card.description or _describe(config)]
    sections += [_scores_section(f"Scores on {split}", found) for split, found in scores.items()]
    sections += [calibration_section(split, found) for split, found in (calibrations or {}).items()]
    for head, by_split in (head_scores or {}).items():
        sections += [_scores_section(f"Scores of head {head} on {split}", found) for split, found in by_split.items()]
    for title, text in (
        ("Data", config.card.data),
        ("License", config.card.license or "Not stated: whoever trained this model has not said."),
        ("Attribution", config.card.attribution),
        ("Limits", config.card.limits),
    ):
        if text:
            sections.append(f"## {title}\n\n{text.strip()}")
    sections.append(_facts_section(config, facts))
    return "\n\n".join(sections) + "\n"


def with_calibrations(card: str, calibrations: Mapping[str, CalibrationChange]) -> str:
    """A card with these sections on calibration in place of those that it had, after the scores; all else stays."""
    parts = re.split(r"^(?=## )", card, flags=re.MULTILINE)
    kept = [part for part in parts if not part.startswith("## Calibration on ")]
    scored = [place for place, part in enumerate(kept) if part.startswith("## Scores on ")]
    place = scored[-1] + 1 if scored else 1
    made = [f"{calibration_section(split, found)}\n\n" for split, found in calibrations.items()]
    before, after = "".join(kept[:place]).rstrip("\n"), "".join(kept[place:])
    return f"{before}\n\n{''.join(made)}{after}".rstrip("\n") + "\n"


def vectors_found(config: Config, facts: TrainingFacts) -> str:
    """`1,234 of 2,000 tokens, 56 of 780 bigrams, kept as they are`; empty without pretrained vectors."""
    if not facts.vectors:
        return ""
    use = "trained on" if config.features.vectors_trained else "kept as they are"
    found = [f"{found:,} of {entries:,} {name}" for name, (found, entries) in facts.vectors.items()]
    return ", ".join([*found, use])


def _lexicon_told(config: Config, words: int, own: int, pretrained: int) -> str:
    told = f"{words:,} words of at most {config.features.lexicon_longest} characters, {own:,} with vectors of their own"
    if not config.features.lexicon_vectors:
        return told
    use = "trained on" if config.features.vectors_trained else "kept as they are"
    return f"{told}, {pretrained:,} of these pretrained, {use}"


def _language_model_told(config: Config) -> str:
    features = config.features
    name = Path(features.language_model).name
    size = f"{features.language_model_hidden} units in each direction"
    dim = features.language_model_dim
    use = f"{dim} numbers made of each direction's states" if dim else "its states as they are"
    return f"{name}, of characters, {size}, {use}; its weights kept as they came in"


def architecture(config: Config, output: str | None = None) -> str:
    """`BiLSTM-CRF`, `RNN`, …; `output` is that of a head, the main head's without one."""
    both = "Bi" if config.encoder.bidirectional else ""
    return both + config.encoder.kind.upper() + ("-CRF" if (output or config.output.kind) == "crf" else "")


def _describe(config: Config) -> str:
    article, where = ("A", " in each direction") if config.encoder.bidirectional else ("An", "")
    size = f"{config.encoder.hidden} units{where}"
    heads = "".join(f", and {name}: {head.kind}" for name, head in config.heads.items())
    return f"{article} {architecture(config)} sequence tagger ({config.task.kind}{heads}), {size}."


def _scores_section(title: str, scores: Scores) -> str:
    lines = [f"## {title}", ""]
    if scores.words is not None:
        lines.append(f"- words (segmentation alone): F1 {scores.words.f1:.2%}")
        lines.append(f"- words with their labels: F1 {scores.main:.2%}")
    else:
        lines.append(f"- {scores.main_name}: {scores.main:.2%}")
    lines += ["", "| label | precision | recall | F1 | in gold |", "|---|---:|---:|---:|---:|"]
    for label, counts in scores.per_label.items():
        lines.append(f"| {label} | {counts.precision:.2%} | {counts.recall:.2%} | {counts.f1:.2%} | {counts.gold} |")
    return "\n".join(lines)


def calibration_section(split: str, found: CalibrationChange) -> str:
    """How often what the model is so sure of is right on a split, as Markdown."""
    temperature, tables = found.after.temperature, found.tables
    lines = [f"## Calibration on {split}", "", f"- temperature: {temperature:.4g}"]
    for name, (before, after) in tables.items():
        uncalibrated = "" if temperature == 1 else f" ({before.expected_error:.2%} at temperature 1)"
        lines.append(f"- expected calibration error, {name}: {after.expected_error:.2%}{uncalibrated}")
    _, main = list(tables.values())[-1]
    lines += ["", f"| probability of {list(tables)[-1]} | count | mean | right |", "|---|---:|---:|---:|"]
    lines += [
        f"| {entry.low:.1f} to {entry.high:.1f} | {entry.count} | {entry.confidence:.1%} | {entry.accuracy:.1%} |"
        for entry in main.bins
        if entry.confidence is not None and entry.accuracy is not None
    ]
    return "\n".join(lines)


def numbers_told(config: Config, facts: TrainingFacts) -> str:
    """What the weights are stored as, and what that costs on dev where it was measured."""
    if config.archive.numbers != "int8":
        return config.archive.numbers + (" (int8 lost more than 0.1 on dev)" if facts.numbers_scores else "")
    found = "int8, in steps that do not depend on what else is in a batch"
    if facts.numbers_scores is None:
        return found
    stored, whole = facts.numbers_scores
    return f"{found}; on dev {stored:.2%}, as float32 {whole:.2%}"


def _facts_section(config: Config, facts: TrainingFacts) -> str:
    task, encoder = config.task, config.encoder
    layers = f"{encoder.layers} layer(s)" + (" with residuals" if encoder.residual and encoder.layers > 1 else "")
    rows = {
        "task": f"{task.kind}, scheme {task.scheme}, {facts.num_tags} tags, tokenizer {task.tokenizer}",
        "network": f"{_describe(config).rstrip('.')}, {layers}, {facts.parameters:,} parameters",
        "numbers stored as": numbers_told(config, facts),
        "seed": str(config.training.seed),
        "best epoch": f"{facts.best_epoch} of at most {config.training.epochs}",
        "training time": f"{facts.seconds:.0f} s",
        "date": facts.date,
        "gatewise": facts.version,
    }
    if vectors := vectors_found(config, facts):
        rows["pretrained vectors"] = vectors
    if facts.lexicon is not None:
        rows["lexicon"] = _lexicon_told(config, *facts.lexicon)
    if config.features.language_model_hidden:
        rows["language model"] = _language_model_told(config)
    for name, head in config.heads.items():
        rows[f"head {name}"] = (
            f"{head.kind}, scheme {head.scheme}, {facts.heads[name]} tags, {head.output}, loss weight {head.weight:g}"
        )
    if facts.distilled is not None:
        rows |= facts.distilled.rows(config.distillation)
    for split, (sentences, tokens) in facts.splits.items():
        rows[f"{split} split"] = f"{sentences:,} sentences, {tokens:,} tokens"
    return "\n".join(
        ["## Training", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]
    )
