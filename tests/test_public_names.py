"""The names that users import, and the examples in the docstrings."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import gatewise
from gatewise import errors


def modules() -> list[str]:
    found = pkgutil.walk_packages(gatewise.__path__, prefix="gatewise.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def test_every_public_name_is_there() -> None:
    for name in gatewise.__all__:
        assert getattr(gatewise, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        gatewise.lode  # noqa: B018


@pytest.mark.parametrize("name", modules())
def test_rooms_export_what_they_say_and_examples_are_true(name: str) -> None:
    if name.startswith("gatewise.training"):
        pytest.importorskip("torch")
        pytest.importorskip("onnx")
    if name in ("gatewise.training.study", "gatewise.training.tune"):
        pytest.importorskip("optuna")
        pytest.importorskip("tomli_w")
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), public
    assert doctest.testmod(module).failed == 0


def test_the_tree_on_top_of_errors_is_the_tree_below() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    below = [name for name, entry in vars(errors).items() if isinstance(entry, type)]
    assert sorted(["GatewiseError", *drawn]) == sorted(below)
    for name in drawn:
        assert issubclass(getattr(errors, name), errors.GatewiseError)


def test_no_module_is_without_a_head() -> None:
    for path in sorted(Path(gatewise.__path__[0]).rglob("*.py")):
        assert path.read_text(encoding="utf-8").startswith('"""'), path.name
