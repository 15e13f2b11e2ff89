"""Each feature trained once on a tiny corpus: the saved model says what torch says, in x, emissions and tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.runtime import Tagger, load  # noqa: E402
from gatewise.text.sentence import Sentence  # noqa: E402
from gatewise.training.batches import collate, encode_sentences  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402

pytestmark = pytest.mark.torch

WORDS = {"shape_dim": 3, "affix_length": 3, "affix_dim": 2}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "character lstm": ("tags.conll", {"features": {"characters": "lstm"}}),
    "character cnn": ("chunks.conll", {"features": {"characters": "cnn"}}),
    "shapes": ("tags.conll", {"features": {"shape_dim": 3}}),
    "affixes": ("chunks.conll", {"features": {"affix_length": 2, "affix_dim": 3}}),
    "bigrams and all": ("spans.conll", {"features": {"bigram_dim": 3, "characters": "lstm", **WORDS}}),
    "all, joint": (
        "segmentation.conllu",
        {"task": {"kind": "segmentation"}, "features": {"bigram_dim": 3, "characters": "cnn", **WORDS}},
    ),
    "all, halved": ("tags.conll", {"features": {"characters": "lstm", **WORDS}, "archive": {"numbers": "float16"}}),
    "residual": ("tags.conll", {"encoder": {"hidden": 5, "layers": 3, "residual": True}}),
    "residual rnn": ("spans.conll", {"encoder": {"hidden": 5, "kind": "rnn", "layers": 2, "residual": True}}),
}


def network_of(tagger: Tagger) -> TaggerNetwork:
    """The torch network with the weights of the folder."""
    archive = tagger.archive
    sizes = {name: vocabulary.size for name, vocabulary in archive.vocabularies.items()}
    network = TaggerNetwork(archive.config, sizes=sizes, legality=archive.legality)
    stored = archive.arrays(lambda _: True)
    assert stored.keys() == network.arrays().keys()
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(stored[name]))
    return network.eval()


@pytest.mark.parametrize("name", CASES)
def test_the_saved_model_says_what_torch_says(tiny: Path, tmp_path: Path, name: str) -> None:
    file, sections = CASES[name]
    table = {
        "encoder": {"hidden": 5},
        "training": {"epochs": 4, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
        "archive": {"numbers": "float32"},
        **sections,
        "features": {"token_dim": 5, "form_min_count": 1, "character_hidden": 4} | sections.get("features", {}),
    }
    files = Files(train=tiny / file, dev=tiny / file)
    corpus = read_splits(config_from_dict(table, where="test"), files)
    result = run_training(corpus, files, tmp_path / "model")
    assert result is not None
    tagger = load(result.folder)
    network, labels = network_of(tagger), tagger.labels
    sentences: list[Sentence] = [*corpus.train, *(tagger.tokenize(text) for text in ("我saw𠮷𠮷2024", "龘"))]
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    encoded = encode_sentences(sentences, encoder, {})
    [batch] = collate(encoded, [range(len(sentences))])
    with torch.no_grad():
        x, emissions = network.inputs(batch.inputs), network(batch.inputs, batch.lengths)
    session = tagger._workers.session
    graph_x, graph_emissions = session.inputs_and_emissions(session.encode(sentences))
    for column, sentence in enumerate(sentences):
        inside = slice(len(sentence)), column
        np.testing.assert_allclose(graph_x[inside], x.numpy()[inside], atol=2e-6)
        np.testing.assert_allclose(graph_emissions[inside], emissions.numpy()[inside], atol=2e-5)
    assert [sentence.tags for sentence in tagger.tag_sentences(sentences)] == predict(network, encoded, labels)
    trace = tagger.trace("我 saw 小明 in 2024")
    assert trace.fast_path_agrees
    assert trace.parts[-1].stop == trace.x.shape[1]
