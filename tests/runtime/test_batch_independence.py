"""What else is in the batch never matters: not the padding, not the other sentences, bit for bit in the same shapes;
and a sentence alone and in any batch agree within 1e-5.

Weights are random and asymmetric, lengths ragged, and whatever stands in a padded place is a valid id, whose vector is
as good as any other. Mutations (a graph that does not look at the lengths) must show.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.model.config import Config
from gatewise.model.config_reading import config_from_dict
from gatewise.model.features import FormFeature, features_of
from gatewise.model.parameters import parameter_shapes
from gatewise.runtime import Tagger, load
from gatewise.text.sentence import Sentence, sentence_from_forms

Feeds = dict[str, npt.NDArray[Any]]
Emissions = npt.NDArray[np.float32]

IDS, NUM_TAGS = 23, 5
LENGTHS = (7, 1, 4, 12, 2, 5, 12)
TOLERANCE = 1e-5  # float32 adds up in another order in a batch of another shape
SHOWS = 1e-3  # a leak is at least this large

CASES: dict[str, dict[str, Any]] = {
    "one layer": {"features": {"token_dim": 6}},
    "forward alone": {"features": {"token_dim": 6}, "encoder": {"hidden": 5, "bidirectional": False}},
    "three layers, bigrams": {"features": {"token_dim": 6, "bigram_dim": 3}, "encoder": {"hidden": 5, "layers": 3}},
    "residual": {"features": {"token_dim": 6}, "encoder": {"hidden": 5, "layers": 3, "residual": True}},
    "rnn": {"features": {"token_dim": 6, "bigram_dim": 3}, "encoder": {"kind": "rnn", "hidden": 7, "layers": 2}},
    "character lstm": {"features": {"token_dim": 6, "characters": "lstm"}},
    "character cnn and all": {
        "features": {"token_dim": 6, "bigram_dim": 3, "characters": "cnn", "shape_dim": 2, "affix_length": 2},
        "encoder": {"hidden": 5, "layers": 2, "residual": True},
    },
    "halves": {"features": {"token_dim": 6, "bigram_dim": 3}, "archive": {"numbers": "float16"}},
}
BOTH_WAYS = [name for name in CASES if name != "forward alone"]
SPELLED = [name for name in CASES if "character" in name]


def make_config(name: str) -> Config:
    small = {"character_dim": 4, "character_hidden": 3, "character_filters": 5, "affix_dim": 2, "bigram_dim": 0}
    sections = CASES[name]
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "encoder": {"hidden": 5},
        "archive": {"numbers": "float32"},
        **sections,
        "features": {**small, **sections["features"]},
    }
    return config_from_dict(table, where="test")


def graph_of(name: str, seed: int = 0, scale: float = 0.35) -> bytes:
    """A graph with random weights; much larger ones make an RNN chaotic, and rounding grows from step to step."""
    pytest.importorskip("onnx")
    from gatewise.training.export import onnx_graph

    config, rng = make_config(name), np.random.default_rng(seed)
    sizes = {feature.name: IDS for feature in features_of(config.features)}
    shapes = parameter_shapes(config, sizes=sizes, num_tags=NUM_TAGS)
    numbers = np.dtype(config.archive.numbers)
    return onnx_graph(config, {key: (scale * rng.normal(size=shape)).astype(numbers) for key, shape in shapes.items()})


def make_feeds(name: str, lengths: Sequence[int], rng: np.random.Generator) -> Feeds:
    """Random ids in every place, those of the padding too."""
    config, time, batch = make_config(name), max(lengths), len(lengths)
    features = features_of(config.features)
    feeds: Feeds = {"tokens": rng.integers(0, IDS, (time, batch)), "lengths": np.array(lengths, dtype=np.int32)}
    if config.features.bigram_dim:
        feeds["bigrams"] = rng.integers(0, IDS, (time + 1, batch))
    of_forms = [feature for feature in features if isinstance(feature, FormFeature)]
    forms = time * batch + 1  # each place has a form of its own, number 0 is the padding's
    for feature in of_forms:
        rows = 6 if feature.name == "characters" else len(feature.parts)
        feeds[feature.name] = rng.integers(0, IDS, (rows, forms))
        if feature.name == "characters":
            feeds["spelling_lengths"] = rng.integers(1, rows + 1, forms).astype(np.int32)
    if of_forms:
        feeds["form_of"] = 1 + np.arange(time * batch).reshape(time, batch)
    return feeds


def with_others_of(feeds: Feeds, other: Feeds, kept: Mapping[str, npt.NDArray[np.bool_]]) -> Feeds:
    """The ids of `feeds` where they are kept, those of `other` elsewhere; lengths stay."""
    return {key: np.where(kept[key], ids, other[key]) if key in kept else ids for key, ids in feeds.items()}


def inside(feeds: Feeds, columns: Sequence[int]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which ids belong to the sentences in these columns, and to the characters of words."""
    lengths, (time, batch) = feeds["lengths"], feeds["tokens"].shape
    chosen = np.isin(np.arange(batch), columns)
    kept = {"tokens": (np.arange(time)[:, None] < lengths) & chosen}
    if "bigrams" in feeds:
        kept["bigrams"] = (np.arange(time + 1)[:, None] <= lengths) & chosen
    read = np.concatenate([[False], kept["tokens"].ravel()])  # by the number of the form
    for key in ("shapes", "prefixes", "suffixes"):
        if key in feeds:
            kept[key] = np.broadcast_to(read, feeds[key].shape)
    if "characters" in feeds:
        rows = np.arange(len(feeds["characters"]))[:, None]
        kept["characters"] = (rows < feeds["spelling_lengths"]) & read
    return kept


