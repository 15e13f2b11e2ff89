"""A whole BiLSTM-CRF of torch and pytorch-crf as a model: emissions, tags and probabilities against theirs."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.interop import TaggerParts, import_tagger
from gatewise.runtime import load

VOCABULARY = ["<pad>", "<unk>", "我", "叫", "小", "明", "在", "北", "京", "住"]
PLAIN = ["N", "V", "P", "X"]
BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SENTENCES = ["我叫小明", "我", "小明住在北京", "北龘京"]


class Source:
    """A tagger with random weights, as safetensors beside its vocabulary and labels."""

    def __init__(self, folder: Path, labels=PLAIN, crf=True, layers=2, both=True, seed=3, name="tagger.safetensors"):
        torch = pytest.importorskip("torch")
        from safetensors.torch import save_file as save_torch

        torch.manual_seed(seed)
        self.labels, self.torch = labels, torch
        parts: dict[str, Any] = {
            "chars": torch.nn.Embedding(len(VOCABULARY), 3, padding_idx=0),
            "encoder": torch.nn.LSTM(3, 5, layers, bidirectional=both, batch_first=True),
            "score": torch.nn.Linear(5 * (1 + both), len(labels)),
        }
        if crf:
            from torchcrf import CRF

            parts["crf"] = CRF(len(labels), batch_first=True)
        self.module = torch.nn.ModuleDict(parts)
        for parameter in self.module.parameters():
            torch.nn.init.normal_(parameter)
        self.path = folder / name
        save_torch(self.module.state_dict(), self.path)
        (folder / "vocabulary.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
        self.given = TaggerParts(vocabulary=folder / "vocabulary.txt", labels=folder / "labels.json")

    def emissions(self, text: str):
        ids = [VOCABULARY.index(form) if form in VOCABULARY else 1 for form in text]
        with self.torch.no_grad():
            vectors = self.module["chars"](self.torch.tensor([ids]))
            return self.module["score"](self.module["encoder"](vectors)[0])

    def tags(self, text: str) -> tuple[str, ...]:
        emissions = self.emissions(text)
        best = (
            self.module["crf"].decode(emissions, self.mask(text))[0]
            if "crf" in self.module
            else emissions[0].argmax(1).tolist()
        )
        return tuple(self.labels[number] for number in best)

    def mask(self, text: str):
        return self.torch.ones((1, len(text)), dtype=self.torch.bool)

    def marginals(self, text: str) -> np.ndarray:
        """By the enumeration of all paths, from pytorch-crf's own log-likelihood."""
        emissions = self.emissions(text).double()
        crf = self.module["crf"].double()
        found = np.zeros((len(text), len(self.labels)))
        for path in product(range(len(self.labels)), repeat=len(text)):
            with self.torch.no_grad():
                found[range(len(text)), path] += crf(emissions, self.torch.tensor([path]), self.mask(text)).exp().item()
        return found


@pytest.mark.torch
@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True)])
def test_tags_and_emissions_are_the_source_s(tmp_path, crf, layers, both):
    source = Source(tmp_path, crf=crf, layers=layers, both=both)
    import_tagger(source.path, tmp_path / "model", source.given)
    tagger = load(tmp_path / "model")
    for text in SENTENCES:
        trace = tagger.trace(text)
        np.testing.assert_allclose(trace.emissions, source.emissions(text)[0].numpy(), atol=1e-5)
        assert trace.fast_path_agrees
        assert trace.tags == tagger.tag(text).tags == source.tags(text)


@pytest.mark.torch
def test_probabilities_are_those_of_all_paths(tmp_path):
    source = Source(tmp_path)
    import_tagger(source.path, tmp_path / "model", source.given)
    for text in SENTENCES[:2]:
        np.testing.assert_allclose(load(tmp_path / "model").trace(text).marginals, source.marginals(text), atol=1e-5)


@pytest.mark.torch
def test_transposed_transitions_are_noticed(tmp_path):
    source = Source(tmp_path)
    source.module["crf"].transitions.data = source.module["crf"].transitions.data.T.clone()
    import_tagger(source.path, tmp_path / "model", source.given)
    tagger = load(tmp_path / "model")
    assert any(tagger.tag(text).tags != source.tags(text) for text in SENTENCES)


@pytest.mark.torch
def test_spans_are_legal_and_a_dot_pt_gives_the_same(tmp_path):
    source = Source(tmp_path, labels=BIO)
    source.torch.save(source.module.state_dict(), tmp_path / "tagger.pt")
    import_tagger(source.path, tmp_path / "a", source.given)
    import_tagger(tmp_path / "tagger.pt", tmp_path / "b", source.given)
    first, second = load(tmp_path / "a"), load(tmp_path / "b")
    assert first.scheme == "BIO"
    for text in SENTENCES:
        tags = first.tag(text).tags
        assert tags == second.tag(text).tags
        for before, tag in zip(("O", *tags), tags, strict=False):
            assert not tag.startswith("I-") or before[1:] == tag[1:]


@pytest.mark.torch
def test_the_command(tmp_path, gatewise_command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Source(tmp_path, labels=BIO)
    ran = gatewise_command(
        "import", "tagger.safetensors", "-o", "model", "--vocabulary", "vocabulary.txt", "--labels", "labels.json"
    )
    assert (ran.code, ran.err) == (0, "model: written; gatewise explain TEXT --model model\n")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert any(line.startswith("chars.weight token_embedding.weight 10 × 3 rows padding,") for line in lines)
    assert "crf.transitions crf.transitions 5 × 5 as it was" in lines
    assert "task spans, scheme BIO, tokenizer characters, 8 tokens, 1,200 parameters" in lines
    tagged = gatewise_command("tag", "-m", "model", stdin="我叫小明\n")
    assert tagged.code == 0
    assert len(tagged.out.splitlines()) == 1
    explained = gatewise_command("explain", "我叫小明", "--model", "model")
    assert explained.out.startswith("Model model: BiLSTM-CRF, scheme BIO, 5 tags")
    assert "neither trained nor scored" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    description = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert set(description["files"]) == {"vocabulary.json", "model.safetensors", "model.onnx"}  # their sums


@pytest.mark.torch
def test_entries_that_meet_are_told(tmp_path):
    source = Source(tmp_path)
    entries = [*VOCABULARY[:8], "A", "ａ"]
    source.given.vocabulary.write_text("\n".join(entries) + "\n", encoding="utf-8")
    found = import_tagger(source.path, tmp_path / "model", source.given)
    assert found.remarks[2:] == (
        "Entries that are looked up by another key here (NFKC, lower case, digits as 0): 2, such as 'A', 'ａ'",
        "Entries that share the key of another, whose vector is read in their place: 1, such as 'ａ'",
    )
    assert all(remark in load(tmp_path / "model").archive.card for remark in found.remarks)
