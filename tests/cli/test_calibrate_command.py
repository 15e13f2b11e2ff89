"""`gatewise calibrate`: what it stores, what it leaves alone, and how it refuses."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.errors import ModelError
from gatewise.model.archive import open_model
from gatewise.model.calibrated import store_temperature

Run = Any  # the fixture `gatewise_command`
[SAMPLE] = (Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample").glob("*.conllu")


@pytest.fixture
def uncalibrated(tmp_path: Path) -> Path:
    """The bundled model at temperature 1, as a folder of the user's."""
    folder = tmp_path / "mine"
    shutil.copytree(open_model(Path(gatewise.__file__).parent / "models" / "zh").folder, folder)
    store_temperature(folder, 1.0, "# mine\n\n## Scores on dev\n\n- F1\n\n## License\n\nMIT\n")
    return folder


def test_a_model_is_calibrated_in_place(gatewise_command: Run, uncalibrated: Path) -> None:
    before = {path.name: path.read_bytes() for path in uncalibrated.iterdir()}
    tags = gatewise.load(uncalibrated).tag("我叫小明，住在北京。").tags
    ran = gatewise_command("calibrate", uncalibrated, SAMPLE, "--test", SAMPLE)
    assert ran.code == 0, ran.err
    tagger = gatewise.load(uncalibrated)
    assert ran.err == f"{uncalibrated}: temperature {tagger.temperature:g} is stored, it was 1\n"
    assert 1.1 < tagger.temperature < 1.3  # the model is a little too sure of itself
    assert tagger.tag("我叫小明，住在北京。").tags == tags
    after = {path.name: path.read_bytes() for path in uncalibrated.iterdir()}
    assert {name for name in after if after[name] != before.get(name)} == {"config.json", "README.md"}
    assert json.loads(after["config.json"]) == json.loads(before["config.json"]) | {"temperature": tagger.temperature}
    card = after["README.md"].decode()
    assert card.startswith("# mine\n\n## Scores on dev\n\n- F1\n\n## Calibration on dev\n\n- temperature: ")
    assert card.endswith("\n\n## License\n\nMIT\n")

    again = gatewise_command("calibrate", uncalibrated, SAMPLE, "--json")
    found = json.loads(again.out)
    assert found["temperature"] == found["before"] == tagger.temperature
    assert found["doubt"] is None
    assert list(found["calibration"]) == ["dev"]
    assert "## Calibration on test" not in (uncalibrated / "README.md").read_text(encoding="utf-8")


def test_a_fit_that_does_not_help_is_not_taken(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    """The tiny model has all of its training file right: the surer the better, without an end."""
    folder = tmp_path / "model"
    shutil.copytree(stored / "v1-spans", folder)
    card = (folder / "README.md").read_bytes()
    store_temperature(folder, 2.5, "")
    ran = gatewise_command("calibrate", folder, tiny / "spans.conll")
    assert ran.code == 0, ran.err
    assert ran.err == (
        "the fit has no optimum: the sentences are too few, or all right, or all wrong\n"
        f"{folder}: temperature 1 is stored, it was 2.5\n"
    )
    assert (folder / "config.json").read_bytes() == (stored / "v1-spans" / "config.json").read_bytes()
    assert (folder / "README.md").read_bytes() != card


def test_what_cannot_be_calibrated(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    ran = gatewise_command("calibrate", tmp_path / "none", tiny / "spans.conll")
    assert (ran.code, ran.err) == (2, f"error: {tmp_path / 'none'}: expected a model folder, found nothing\n")
    folder = tmp_path / "model"
    shutil.copytree(stored / "v1-spans", folder)
    before = (folder / "config.json").read_bytes()
    empty = tmp_path / "empty.conll"
    empty.write_text("\n\n")
    for files in ([empty], [tiny / "spans.conll", "--test", empty]):
        ran = gatewise_command("calibrate", folder, *files)
        said = f"error: {empty}: expected at least one sentence, found none; check the path and the format\n"
        assert (ran.code, ran.err) == (2, said)
    assert (folder / "config.json").read_bytes() == before


def test_a_card_never_tells_of_a_temperature_that_is_not_there(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(stored / "v1-spans", folder)
    names = sorted(path.name for path in folder.iterdir())
    card, replace = (folder / "README.md").read_bytes(), os.replace

    def failing(source: Any, target: Any) -> None:
        if Path(target).name == failing_at:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    for failing_at, stored_temperature in (("config.json", 1.0), ("README.md", 3.0)):
        with pytest.raises(ModelError, match=rf"{failing_at}: cannot be written \(No space left on device\)"):
            store_temperature(folder, 3.0, "new")
        assert open_model(folder).temperature == stored_temperature
        assert (folder / "README.md").read_bytes() == card
        assert sorted(path.name for path in folder.iterdir()) == names
