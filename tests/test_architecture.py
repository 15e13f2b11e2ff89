"""ARCHITECTURE.md's import table, held against the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "gatewise"

pytestmark = pytest.mark.source


def import_table() -> dict[str, set[str]]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.split("<!-- import table -->")[1].split("<!-- end of import table -->")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", table, flags=re.MULTILINE)
    return {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    """Every module of a room; the package's own __init__ and __main__ stand above the rooms."""
    return sorted(path for path in PACKAGE.rglob("*.py") if room_of(path) not in ("__init__", "__main__"))


def imported(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Each module that is imported, and whether that happens when the file is loaded."""
    at_load = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        at_load.add(id(node))
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        type_checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if not lazy and not type_checking:
            pending += list(ast.iter_child_nodes(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in at_load
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or "", id(node) in at_load


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_in_the_table(path: Path) -> None:
    room, table = room_of(path), import_table()
    assert room in table, f"ARCHITECTURE.md has no row for {room}"
    for name, at_load in imported(ast.parse(path.read_text(encoding="utf-8"))):
        top, _, rest = name.partition(".")
        if top == "gatewise" and rest:
            other = rest.split(".")[0]
            assert other == room or other in table[room], f"{room} imports {other}"
            assert other != "training" or room == "training" or not at_load, "training is imported at module level"
        if top in ("torch", "onnx"):
            assert room == "training", f"{top} is imported in {room}"


def test_the_table_has_no_cycles() -> None:
    table = import_table()
    placed: set[str] = set()
    while ready := {room for room, below in table.items() if room not in placed and below <= placed}:
        placed |= ready
    assert placed == set(table)


def test_every_room_has_a_row() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__"} == set(import_table())


def test_the_check_would_notice_a_wrong_import() -> None:
    tree = ast.parse("import torch\ndef f():\n    from gatewise.training import run\n")
    assert dict(imported(tree)) == {"torch": True, "gatewise.training": False}
