"""Runs `gatewise tag` again and again, each time killed at a random moment, until it ends on its own.

In: a seed, then the command's arguments. Out, as JSON: the exit code at last, what was said, how often it was killed.
Each run is a process of its own, forked after the imports; it kills itself in the middle of a random call of its code.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

from gatewise.cli import main
from gatewise.jobs import resumable, stream

CALLS = 3000  # of the room `jobs`, of formats and of the system below them, in a chunk or two


def run(arguments: list[str], kill_at: int, said: Path) -> int:
    """One run in a process of its own; the status that it ended with, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 2)
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        if f"{os.sep}gatewise{os.sep}jobs{os.sep}" in frame.f_code.co_filename:
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.argv = ["gatewise", *arguments]
    sys.setprofile(count)
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    else:
        code = 0
    sys.stderr.flush()
    os._exit(code)


def run_until_it_ends(seed: int, arguments: list[str]) -> dict[str, object]:
    """Kill, scribble behind what counts as a half-written chunk would, go on."""
    rng = random.Random(seed)
    resume: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "said")
        for kills in range(1000):
            code = run([*arguments, *resume], rng.randint(1, CALLS), said)
            if code != -signal.SIGKILL:
                return {"code": code, "said": said.read_text(encoding="utf-8"), "kills": kills}
            resume = ["--resume"]
            out = Path(arguments[arguments.index("-o") + 1]).parent
            for part in out.rglob("*.part") if any(out.rglob("*.part.json")) else ():
                with part.open("ab") as half:
                    half.write(b"half a lin")
    return {"code": None, "kills": kills}


if __name__ == "__main__":
    stream.CHUNK, resumable.SECONDS = 16, 0.0
    sys.stdout.write(json.dumps(run_until_it_ends(int(sys.argv[1]), sys.argv[2:])))