def run(graph: bytes, feeds: Feeds) -> Emissions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found: Emissions = session.run(["emissions"], feeds)[0]
    return found


def column(emissions: Emissions, feeds: Feeds, number: int) -> Emissions:
    return emissions[: feeds["lengths"][number], number]


def alone(feeds: Feeds, number: int) -> Feeds:
    """One sentence as a batch of its own, without padding after its tokens."""
    length, batch = feeds["lengths"][number], feeds["tokens"].shape[1]
    cut = {key: feeds[key][:length, [number]] for key in ("tokens", "form_of") if key in feeds}
    if "bigrams" in feeds:
        cut["bigrams"] = feeds["bigrams"][: length + 1, [number]]
    if "form_of" in feeds:
        numbers = [0, *(1 + np.arange(length) * batch + number)]
        of_forms = ("characters", "shapes", "prefixes", "suffixes", "spelling_lengths")
        cut |= {key: feeds[key][..., numbers] for key in of_forms if key in feeds}
        cut["form_of"] = 1 + np.arange(length)[:, None]
    if "characters" in cut:
        cut["characters"] = cut["characters"][: cut["spelling_lengths"].max()]
    return {**cut, "lengths": feeds["lengths"][[number]]}


def leak_of_padding(graph: bytes, name: str, seed: int) -> float:
    """The largest change of any sentence's emissions when all that is padding becomes something else."""
    rng = np.random.default_rng(seed)
    feeds, other = make_feeds(name, LENGTHS, rng), make_feeds(name, LENGTHS, rng)
    changed = with_others_of(feeds, other, inside(feeds, range(len(LENGTHS))))
    before, after = run(graph, feeds), run(graph, changed)
    return max(difference(column(before, feeds, n), column(after, feeds, n)) for n in range(len(LENGTHS)))


def difference(one: Emissions, other: Emissions) -> float:
    changed = one != other  # minus infinity, for tags that cannot be there, is not subtracted from itself
    return float(np.abs(one[changed] - other[changed]).max(initial=0))


def distance_alone(graph: bytes, feeds: Feeds) -> float:
    """The largest difference of a sentence's emissions in the batch and alone."""
    together = run(graph, feeds)
    return max(
        difference(column(together, feeds, n), run(graph, alone(feeds, n))[:, 0]) for n in range(len(feeds["lengths"]))
    )


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_content_of_the_padding_changes_not_a_bit(name: str, seed: int) -> None:
    assert leak_of_padding(graph_of(name, seed), name, seed) == 0


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_the_content_of_other_sentences_changes_not_a_bit(name: str) -> None:
    """Others of the same lengths take the places of all others; those change, so the test would see it."""
    graph, rng = graph_of(name, 3), np.random.default_rng(4)
    feeds, other = make_feeds(name, LENGTHS, rng), make_feeds(name, LENGTHS, rng)
    before = run(graph, feeds)
    for number in range(len(LENGTHS)):
        after = run(graph, with_others_of(feeds, other, inside(feeds, [number])))
        assert np.array_equal(column(before, feeds, number), column(after, feeds, number))
        for changed in set(range(len(LENGTHS))) - {number}:
            assert difference(column(before, feeds, changed), column(after, feeds, changed)) > SHOWS


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    lengths=st.lists(st.integers(1, 17), min_size=2, max_size=9),
    scale=st.sampled_from([0.15, 0.35]),
)
def test_alone_and_in_any_batch(name: str, seed: int, lengths: list[int], scale: float) -> None:
    graph = graph_of(name, seed, scale)
    assert distance_alone(graph, make_feeds(name, lengths, np.random.default_rng(seed))) <= TOLERANCE


