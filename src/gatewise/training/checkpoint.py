"""Everything that a training run is, on disk, so that it can go on after it was killed.

In: arrays by name and a state that JSON can hold. Out: one safetensors file with the state in its head. It is written
beside its place and moved there when it is complete and on the disk, so that there is always a whole one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gatewise.errors import TrainingError

STATE_KEY = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Arrays by name, and the rest of the state."""

    arrays: Mapping[str, Tensor]
    state: Mapping[str, Any]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put the checkpoint in the place of the last one; raises TrainingError, and leaves that one, when it cannot."""
    arrays = {name: array.contiguous().cpu() for name, array in checkpoint.arrays.items()}
    content = save(arrays, {STATE_KEY: json.dumps(checkpoint.state)})
    made = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with made.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(made, path)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise TrainingError(
            f"{path}: the training's state cannot be saved ({error.strerror}); make room on the disk and go on with"
            " --resume: what was saved last is whole"
        ) from error


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint there, None where there is none; raises TrainingError when it is not one."""
    if not path.exists():
        return None
    try:
        with safe_open(str(path), framework="pt") as stream:
            state = json.loads((stream.metadata() or {})[STATE_KEY])
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (OSError, RuntimeError, SafetensorError, KeyError, ValueError) as error:  # RuntimeError: cut short
        raise TrainingError(
            f"{path}: expected a checkpoint, found a damaged file ({error}); delete it to start anew"
        ) from error
    return Checkpoint(arrays=arrays, state=state)
