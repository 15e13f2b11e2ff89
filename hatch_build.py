"""Compiles the native kernel (`src/gatewise/native/*.c`) into the wheel, where there is a compiler for it.

Without one, on other systems and processors, and with GATEWISE_PURE=1 the wheel is of Python alone: such a gatewise
runs every model on onnxruntime.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLATFORM = "linux-x86_64"
FLAGS = ("-std=gnu11", "-O3", "-s", "-shared", "-fPIC", "-fvisibility=hidden")


class NativeKernel(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"
    _scratch: Path | None = None  # where the library lies until it is in the wheel

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root) / "src" / "gatewise" / "native"
        in_place = version == "editable"
        if in_place:
            shutil.rmtree(folder / "lib", ignore_errors=True)
        if os.environ.get("GATEWISE_PURE") == "1" or sysconfig.get_platform() != PLATFORM:
            return
        self._scratch = None if in_place else Path(tempfile.mkdtemp(prefix="gatewise-"))
        library = (self._scratch or folder / "lib") / "kernel.so"
        library.parent.mkdir(exist_ok=True)
        if problem := compiled(sorted(folder.glob("*.c")), library):
            self.app.display_warning(f"gatewise is built without its native kernel, and is slower: {problem}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{PLATFORM.replace('-', '_')}"
        if not in_place:
            build_data["force_include"][str(library)] = "gatewise/native/lib/kernel.so"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if self._scratch:
            shutil.rmtree(self._scratch)


def compiled(sources: Iterable[Path], library: Path) -> str:
    """Why there is no library, or nothing."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return "no C compiler"
    try:
        command = [*compiler.split(), *FLAGS, "-o", str(library), *map(str, sources)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return (getattr(error, "stderr", None) or str(error)).strip()
    return ""
