"""Train with several seeds and say what they score: mean ± sd and each.

    python benchmarks/seeds.py TRAIN DEV TEST OUT [--seeds 3] [-- more options of gatewise train]

Each seed is a whole `gatewise train` in a process of its own, timed from start to end; the scores are those of the
saved model, by `gatewise evaluate`. A seed whose model stands in OUT already is not trained again. Prints a Markdown
table row.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

GATEWISE = [sys.executable, "-m", "gatewise"]


def run_seed(seed: int, files: tuple[str, str, str], out: Path, options: list[str]) -> float:
    """Train one seed; returns its seconds."""
    train, dev, test = files
    began = time.perf_counter()
    command = [*GATEWISE, "train", train, "--dev", dev, "--test", test, "-o", str(out), "--seed", str(seed), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def evaluate(model: Path, file: str) -> dict[str, float]:
    """The main score and, for segmentation, the words' F1, in percent."""
    command = [*GATEWISE, "evaluate", str(model), file, "--json"]
    scores = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {name: 100 * scores[name] for name in ("F1", "accuracy") if name in scores}
    if "words" in scores:
        found["words F1"] = 100 * scores["words"]["f1"]
    return found


def shown(values: list[float], digits: int = 2) -> str:
    """`94.61 ± 0.31 (94.25, 94.94, 94.63)`."""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread} ({', '.join(f'{value:.{digits}f}' for value in values)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs=3, metavar=("TRAIN", "DEV", "TEST"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("options", nargs="*", help="after --: options of gatewise train")
    arguments = parser.parse_args()
    train, dev, test = arguments.files
    rows: dict[str, list[float]] = {}
    for seed in range(1, arguments.seeds + 1):
        model = arguments.out / f"seed{seed}"
        if not model.exists():
            seconds = run_seed(seed, (train, dev, test), model, arguments.options)
            rows.setdefault("seconds", []).append(seconds)
        for split, file in (("dev", dev), ("test", test)):
            for name, value in evaluate(model, file).items():
                rows.setdefault(f"{split} {name}", []).append(value)
    print("\n".join(f"| {name} | {shown(values)} |" for name, values in rows.items()))


if __name__ == "__main__":
    main()
