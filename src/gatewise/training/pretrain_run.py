"""A whole pretraining: files of raw text in, the folder of a language model out.

In: paths and settings. Out: the folder, and a last report a direction. The two directions know nothing of each other:
with two threads or more they are learned at once, half of the threads each, else one after the other. The state of the
run is in `NAME.run` beside the folder, as for a tagger (ADR 0007), and goes when the language model is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path
from threading import Event

import torch

import gatewise
from gatewise.errors import TrainingError
from gatewise.model.language_model import LanguageModel, check_language_model_target, save_language_model
from gatewise.model.language_model_shapes import KINDS, embedding_name, layer_name
from gatewise.training.character_stream import RawText, read_raw_text
from gatewise.training.next_character import NextCharacter
from gatewise.training.place import seed_generators
from gatewise.training.pretrain import Pretraining, PretrainReport, PretrainSettings
from gatewise.training.stopping import never

DIRECTIONS = {"forward": "", "reverse": "_reverse"}  # direction → suffix of its weights
FREE_SETTINGS = ("save_seconds", "report_seconds")  # they change nothing that comes out


def run_pretraining(
    texts: Sequence[Path],
    folder: Path,
    settings: PretrainSettings,
    *,
    dev: Path | None = None,
    threads: int = 1,
    resume: bool = False,
    on_text: Callable[[RawText], None] = lambda text: None,  # noqa: ARG005 - nobody listens
    on_report: Callable[[PretrainReport], None] = lambda report: None,  # noqa: ARG005 - nobody listens
    should_stop: Callable[[], bool] = never,
) -> dict[str, PretrainReport]:
    """Learn both directions and write the folder; the last report of each.

    With `resume` a run that was stopped or killed goes on; without one it starts anew. Raises ModelError when the
    folder is taken, TrainingError when a checkpoint is in the way, StoppedError when asked to stop.
    """
    check_language_model_target(folder)
    state = Path(os.path.abspath(folder))
    state = state.with_name(state.name + ".run")
    if state.exists() and not resume:
        raise TrainingError(f"{state}: expected no unfinished run, found one; go on with --resume, or delete {state}")
    text = read_raw_text(texts, dev, vocabulary=settings.vocabulary, seed=settings.seed)
    on_text(text)
    failed = Event()
    runs = {}
    with torch.random.fork_rng(devices=[]):
        for direction in DIRECTIONS:
            seed_generators(torch.device("cpu"), f"{settings.seed}/{direction}")
            runs[direction] = _direction(
                direction, text, settings, state, on_report, lambda: should_stop() or failed.is_set()
            )
    if resume:
        for run in runs.values():
            run.restore()
    reports = _learned(runs, threads, failed)
    model = _language_model(runs, text, settings)
    save_language_model(folder, model, card=_card(folder, texts, text, settings, reports))
    shutil.rmtree(state)
    return reports


def _direction(
    direction: str,
    text: RawText,
    settings: PretrainSettings,
    state: Path,
    on_report: Callable[[PretrainReport], None],
    should_stop: Callable[[], bool],
) -> Pretraining:
    step = -1 if DIRECTIONS[direction] else 1  # the reverse direction reads the last character first
    return Pretraining(
        direction,
        train=text.train[::step],
        dev=text.dev[::step],
        network=NextCharacter(text.vocabulary.size, hidden=settings.hidden, dim=settings.dim),
        settings=settings,
        checkpoint=state / f"{direction}.safetensors",
        fingerprint=_fingerprint(text, settings),
        on_report=on_report,
        should_stop=should_stop,
    )


def _learned(runs: Mapping[str, Pretraining], threads: int, failed: Event) -> dict[str, PretrainReport]:
    """The last report of each direction; when one fails the other is stopped, too."""

    def run(one: Pretraining) -> PretrainReport:
        try:
            return one.run()
        except BaseException:
            failed.set()
            raise

    at_once = 2 if threads > 1 else 1
    each = max(1, threads // at_once)
    with ThreadPoolExecutor(at_once, "gatewise", initializer=torch.set_num_threads, initargs=(each,)) as pool:
        later = {direction: pool.submit(run, one) for direction, one in runs.items()}
    return {direction: one.result() for direction, one in later.items()}


def _language_model(runs: Mapping[str, Pretraining], text: RawText, settings: PretrainSettings) -> LanguageModel:
    arrays = {}
    for direction, suffix in DIRECTIONS.items():
        network = runs[direction].network
        arrays[embedding_name(suffix)] = network.embedding.weight.detach().numpy()
        for kind in KINDS:
            arrays[layer_name(kind, suffix)] = getattr(network.lstm, f"{kind}_l0").detach().numpy()
    return LanguageModel(hidden=settings.hidden, dim=settings.dim, vocabulary=text.vocabulary, arrays=arrays)


def _fingerprint(text: RawText, settings: PretrainSettings) -> str:
    """Changes with whatever the outcome depends on."""
    decisive = {name: value for name, value in asdict(settings).items() if name not in FREE_SETTINGS}
    digest = hashlib.sha256(json.dumps([decisive, text.vocabulary.entries]).encode())
    for ids in (text.train, text.dev):
        digest.update(ids.tobytes())
    return digest.hexdigest()


def _card(
    folder: Path,
    texts: Sequence[Path],
    text: RawText,
    settings: PretrainSettings,
    reports: Mapping[str, PretrainReport],
) -> str:
    """What the language model is, as Markdown."""
    rows = {
        "network": f"an LSTM of {settings.hidden} units on {settings.dim} numbers a character, in each direction",
        "characters known": f"{len(text.vocabulary.entries):,}",
        "text": ", ".join(path.name for path in texts),
        "characters of text": f"{len(text.train):,}, and {len(text.dev):,} held out ({text.unknown:.2%} unknown)",
        "seed": str(settings.seed),
        "date": date.today().isoformat(),
        "gatewise": gatewise.__version__,
    }
    for direction, report in reports.items():
        rows[f"{direction}, held-out text"] = (
            f"{report.dev_bits:.3f} bits a character (perplexity {report.perplexity:.1f}), after"
            f" {report.characters:,} characters in {report.seconds:.0f} s"
        )
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join(
        [
            f"# {Path(os.path.abspath(folder)).name}",
            "",
            "A character language model. Taggers read its states: `features.language_model`.",
            "",
            "| | |",
            "|---|---|",
            *lines,
            "",
        ]
    )
