"""`gatewise import`: what it prints and writes, then `gatewise explain` on what it wrote; wrong usage in one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import ConsoleDimensions
from safetensors.numpy import load_file, save_file

from gatewise.lstm import LSTMWeights, run_lstm

Run = Any  # the fixture `gatewise_command`


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with tagger.safetensors and x.csv."""
    random = np.random.default_rng(6)
    tensors = {
        "embedding.weight": random.normal(size=(9, 3)),
        "lstm.weight_ih_l0": random.normal(size=(8, 3)),
        "lstm.weight_hh_l0": random.normal(size=(8, 2)),
        "lstm.bias_ih_l0": random.normal(size=8),
        "lstm.bias_hh_l0": random.normal(size=8),
    }
    save_file(tensors, tmp_path / "tagger.safetensors")
    (tmp_path / "x.csv").write_text("0.5,-1,2\n1,0,-0.25\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_import_prints_the_mapping_and_explain_opens_it(gatewise_command: Run, place: Path) -> None:
    ran = gatewise_command("import", "tagger.safetensors", "-o", "my.toml", "--inputs", "x.csv", "--tokens", "ab c")
    assert (ran.code, ran.err) == (0, "my.toml: written; gatewise explain --network my.toml\n")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "PyTorch here shape blocks"
    assert lines[2:] == [
        "lstm.weight_ih_l0 weight_ih_l0 8 × 3 i|f|g|o as it was",
        "lstm.weight_hh_l0 weight_hh_l0 8 × 2 i|f|g|o as it was",
        "lstm.bias_ih_l0 bias_ih_l0 8 i|f|g|o as it was",
        "lstm.bias_hh_l0 bias_hh_l0 8 i|f|g|o as it was",
        "PyTorch: 1 layer(s), 1 direction(s) in all, 3 inputs, 56 parameters",
    ]
    tensors = load_file(place / "tagger.safetensors")
    weights = LSTMWeights(
        **{name: tensors[f"lstm.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    )
    expected = run_lstm(np.array([[0.5, -1, 2], [1, 0, -0.25]]), weights).h
    found = json.loads(gatewise_command("explain", "--network", "my.toml", "--format", "json").out)
    assert [step["token"] for step in found["steps"]] == ["ab", "c"]
    np.testing.assert_allclose(found["outputs"], expected, atol=1e-12)
    text = gatewise_command("explain", "--network", "my.toml").out
    assert text.startswith("LSTM from tagger.safetensors, lstm (PyTorch)\n")
    assert (
        gatewise_command("explain", "--network", "my.toml", "--format", "toml").out == (place / "my.toml").read_text()
    )


def test_vectors_can_come_at_explanation(gatewise_command: Run, place: Path) -> None:
    ran = gatewise_command("import", "tagger.safetensors", "-o", "my.toml")
    assert ran.err == "my.toml: written; gatewise explain --network my.toml --inputs VECTORS.npy\n"
    first = gatewise_command("explain", "--network", "my.toml", "--inputs", "x.csv", "--format", "json")
    second = gatewise_command("explain", "我 叫", "--network", "my.toml", "--inputs", "x.csv", "--format", "json")
    assert [step["token"] for step in json.loads(second.out)["steps"]] == ["我", "叫"]
    assert json.loads(first.out)["outputs"] == json.loads(second.out)["outputs"]
    chosen = gatewise_command("explain", "--network", "my.toml", "--inputs", "x.csv", "--units", "2").out
    written_out = chosen[: chosen.index("Step gates and sigmoid gates")]
    assert "h₂ = " in written_out
    assert "h₁ = " not in written_out


LONG = "model.encoder.bidirectional_stack.lstm"


@pytest.mark.parametrize("width", [66, 70, 80, 120])
def test_long_names_are_cut_in_the_middle_as_far_as_the_terminal_asks(
    gatewise_command: Run, place: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr("rich.console.Console.size", ConsoleDimensions(width, 25))
    tensors = load_file(place / "tagger.safetensors")
    save_file({name.replace("lstm", LONG): array for name, array in tensors.items()}, place / "long.safetensors")
    ran = gatewise_command("import", "long.safetensors", "-o", "my.toml")
    *table, count = ran.out.splitlines()
    assert max(map(len, table)) <= width
    assert count.endswith("56 parameters")
    is_cut = "…" in ran.out
    assert is_cut == (width < 100)
    assert (table[-1] == "Names with … are cut; --json has them whole.") == is_cut
    rows = [line for line in table if line.startswith("model")]
    assert len(rows) == 4
    if width < 100:
        assert re.match(r"mod[a-z.]*….weight_ih_l0  +weight_ih_l0  +8 × 3  i\|f\|g\|o as it was", rows[0])
    else:
        assert rows[0] == f"{LONG}.weight_ih_l0  weight_ih_l0  8 × 3  i|f|g|o as it was"


def test_json_has_every_name_whole(gatewise_command: Run, place: Path) -> None:
    tensors = load_file(place / "tagger.safetensors")
    save_file({name.replace("lstm", LONG): array for name, array in tensors.items()}, place / "long.safetensors")
    ran = gatewise_command("import", "long.safetensors", "-o", "my.toml", "--json")
    assert ran.err.startswith("PyTorch: 1 layer(s), 1 direction(s) in all, 3 inputs, 56 parameters\n")
    found = json.loads(ran.out)
    assert (found["framework"], found["place"], found["remarks"]) == ("PyTorch", LONG, [])
    assert found["tensors"][0] == {
        "source": f"{LONG}.weight_ih_l0",
        "source_shape": [8, 3],
        "target": "weight_ih_l0",
        "shape": [8, 3],
        "change": "i|f|g|o as it was",
    }
    assert [one["target"] for one in found["tensors"][1:]] == ["weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]


def test_strange_names_stay_text(gatewise_command: Run, place: Path) -> None:
    tensors = load_file(place / "tagger.safetensors")
    odd = 'a"b\\\n\x01[\x7f]'
    save_file({name.replace("lstm", odd): array for name, array in tensors.items()}, place / "odd.safetensors")
    assert gatewise_command("import", "odd.safetensors", "-o", "o.toml", "--inputs", "x.csv").code == 0
    assert gatewise_command("explain", "--network", "o.toml").code == 0


def test_an_earlier_import_is_replaced_and_nothing_else(gatewise_command: Run, place: Path) -> None:
    for _ in range(2):
        assert gatewise_command("import", "tagger.safetensors", "-o", "my.toml").code == 0
    shutil.copy(place / "tagger.safetensors", place / "before.safetensors")
    (place / "hand.toml").write_text('kind = "lstm"\n', encoding="utf-8")
    for name, taken in (("tagger.toml", "tagger.safetensors"), ("hand.toml", "hand.toml")):
        ran = gatewise_command("import", "tagger.safetensors", "-o", name)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == (
            f"error: {taken}: expected no file, or a network imported earlier, found another; choose another -o\n"
        )
    assert (place / "tagger.safetensors").read_bytes() == (place / "before.safetensors").read_bytes()


CASES = [
    ("import no.pt -o m.toml", "error: no.pt: cannot be read (No such file or directory); check the path\n"),
    (
        "import tagger.safetensors -o m.json",
        "error: m.json: expected a name that ends in .toml, found another; write -o m.json.toml\n",
    ),
    (
        "import tagger.safetensors -o no/m.toml",
        "error: no/m.safetensors: cannot be written (No such file or directory); check the path\n",
    ),
    (
        "import tagger.safetensors -o m.toml --prefix words",
        "error: tagger.safetensors: --prefix: expected one of 'lstm.', found 'words'\n",
    ),
    (
        "import tagger.safetensors -o m.toml --tokens a",
        "error: tokens: expected 0, one a row of the inputs, found 1\n",
    ),
    (
        "import tagger.safetensors -o m.toml --inputs wide.csv",
        "error: inputs: expected vectors of 3 numbers, as the LSTM reads, found 1\n",
    ),
    ("explain --inputs x.csv", "error: --inputs: expected --network with it, found none; add --network FILE.toml\n"),
    ("explain a --units 1", "error: --units: expected --network with it, found none; add --network FILE.toml\n"),
    (
        "explain --network article --units 1;2",
        "error: --units: expected numbers from 1 on with commas between them, found '1;2'; write 1,5\n",
    ),
    ("explain --network article --units 2", "error: units: expected numbers from 1 to 1 for article.toml, found 2\n"),
]


@pytest.mark.parametrize(("line", "message"), CASES, ids=[line for line, _ in CASES])
def test_one_line_and_exit_code_2(gatewise_command: Run, place: Path, line: str, message: str) -> None:
    (place / "wide.csv").write_text("1\n", encoding="utf-8")
    before = sorted(path.name for path in place.iterdir())
    ran = gatewise_command(*line.split())
    assert (ran.code, ran.out, ran.err) == (2, "", message)
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("m.pt", "torch", "train"), ("m.onnx", "onnx", "import"), ("m.h5", "h5py", "import")],
)
def test_what_is_not_installed_is_told(
    gatewise_command: Run, place: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str
) -> None:
    heads = {"m.pt": b"\x80\x02", "m.onnx": b"\x08\x08", "m.h5": b"\x89HDF\r\n\x1a\n"}
    (place / name).write_bytes(heads[name] + bytes(20))
    monkeypatch.setitem(__import__("sys").modules, module, None)
    ran = gatewise_command("import", name, "-o", "o.toml")
    assert ran.code == 2
    assert f'needs {module} ({module} is missing): pip install "gatewise[{extra}]"' in ran.err
