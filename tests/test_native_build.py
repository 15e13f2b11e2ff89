"""The kernel is compiled without a warning, and a machine that cannot compile it builds a gatewise all the same."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "gatewise" / "native").glob("*.c"))

pytestmark = pytest.mark.source


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_the_kernel_compiles_without_a_warning(hook: ModuleType, tmp_path: Path) -> None:
    command = ["cc", *hook.FLAGS, "-Wall", "-Wextra", "-Werror", "-o", str(tmp_path / "kernel.so"), *map(str, SOURCES)]
    subprocess.run(command, check=True)


def test_what_hinders_the_compiler_is_told(hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no-such-compiler" in hook.compiled(SOURCES, tmp_path / "kernel.so")
    monkeypatch.setenv("CC", "false")
    assert "returned non-zero exit status 1" in hook.compiled(SOURCES, tmp_path / "kernel.so")
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", "")
    assert hook.compiled(SOURCES, tmp_path / "kernel.so") == "no C compiler"


def test_the_compiler_of_the_environment_is_used(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cc.py").write_text("import sys; open(sys.argv[sys.argv.index('-o') + 1], 'w').write('built')")
    monkeypatch.setenv("CC", f"{sys.executable} {tmp_path / 'cc.py'}")
    assert hook.compiled(SOURCES, tmp_path / "kernel.so") == ""
    assert (tmp_path / "kernel.so").read_text() == "built"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None or sysconfig.get_platform() != "linux-x86_64", reason="not built here")
def test_the_wheel_has_the_kernel_and_names_its_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    monkeypatch.delenv("GATEWISE_PURE", raising=False)
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert wheel.endswith("-py3-none-linux_x86_64.whl")
    assert "gatewise/native/lib/kernel.so" in zipfile.ZipFile(wheel).namelist()


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "value"), [("GATEWISE_PURE", "1"), ("CC", "false")])
def test_without_the_kernel_the_wheel_is_of_python_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    from hatchling.builders.wheel import WheelBuilder

    monkeypatch.setenv(variable, value)
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert wheel.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "gatewise/native/library.py" in names
    assert "gatewise/native/lib/kernel.so" not in names
