"""`gatewise pretrain` as a command, and its page: from raw text to a folder, what is told, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.cli.pretrain import pretrain
from gatewise.model.language_model import open_language_model
from gatewise.training.pretrain import PretrainSettings

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.torch

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--hidden", 6, "--dim", 3, "--lanes", 2, "--threads", 1)


def test_text_becomes_a_folder_that_a_tagger_reads(
    tmp_path: Path, tiny: Path, gatewise_command: Callable[..., Any]
) -> None:
    text, folder, model = tmp_path / "text.txt", tmp_path / "lm", tmp_path / "model"
    text.write_text("小明在北京大学读书\n我住在上海\n" * 80, encoding="utf-8")
    ran = gatewise_command("pretrain", text, "-o", folder, *SMALL)
    assert ran.code == 0, ran.err
    assert re.fullmatch(
        r"forward: \d\.\d{3} bits a character, perplexity \d+\.\d\d\n"
        r"reverse: \d\.\d{3} bits a character, perplexity \d+\.\d\d\n",
        ran.out,
    )
    lines = ran.err.splitlines()
    assert re.fullmatch(r"1,\d{3} characters to learn from, \d+ held out \(0.00% unknown\), 14 known", lines[0])
    assert lines[-1] == f"language model: {folder}"
    assert open_language_model(folder).hidden == 6
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| text | text.txt |" in card
    assert str(tmp_path) not in card
    settings = [f"features.language_model={folder}", "encoder.hidden=4", "training.epochs=1", "training.threads=1"]
    ran = gatewise_command(
        "train", tiny / "spans.conll", "-o", model, *(part for one in settings for part in ("--set", one))
    )
    assert ran.code == 0, ran.err
    ran = gatewise_command("tag", "-m", model, stdin="小明在北京\n")
    assert (ran.code, re.sub(r"[^小明在北京\n]", "", ran.out)) == (0, "小明在北京\n")


def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, gatewise_command: Callable[..., Any]) -> None:
    ran = gatewise_command("pretrain", tmp_path / "none.txt", "-o", tmp_path / "lm")
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == f"error: {tmp_path / 'none.txt'}: expected a file, found nothing under this name; check the path\n"
    )
    assert not (tmp_path / "lm").exists()


@pytest.mark.source
def test_the_page_has_every_option_with_its_default() -> None:
    page = (ROOT / "docs" / "pretrain.md").read_text(encoding="utf-8")
    told: dict[str, str] = {}
    for names, values in re.findall(r"^\| (`--[^|]*) \|([^|]*)\|", page, flags=re.MULTILINE):
        options = re.findall(r"`--([\w-]+)`", names)
        told |= dict(zip(options, values.strip().split(", ") if values.strip() else [""] * len(options), strict=True))
    known = {
        option.opts[-1].removeprefix("--"): option for option in pretrain.params if option.param_type_name == "option"
    }
    assert told.keys() == known.keys() - {"output"}
    for name, said in told.items():
        default = known[name].default
        assert said == ("" if name in ("dev", "resume") else f"{default:g}")
    settings = PretrainSettings()
    for option in known.values():
        if option.name is not None and hasattr(settings, option.name):
            assert option.default == getattr(settings, option.name)
