"""What a temperature fitted on dev does on dev and on test: `python benchmarks/temperature.py DEV TEST MODEL [MODEL…]`.

In: labeled files and models that were not trained on them. Out: Markdown, a row a model: the fitted temperature, the
mean negative log-likelihood of a sentence's gold tags on dev and the expected calibration error of tags and of spans,
at temperature 1 and at the fitted one, and whether `gatewise train` and `gatewise calibrate` take it (ADR 0022).
"""

from __future__ import annotations

import sys
from pathlib import Path

import gatewise
from gatewise.model.corpus import read_corpus
from gatewise.runtime.calibration import calibration_change, choose_temperature


def main(dev: str, test: str, *models: str) -> None:
    print("| model | temperature | log loss, dev | dev: tags | spans | test: tags | spans | taken |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for model in models:
        tagger = gatewise.load(model)
        golds = [list(read_corpus(path, tagger.archive.config.task)) for path in (dev, test)]
        chosen = choose_temperature(tagger, golds[0])
        cells = []
        for gold in golds:
            tables = calibration_change(tagger, gold, chosen.fit.temperature).tables
            pairs = [tables.get(name) for name in ("tags", "spans")]
            cells += [_change(*(100 * table.expected_error for table in pair)) if pair else "–" for pair in pairs]
        loss, taken = _change(chosen.fit.before, chosen.fit.after), "no" if chosen.doubt else "yes"
        row = [Path(model).name, f"{chosen.fit.temperature:.3f}", loss, *cells, taken]
        print(f"| {' | '.join(row)} |", flush=True)


def _change(before: float, after: float) -> str:
    return f"{before:.2f} → {after:.2f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
