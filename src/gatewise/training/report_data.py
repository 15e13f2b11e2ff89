"""What the report of a run shows, as plain data: all its arithmetic is here, the page only lays it out.

In: the facts of a run and the lines of its metrics.jsonl. Out: a dictionary for JSON. Offsets of spans count characters
(code points) of the sentence's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gatewise
from gatewise.model.config import Config
from gatewise.model.distilled import Distilled
from gatewise.model.label_facts import label_facts
from gatewise.text.sentence import Sentence
from gatewise.training.metrics_file import Line

MATRIX_LABELS = 16  # more do not fit a page; then the most frequent confusions are listed
CONFUSIONS, SLOWEST = 20, 10
SNIPPET = 60  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known before the first step. `splits` by name (train, dev, test), without empty sentences, in the
    model's tags, those of the main head; `trained_on` are the sentences that batches are cut from, of all heads and raw
    ones, and without them those of train; `name` is the model folder's; `distilled` says what taught; `summary` is made
    of the rest."""

    name: str
    config: Config
    splits: Mapping[str, Sequence[Sentence]]
    trained_on: Sequence[Sentence] = ()
    distilled: Distilled | None = None
    summary: tuple[Mapping[str, Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        scheme = self.config.task.scheme
        rows = tuple(_split(name, sentences, scheme) for name, sentences in self.splits.items())
        object.__setattr__(self, "summary", rows)
        object.__setattr__(self, "trained_on", self.trained_on or self.splits.get("train", ()))


def report_data(facts: RunFacts, lines: Sequence[Line]) -> dict[str, Any]:
    """Everything on the page. `kept` is the number (from 0) of the epoch whose weights are, so far, the model's."""
    epochs = [line for line in lines if line["kind"] == "epoch"]
    end = next((line for line in lines if line["kind"] == "end"), None)
    kept = max((number for number, line in enumerate(epochs) if line["is_best"]), default=0)
    best = epochs[kept] if epochs else None
    scores = dict(end["scores"]) if end else {}
    if "dev" not in scores and best and best["dev"]:
        scores = {"dev": best["dev"]} | scores
    return {
        "name": facts.name,
        "version": gatewise.__version__,
        "done": end is not None,
        "planned": facts.config.training.epochs,
        "score_name": next((name for name in ("F1", "accuracy") for found in scores.values() if name in found), None),
        "config": _settings(facts.config.to_dict()) + _taught_by(facts),
        "splits": facts.summary,
        "epochs": _epochs(epochs),
        "kept": kept,
        "seconds": end["seconds"] if end else (epochs[-1]["seconds"] if epochs else 0.0),
        "batches": [
            [line["fraction"] * facts.config.training.epochs, line["learning_rate"], line["gradient_norm"]]
            for line in lines
            if line["kind"] == "batch"
        ],
        "tables": {split: score_table(found) for split, found in scores.items()},
        "calibration": {split: _calibration(found) for split, found in (end or {}).get("calibration", {}).items()},
        "label_history": _label_history(epochs),
        "head_history": _head_history(epochs),
        "gates": _gates([line for line in lines if line.get("gates")]),
        "hardest": _hardest(best, facts.splits.get("dev", ())),
        "slowest": _slowest(epochs, facts.trained_on),
    }


def score_table(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores by label, and the confusion matrix: a row a gold label, a column a predicted one.

    The last column of a row counts the gold spans that no predicted span has the edges of, the last row the predicted
    spans whose edges gold has not; plain tags have neither.
    """
    labels = scores["labels"]
    order = sorted(labels, key=lambda label: (-labels[label]["gold"], label))
    pairs = {(pair["gold"], pair["predicted"]): pair["count"] for pair in scores.get("confusion", ())}
    table: dict[str, Any] = {
        "main": scores["F1"] if "F1" in scores else scores["accuracy"],
        "overall": scores.get("overall"),
        "words": scores.get("words"),
        "labels": [[label, labels[label]] for label in order],
        "kinds": scores.get("errors"),
        "confusion": [[*pair, count] for pair, count in list(pairs.items())[:CONFUSIONS]],
        "matrix": None,
    }
    if 1 < len(order) <= MATRIX_LABELS and "confusion" in scores:
        rows = [[pairs.get((gold, said), 0) for said in order] for gold in order]
        for number, label in enumerate(order):
            rows[number][number] = labels[label]["correct"]
        columns = [sum(row[number] for row in rows) for number in range(len(order))]
        for label, row in zip(order, rows, strict=True):
            row.append(labels[label]["gold"] - sum(row))
        alone = [labels[label]["predicted"] - found for label, found in zip(order, columns, strict=True)]
        table["matrix"] = {"labels": order, "rows": rows, "alone": alone}
    return table


def _calibration(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of a split: the temperature, and for tags and spans the expected calibration error and the points of the plot
    (mean probability, share that is right, count), each before and after."""
    kinds = {"tags": "tokens", "spans": "spans"}
    return {
        "temperature": found["after"]["temperature"],
        "kinds": [
            {
                "name": name,
                "count": found["after"][key]["count"],
                "error": [found[side][key]["expected_calibration_error"] for side in ("before", "after")],
                "points": [
                    [[e["confidence"], e["accuracy"], e["count"]] for e in found[side][key]["bins"] if e["count"]]
                    for side in ("before", "after")
                ],
            }
            for name, key in kinds.items()
            if found["after"][key] is not None
        ],
    }


def _epochs(epochs: Sequence[Line]) -> list[dict[str, Any]]:
    found, before = [], 0.0
    for line in epochs:
        names = ("epoch", "step", "loss", "dev_loss", "dev_score", "learning_rate", "tokens_per_second", "is_best")
        found.append({name: line[name] for name in names} | {"seconds": line["seconds"] - before})
        before = line["seconds"]
    return found


def _label_history(epochs: Sequence[Line]) -> dict[str, list[float | None]]:
    """F1 of each label on dev, epoch by epoch."""
    labels = {label for line in epochs if line["dev"] for label in line["dev"]["labels"]}
    return {
        label: [
            line["dev"]["labels"][label]["f1"] if line["dev"] and label in line["dev"]["labels"] else None
            for line in epochs
        ]
        for label in sorted(labels)
    }


def _head_history(epochs: Sequence[Line]) -> dict[str, list[float | None]]:
    """What each further head scores on its dev sentences in percent, epoch by epoch."""
    names = dict.fromkeys(name for line in epochs for name in line.get("heads", {}))
    return {name: [_main(line.get("heads", {}).get(name)) for line in epochs] for name in names}


def _main(scores: Mapping[str, Any] | None) -> float | None:
    return None if scores is None else 100 * (scores["F1"] if "F1" in scores else scores["accuracy"])


def _gates(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """By layer (from 1) and direction: the statistics before training (epoch 0) and after each epoch."""
    found: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        for entry in line["gates"]:
            found.setdefault((entry["layer"] + 1, entry["direction"]), []).append(entry)
    return [
        {
            "layer": layer,
            "direction": direction,
            "tokens": entries[0]["tokens"],
            "epochs": [line.get("epoch", 0) for line in lines],
            "closed": {gate: [entry["closed"][gate] for entry in entries] for gate in entries[0]["closed"]},
            "open": {gate: [entry["open"][gate] for entry in entries] for gate in entries[0]["open"]},
            "memory": [entry["memory"] for entry in entries],
            "longest": [entry["longest"] for entry in entries],
        }
        for (layer, direction), entries in found.items()
    ]


def _hardest(best: Line | None, dev: Sequence[Sentence]) -> list[dict[str, Any]]:
    found = []
    for entry in best["hardest"] if best else ():
        sentence = dev[entry["sentence"] - 1]
        sides = {side: [_in_text(sentence, *span) for span in entry[side]] for side in ("gold", "predicted")}
        found.append({**entry, **sides, "text": sentence.text})
    return found


def _in_text(sentence: Sentence, start: int, end: int, label: str) -> tuple[int, int, str]:
    return sentence.tokens[start].start, sentence.tokens[end - 1].end, label


def _slowest(epochs: Sequence[Line], train: Sequence[Sentence]) -> list[dict[str, Any]]:
    """The batches that took longest for a token, of all epochs; `filled` is the part that is not padding."""
    batches = [entry | {"epoch": line["epoch"]} for line in epochs for entry in line["slowest"]]
    batches.sort(key=lambda entry: -entry["seconds"] / entry["tokens"])
    return [
        entry
        | {
            "per_token": entry["seconds"] / entry["tokens"],
            "filled": entry["tokens"] / (entry["sentences"] * entry["longest"]),
            "text": train[entry["longest_sentence"] - 1].text[:SNIPPET],
        }
        for entry in batches[:SLOWEST]
    ]


def _split(name: str, sentences: Sequence[Sentence], scheme: str) -> dict[str, Any]:
    counts = label_facts(sentences, scheme).counts
    tokens = sum(map(len, sentences))
    return {"name": name, "sentences": len(sentences), "tokens": tokens, "labels": dict(counts)}


def _taught_by(facts: RunFacts) -> list[list[Any]]:
    """The teachers and what they labeled, as rows below the settings."""
    if facts.distilled is None:
        return []
    return [[name, told] for name, told in facts.distilled.rows(facts.config.distillation).items()]


def _settings(config: Mapping[str, Any]) -> list[list[Any]]:
    """The configuration as rows `section.key`, value; what only the card prints is left out."""
    rows: list[list[Any]] = []
    for section, values in config.items():
        if section == "heads":
            rows += [[f"heads.{name}.{key}", value] for name, head in values.items() for key, value in head.items()]
        elif isinstance(values, Mapping) and section != "card":
            rows += [[f"{section}.{key}", value] for key, value in values.items()]
        elif not isinstance(values, Mapping):
            rows.append([section, values])
    return rows
