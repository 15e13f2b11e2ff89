"""The fuzz run of CONTRIBUTING, short; and that it would find a reader that leaks an exception or loses text."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import gatewise.formats.doccano
from gatewise.errors import FormatError, TextError


def fuzz_readers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_readers", Path(__file__).parent / "fuzz_readers.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_300_inputs(tmp_path: Path) -> None:
    outcomes = fuzz_readers().run(300, 3, tmp_path)
    assert min(outcomes["sentences"], outcomes["refused"]) > 20


def test_a_leak_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gatewise.formats.doccano, "check_edges", lambda *_: None)
    monkeypatch.setattr(gatewise.formats.doccano, "get", lambda where, value, key, kind: value[key])
    with pytest.raises((KeyError, TypeError, AttributeError, TextError)):
        fuzz_readers().run(2000, 3, tmp_path)


def test_a_message_without_a_place_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise FormatError("this is wrong")

    monkeypatch.setattr(gatewise.formats.doccano, "check_edges", refuse)
    with pytest.raises(AssertionError, match="this is wrong"):
        fuzz_readers().run(2000, 3, tmp_path)
