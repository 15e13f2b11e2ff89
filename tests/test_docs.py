"""What the documents promise, held against the code."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.model.config import Config, DistillationConfig, HeadConfig
from gatewise.model.config_reading import config_from_dict, read_config

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.source


def leaves(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return found


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([\w.]+)` \| `([^`]*)` \|", text, flags=re.MULTILINE))
    one_head = {f"heads.NAME.{key}": value for key, value in asdict(HeadConfig()).items()}
    teaching = {f"distillation.{key}": value for key, value in asdict(DistillationConfig()).items()}
    settings = leaves(Config().to_dict()) | one_head | teaching
    assert documented == {key: json.dumps(value) for key, value in settings.items()}


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.name)
def test_recipes_are_read(path: Path) -> None:
    read_config(path)


MODELS = ROOT / "src" / "gatewise" / "models"


@pytest.mark.parametrize("name", sorted(file.parent.name for file in MODELS.glob("*/config.json")))
def test_the_bundled_models_are_the_recipes(name: str) -> None:
    recipe = leaves(read_config(ROOT / "recipes" / f"{name}.toml").to_dict())
    for free in ("training.threads", "training.checkpoint_seconds"):  # they change nothing that comes out
        del recipe[free]
    stored = json.loads((MODELS / name / "config.json").read_text(encoding="utf-8"))
    made = leaves(config_from_dict(stored["config"], where=name).to_dict())
    assert {key: made[key] for key, value in recipe.items() if value != "auto"} == {
        key: value for key, value in recipe.items() if value != "auto"
    }


def test_the_bundled_models_are_small() -> None:
    assert sum(file.stat().st_size for file in MODELS.rglob("*") if file.is_file()) <= 12_000_000


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_python_in_the_readme_runs(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "[0, 2, 0, 0]" in done.stdout


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_commands_in_the_readme_exist(name: str) -> None:
    """Commands that need no file of the reader's are run; of the others the options are looked up."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL))
    lines = [line.partition("#")[0].strip() for line in blocks.splitlines()]
    commands = [line for line in lines if line.startswith(("gatewise", "echo"))]
    assert len(commands) >= 8
    for command in commands:
        runnable = not re.search(r"news|my\.toml|page\.html|my-model|train\.tsv|gatewise studio", command)
        words = command.split()
        shown = command if runnable else f"gatewise {words[words.index('gatewise') + 1]} --help"
        bash = shutil.which("bash")
        assert bash
        call = shown.replace("gatewise ", f"{sys.executable} -m gatewise ")
        done = subprocess.run([bash, "-c", call], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        if not runnable:
            for option in re.findall(r"(?<= )--?[a-z]+", command):
                assert option in done.stdout, (command, option)


def test_local_links_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_changelog_knows_this_version() -> None:
    assert f"## {gatewise.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'version = "{gatewise.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
