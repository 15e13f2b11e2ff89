"""Taggers that would be imported wrongly, and wrong usage of the command: each is told in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from gatewise.errors import InteropError, ModelError
from gatewise.interop import TaggerParts, import_tagger
from gatewise.interop.tagger_parts import Wanted
from gatewise.runtime import load


def tensors(**changes):
    random = np.random.default_rng(1)
    found = {
        "words.weight": random.normal(size=(4, 3)),
        "lstm.weight_ih_l0": random.normal(size=(8, 3)),
        "lstm.weight_hh_l0": random.normal(size=(8, 2)),
        "out.weight": random.normal(size=(3, 2)),
    }
    found |= {name.replace("__", "."): array for name, array in changes.items()}
    return {name: array for name, array in found.items() if array is not None}


REFUSED = {
    "a layer between": (
        tensors(norm__weight=np.zeros(2), norm__bias=np.zeros(2)),
        "expected an embedding, an LSTM, a linear layer and at most a CRF, found beside them 'norm.bias', "
        "'norm.weight'; a layer that is not known here would be left out. Save the model's state_dict alone, or import "
        "its LSTM alone",
    ),
    "another vocabulary": (
        tensors(words__weight=np.zeros((5, 3))),
        "expected an embedding of shape (4, 3), as the LSTM, the vocabulary and the labels have it, found out (3, 2), "
        "words (5, 3)",
    ),
    "two linear layers": (
        tensors(more__weight=np.zeros((3, 2))),
        "expected one emission of shape (3, 2), found 'more', 'out'; choose one with --emission",
    ),
    "another CRF": (
        tensors(crf__transition_matrix=np.zeros((3, 3))),
        "expected a CRF with 'transitions', 'start_transitions', 'end_transitions', found 'crf.transition_matrix'; its "
        "layout is not known here",
    ),
    "a CRF of another size": (
        tensors(
            crf__transitions=np.zeros((4, 4)), crf__start_transitions=np.zeros(3), crf__end_transitions=np.zeros(3)
        ),
        "crf.transitions: expected shape (3, 3), found (4, 4)",
    ),
}


@pytest.fixture
def given(tmp_path):
    (tmp_path / "v.txt").write_text("<unk>\na\nb\nc\n", encoding="utf-8")
    (tmp_path / "l.txt").write_text("O\nB-X\nI-X\n", encoding="utf-8")
    return TaggerParts(vocabulary=tmp_path / "v.txt", labels=tmp_path / "l.txt")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_tagger_is_refused(name, tmp_path, given):
    found, sentence = REFUSED[name]
    save_file(found, tmp_path / "m.safetensors")
    with pytest.raises(InteropError) as error:
        import_tagger(tmp_path / "m.safetensors", tmp_path / "model", given)
    assert str(error.value) == f"{tmp_path / 'm.safetensors'}: {sentence}"
    assert not (tmp_path / "model").exists()


@pytest.mark.torch
def test_a_choice_among_two_and_biases_that_are_not_there(tmp_path, given):
    pytest.importorskip("onnx")
    save_file(tensors(out__bias=np.ones(3)), tmp_path / "m.safetensors")
    (tmp_path / "l.txt").write_text("x\ny\nz\n", encoding="utf-8")
    found = import_tagger(tmp_path / "m.safetensors", tmp_path / "model", given)
    assert not found.tensors["encoder.bias_hh_l0"].any()
    assert found.tensors["emission.bias"].all()
    assert load(tmp_path / "model").scheme == "plain"
    chosen = TaggerParts(vocabulary=given.vocabulary, labels=given.labels, wanted=Wanted(embedding="out"))
    with pytest.raises(InteropError, match=r"out\.weight: expected shape \(4, 3\), found \(3, 2\); see --embedding"):
        import_tagger(tmp_path / "m.safetensors", tmp_path / "model", chosen)


def test_a_folder_with_other_files_is_kept(tmp_path, given):
    save_file(tensors(), tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="expected no folder or a model to replace"):
        import_tagger(tmp_path / "m.safetensors", tmp_path, given)


def test_more_labels_than_a_model_has_are_refused(tmp_path, given):
    save_file(tensors(), tmp_path / "m.safetensors")
    given.labels.write_text("".join(f"{number}\n" for number in range(2049)), encoding="utf-8")
    with pytest.raises(InteropError) as error:
        import_tagger(tmp_path / "m.safetensors", tmp_path / "model", given)
    assert str(error.value) == (
        f"{given.labels}: expected at most 2,048 labels, as a model has, found 2,049; is it the vocabulary?"
    )


def test_labels_of_bmes_are_plain_or_refused(tmp_path, given):
    save_file(tensors(), tmp_path / "m.safetensors")
    (tmp_path / "l.txt").write_text("O\nB-X\nM-X\n", encoding="utf-8")
    broken = TaggerParts(vocabulary=given.vocabulary, labels=given.labels, scheme="BIO")
    with pytest.raises(InteropError, match=r"l\.txt: "):
        import_tagger(tmp_path / "m.safetensors", tmp_path / "model", broken)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "import a.pt -o m --labels l.txt",
            "error: a tagger: expected --vocabulary and --labels, found one of them missing; name both files\n",
        ),
        (
            "import a.pt -o m --scheme BIO",
            "error: a tagger: expected --vocabulary and --labels, found one of them missing; name both files\n",
        ),
        (
            "import a.pt -o m --labels l.txt --vocabulary v.txt --tokens a",
            "error: --inputs: expected none for a tagger, which makes its own, found some; leave them out\n",
        ),
        (
            "import a.onnx -o m --labels l.txt --vocabulary v.txt",
            "error: a.onnx: expected a state_dict of PyTorch for a whole tagger, found a file of another kind\n",
        ),
    ],
)
def test_wrong_usage_is_told(gatewise_command, tmp_path, monkeypatch, line, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"\x08\x08")
    ran = gatewise_command(*line.split())
    assert (ran.code, ran.out, ran.err) == (2, "", message)
