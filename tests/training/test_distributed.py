"""Two processes under torch's own launcher: the gradient of one process on the joined batch, and one model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

pytestmark = pytest.mark.torch

WITHOUT_CHANCE = """
[features]
token_dim = 6
bigram_dim = 4
bigram_min_count = 1
[encoder]
hidden = 7
[training]
epochs = 2
batch_size = 3
dropout = 0.0
unknown_weight = 0.0
averaging = 0.5
threads = 1
device = "cpu"
"""

# One step on the same five sentences, by as many processes as the launcher starts; the first saves what came out.
ONE_STEP = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from gatewise.model.config_reading import read_config
from gatewise.model.corpus import read_corpus, resolve_config
from gatewise.training.batches import collate
from gatewise.training.distributed import process_group
from gatewise.training.start import new_network
from gatewise.training.losses import label_margins, sentence_losses
from gatewise.training.optimizer import Optimizer
from gatewise.training.prepare import prepare

config_path, corpus, out, mutation = sys.argv[1:]
config = resolve_config(read_config(config_path), Path(corpus))
prepared = prepare(config, list(read_corpus(Path(corpus), config.task)))
torch.manual_seed(4)
network = new_network(prepared).train()
optimizer = Optimizer(network, clip=0.5, averaging=0.5)
chosen = [7, 2, 9, 0, 5]
with process_group(torch.device("cpu")) as group:
    for _ in range(3):
        own = group.share(chosen)
        if mutation == "own-only":
            own = chosen[:3]
        [batch] = collate(prepared.train, [own])
        losses = sentence_losses(network, network(batch.inputs, batch.lengths), batch, label_margins(prepared))
        (losses.sum() / len(chosen)).backward()
        optimizer.step(0.01, group)
    if group.is_first:
        save_file({name: array.clone() for name, array in optimizer.arrays().items()}, out)
"""


def launched(processes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    command = [sys.executable, "-m", *launcher, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(WITHOUT_CHANCE, encoding="utf-8")
    return path


def test_two_processes_take_the_steps_that_one_takes_on_the_joined_batch(
    tiny: Path, tmp_path: Path, config: Path
) -> None:
    from safetensors.torch import load_file

    script = tmp_path / "one_step.py"
    script.write_text(ONE_STEP, encoding="utf-8")

    def outcome(processes: int, mutation: str = "none") -> dict[str, torch.Tensor]:
        out = tmp_path / f"{processes}-{mutation}.safetensors"
        ran = launched(processes, script, config, tiny / "spans.conll", out, mutation)
        assert ran.returncode == 0, ran.stderr
        return load_file(out)

    one, two, wrong = outcome(1), outcome(2), outcome(2, "own-only")
    assert one.keys() == two.keys()
    for name, array in one.items():
        torch.testing.assert_close(two[name], array, rtol=1e-4, atol=1e-7, msg=name)
    assert any(float((wrong[name] - array).abs().max()) > 1e-3 for name, array in one.items())


def test_two_processes_train_one_model(tiny: Path, tmp_path: Path, config: Path) -> None:
    corpus, folder = tiny / "spans.conll", tmp_path / "model"
    settings = ("--config", config, "--set", "training.epochs=40", "--set", "training.learning_rate=0.03")
    arguments = ("train", corpus, "--dev", corpus, "--test", corpus, "-o", folder, *settings)
    ran = launched(2, "-m", "gatewise", *arguments)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("model on test") == 1  # the first process alone speaks
    assert len(re.findall(r"^ +1/40 ", ran.stderr, re.MULTILINE)) == 1
    alone = subprocess.run(
        [sys.executable, "-m", "gatewise", "evaluate", str(folder), str(corpus), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(alone.stdout)["F1"] > 0.9