def blind(graph: bytes, *, lengths: str, layer: int) -> bytes:
    """The graph with the `layer`th recurrent node that reads these lengths backwards reading all that is there."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(graph)
    recurrent = [node for node in model.graph.node if node.op_type in ("LSTM", "RNN") and lengths in node.input]
    nodes = [node for node in recurrent if any(entry.s in (b"reverse", b"bidirectional") for entry in node.attribute)]
    nodes[layer].input[list(nodes[layer].input).index(lengths)] = ""
    made: bytes = model.SerializeToString()
    return made


@pytest.mark.torch
@pytest.mark.parametrize("name", BOTH_WAYS)
def test_a_graph_that_does_not_look_at_the_lengths_is_caught(name: str) -> None:
    """In every layer: the reverse direction then begins in the padding."""
    feeds = make_feeds(name, LENGTHS, np.random.default_rng(5))
    for layer in range(make_config(name).encoder.layers):
        mutant = blind(graph_of(name, 5), lengths="lengths", layer=layer)
        assert distance_alone(mutant, feeds) > SHOWS
        if layer == 0:  # the padding of a later layer is what the one before put there, whatever the ids
            assert leak_of_padding(mutant, name, 5) > SHOWS


@pytest.mark.torch
def test_a_graph_that_reads_past_the_end_of_words_is_caught() -> None:
    mutant = blind(graph_of("character lstm", 6), lengths="spelling_lengths", layer=0)
    assert leak_of_padding(mutant, "character lstm", 6) > SHOWS


# the runtime, from text to tags


def some_sentences(tagger: Tagger, seed: int, count: int = 40) -> list[Sentence]:
    """Of known and unknown tokens, 1 to 30 of them."""
    rng = np.random.default_rng(seed)
    known = [*tagger.archive.vocabularies["tokens"].entries, "龘", "zzz", "Ａ"]
    rows = [rng.integers(0, len(known), length) for length in rng.integers(1, 31, count)]
    return [sentence_from_forms([known[index] for index in row]) for row in rows]


def runtime_difference(tagger: Tagger, sentences: Sequence[Sentence]) -> float:
    """The largest difference of emissions alone and in a batch with all the others."""
    return max(
        difference(found[: len(sentence), place], next(tagger.emissions([sentence]))[1][:, 0])
        for chosen, found in tagger.emissions(sentences)
        for place, sentence in enumerate(chosen)
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_the_runtime_says_the_same_alone_and_in_a_batch(taggers: dict[str, Tagger], seed: int) -> None:
    for tagger in [*taggers.values(), load("zh")]:
        sentences = some_sentences(tagger, seed)
        assert runtime_difference(tagger, sentences) <= TOLERANCE
        for sentence, together in zip(sentences, tagger.tag_sentences(sentences), strict=True):
            [by_itself] = tagger.tag_sentences([sentence])
            assert by_itself.tags == together.tags
            assert by_itself.scores == pytest.approx(together.scores, abs=TOLERANCE)
            for head in tagger.heads:
                assert by_itself.heads[head].tags == together.heads[head].tags


@pytest.mark.torch
@pytest.mark.parametrize("model", ["v1-spans", "v1-segmentation", "v1-softmax-rnn"])
def test_a_model_whose_graph_does_not_look_at_the_lengths_is_caught(stored: Path, tmp_path: Path, model: str) -> None:
    shutil.copytree(stored / model, tmp_path / model)
    path = tmp_path / model / "model.onnx"
    path.write_bytes(blind(path.read_bytes(), lengths="lengths", layer=0))
    mutant = load(tmp_path / model)
    assert runtime_difference(mutant, some_sentences(mutant, 1)) > SHOWS
