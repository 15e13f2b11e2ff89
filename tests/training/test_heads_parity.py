"""Several heads, three times: torch, the equations in NumPy, the runtime's graph; and a batch that mixes annotations.

Weights are random and asymmetric, sentences ragged. Two heads have as many tags, so that exchanging them is possible,
and must show.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from torch import Tensor  # noqa: E402

from gatewise.model.archive import legality_of, open_model, save_model  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.heads import ModelHead, task_of  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.runtime import Tagger  # noqa: E402
from gatewise.text.sentence import Heads, Sentence, sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.batches import Batch, collate  # noqa: E402
from gatewise.training.crf import PathScores  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402
from gatewise.training.losses import all_margins, batch_losses  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.optimizer import Optimizer  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402

pytestmark = pytest.mark.torch

MAIN = ("A", "B", "C")
LABELS = {"ner": ("B-X", "I-X", "O"), "pos": ("N", "V", "W"), "bits": ("B-Y", "E-Y", "I-Y", "O", "S-Y")}
SCHEMES = {"ner": "BIO", "pos": "plain", "bits": "BIOES"}
OUTPUTS = {"ner": "crf", "pos": "softmax", "bits": "crf"}
CHARACTERS = "天地玄黄宇宙洪荒"
TEXTS = ("天地玄黄", "宇", "洪荒宙地天", "黄 玄地", "荒天")
Arrays = dict[str, npt.NDArray[np.float32]]


def make_config(**sections: Any) -> Config:
    heads = {
        name: {
            "kind": "tags" if SCHEMES[name] == "plain" else "spans",
            "scheme": SCHEMES[name],
            "output": OUTPUTS[name],
            "spaces": "between",
            "train": f"{name}.conll",
            "weight": {"ner": 0.5, "pos": 1.0, "bits": 3.0}[name],
        }
        for name in LABELS
    }
    table = {
        "task": {"kind": "tags", "tokenizer": "characters", "scheme": "plain", "spaces": "between"},
        "features": {"token_dim": 3, "bigram_dim": 2},
        "encoder": {"hidden": 4, "layers": 2},
        "heads": heads,
        "archive": {"numbers": "float32"},
    }
    return config_from_dict(table | sections, where="test")


def make_arrays(config: Config, seed: int = 0) -> Arrays:
    tokens, sizes = len(CHARACTERS) + 2, {name: len(labels) for name, labels in LABELS.items()}
    shapes = parameter_shapes(config, sizes={"tokens": tokens, "bigrams": 6}, num_tags=len(MAIN), heads=sizes)
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}


def make_tagger(folder: Path, config: Config, arrays: Arrays) -> Tagger:
    heads = {
        name: ModelHead(
            name=name, task=task_of(config.heads[name], config.task), output=OUTPUTS[name], labels=LABELS[name]
        )
        for name in LABELS
    }
    save_model(
        folder,
        config=config,
        scheme="plain",
        labels=MAIN,
        vocabularies={
            "tokens": Vocabulary(entries=tuple(CHARACTERS)),
            "bigrams": Vocabulary(entries=("天地", "地玄", "玄黄", "洪荒")),
        },
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card="",
        heads=heads,
    )
    return Tagger(open_model(folder))


def make_network(config: Config, arrays: Arrays) -> TaggerNetwork:
    legality = {name: legality_of(labels, SCHEMES[name]) for name, labels in LABELS.items()}
    sizes = {"tokens": len(CHARACTERS) + 2, "bigrams": 6}
    network = TaggerNetwork(config, sizes=sizes, legality=legality_of(MAIN, "plain"), heads=legality).double()
    assert set(network.arrays()) == set(arrays)
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(arrays[name]))
    return network.eval()


def torch_emissions(network: TaggerNetwork, tagger: Tagger, head: str) -> list[npt.NDArray[np.float64]]:
    """Of each text, (length, num_tags), all of them in one padded batch."""
    sentences = [tagger.tokenize(text) for text in TEXTS]
    ids = {name: torch.from_numpy(rows) for name, rows in tagger._workers.session.encode(sentences).feeds().items()}
    lengths = ids.pop("lengths").long()
    with torch.no_grad():
        emissions = network.heads[head](network.states(ids, lengths)).numpy()
    return [emissions[:length, column] for column, length in enumerate(lengths.tolist())]


def distances(network: TaggerNetwork, tagger: Tagger, head: str) -> tuple[float, float, float]:
    """The largest difference of the emissions of torch from the equations and from the graph, and torch's spread."""
    by_torch = torch_emissions(network, tagger, head)
    sentences = [tagger.tokenize(text) for text in TEXTS]
    batch = tagger._workers.session.encode(sentences)
    by_graph = tagger._workers.session.emissions(batch, head)
    assert np.array_equal(by_graph, tagger._workers.session.all_emissions(batch)[head])
    from_equations, from_graph = 0.0, 0.0
    for column, (text, mine) in enumerate(zip(TEXTS, by_torch, strict=True)):
        from_equations = max(from_equations, np.abs(mine - tagger.trace(text, head).emissions).max())
        from_graph = max(from_graph, np.abs(mine - by_graph[: len(mine), column]).max())
    return from_equations, from_graph, float(np.concatenate(by_torch).std(axis=0).min())


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_torch_equations_and_graph_agree_on_every_head(tmp_path: Path, kind: str) -> None:
    config = make_config(encoder={"kind": kind, "hidden": 4, "layers": 2})
    arrays = make_arrays(config)
    tagger, network = make_tagger(tmp_path / "m", config, arrays), make_network(config, arrays)
    for head in ("", *LABELS):
        from_equations, from_graph, spread = distances(network, tagger, head)
        assert from_equations < 1e-5  # x comes out of the graph in float32
        assert from_graph < 1e-5
        assert spread > 0.01
        scores, kept = network.heads[head].crf_scores(), tagger._decoders[head].scores
        np.testing.assert_allclose(scores.transitions.detach().numpy(), kept.transitions, rtol=0, atol=1e-7)
        np.testing.assert_allclose(scores.start.detach().numpy(), kept.start_transitions, rtol=0, atol=1e-7)
        np.testing.assert_allclose(scores.end.detach().numpy(), kept.end_transitions, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("a", "b"), [("", "heads.ner."), ("heads.ner.", "heads.pos.")])
def test_exchanged_heads_are_noticed(tmp_path: Path, a: str, b: str) -> None:
    config = make_config()
    arrays = make_arrays(config)
    exchanged = dict(arrays)
    for kind in ("weight", "bias"):
        first, second = f"{a}emission.{kind}", f"{b}emission.{kind}"
        exchanged[first], exchanged[second] = arrays[second], arrays[first]
    tagger, network = make_tagger(tmp_path / "m", config, exchanged), make_network(config, arrays)
    for prefix in (a, b):
        from_equations, from_graph, _ = distances(network, tagger, prefix.removeprefix("heads.").removesuffix("."))
        assert from_equations > 0.1
        assert from_graph > 0.1
    from_equations, from_graph, _ = distances(network, tagger, "bits")
    assert max(from_equations, from_graph) < 1e-5


def test_exchanged_transitions_are_noticed(tmp_path: Path) -> None:
    """Two heads of one scheme: what a head says of a text is decoded with its own transitions."""
    config = make_config()
    arrays = make_arrays(config)
    tagger = make_tagger(tmp_path / "m", config, arrays)
    mutated = arrays | {"heads.ner.crf.transitions": arrays["heads.ner.crf.transitions"].T}
    other = make_tagger(tmp_path / "n", config, mutated)
    said = [sentence.heads["ner"].scores for sentence in tagger.tag_many(TEXTS)]
    assert said != [sentence.heads["ner"].scores for sentence in other.tag_many(TEXTS)]
    for name in ("pos", "bits"):
        pairs = zip(tagger.tag_many(TEXTS), other.tag_many(TEXTS), strict=True)
        assert all(one.heads[name] == two.heads[name] for one, two in pairs)


def test_a_head_of_any_name_is_trained_from_a_random_start() -> None:
    """A name that reads like part of a weight's name, or like a method of torch's modules."""
    names = ("bias", "weight_hh", "bias_ih", "keys", "名")
    heads = {name: {"kind": "tags", "scheme": "plain", "output": "crf", "spaces": "between"} for name in names}
    config = make_config(heads=heads)
    legality = legality_of(MAIN, "plain")
    network = TaggerNetwork(
        config, sizes={"tokens": 5, "bigrams": 5}, legality=legality, heads=dict.fromkeys(names, legality)
    )
    network.initialize()
    arrays = {name: array.numpy() for name, array in network.arrays().items()}
    for name in names:
        assert arrays[f"heads.{name}.emission.weight"].std() > 0.1
        assert not arrays[f"heads.{name}.emission.bias"].any()
    session = onnx.load_from_string(onnx_graph(config, arrays))
    assert [output.name for output in session.graph.output] == ["x", "emissions", *(f"emissions.{n}" for n in names)]


# Training on batches in which each sentence is labeled for some heads only


def gold_sentences() -> list[Sentence]:
    """Sentences labeled for every subset of the heads but the empty one, of ragged lengths."""
    random = np.random.default_rng(5)
    tag_of: dict[str, Callable[[int], list[str]]] = {
        "": lambda n: [MAIN[i] for i in random.integers(0, 3, n)],
        "pos": lambda n: [LABELS["pos"][i] for i in random.integers(0, 3, n)],
        "ner": lambda n: ["B-X", *(["I-X"] * (n - 2)), "O"][:n],
        "bits": lambda n: ["S-Y"] if n == 1 else ["B-Y", *(["I-Y"] * (n - 2)), "E-Y"],
    }
    found = []
    for number, mask in enumerate(itertools.product((True, False), repeat=4)):
        length = 1 + number % 6
        sentence = sentence_from_forms([CHARACTERS[i] for i in random.integers(0, len(CHARACTERS), length)])
        chosen = [name for name, labeled in zip(tag_of, mask, strict=True) if labeled]
        heads = {name: sentence.with_tags(tag_of[name](length)) for name in chosen if name}
        tags = tuple(tag_of[""](length)) if "" in chosen else None
        if chosen:
            found.append(replace(sentence, tags=tags, heads=Heads(heads)))
    return found


def make_prepared(**training: Any) -> Prepared:
    config = make_config(training={"dropout": 0.0, "unknown_weight": 0.0, **training})
    weighted = replace(config.heads["bits"], label_weights={"Y": 2.5})
    config = replace(config, heads={**config.heads, "bits": weighted})
    return prepare(config, gold_sentences())


def network_for(prepared: Prepared) -> TaggerNetwork:
    legality = {
        name: legality_of(head.labels, prepared.config.heads[name].scheme) for name, head in prepared.heads.items()
    }
    network = TaggerNetwork(
        prepared.config, sizes=prepared.sizes, legality=legality_of(prepared.labels, "plain"), heads=legality
    ).double()
    generator = torch.Generator().manual_seed(3)
    for array in network.arrays().values():
        array.copy_(torch.randn(array.shape, generator=generator) * 0.5)
    return network.train()


def losses_of(network: TaggerNetwork, prepared: Prepared, batch: Batch, heads: tuple[str, ...]) -> Tensor:
    """The losses of a batch that knows of these heads alone."""
    batch = replace(batch, targets={name: target for name, target in batch.targets.items() if name in heads})
    states = network.states(batch.inputs, batch.lengths)
    emissions = {name: network.heads[name](target.of(states)) for name, target in batch.targets.items()}
    margins = {name: margin.double() for name, margin in all_margins(prepared).items()}
    return batch_losses(network, emissions, batch, margins)


def gradients(network: TaggerNetwork, total: Tensor) -> dict[str, Tensor]:
    """Of every weight by name, tables as a whole."""
    network.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    found = {}
    for name, table in network.inputs.tables():
        read = table.take_gradient()
        found[name] = torch.zeros_like(table.weight)
        if read is not None:
            found[name][read.ids] = read.gradient
    for name, weight in network.named_weights().items():
        if name not in found and weight.requires_grad:
            found[name] = torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
    return found


def batch_of(prepared: Prepared, indices: list[int]) -> Batch:
    return next(iter(collate(prepared.train, [indices])))


def test_a_mixed_batch_is_the_sum_of_the_heads_batches() -> None:
    prepared = make_prepared()
    network = network_for(prepared)
    mixed = batch_of(prepared, list(range(len(prepared.train))))
    losses = losses_of(network, prepared, mixed, ("", *LABELS))
    together = gradients(network, losses.sum())
    wanted, total = {name: torch.zeros_like(array) for name, array in together.items()}, 0.0
    sentences = gold_sentences()
    for head in ("", *LABELS):
        rows = [n for n, s in enumerate(sentences) if (s.tags is not None if not head else head in s.heads)]
        assert 0 < len(rows) < len(sentences)
        alone = losses_of(network, prepared, batch_of(prepared, rows), (head,))
        total += float(alone.detach().sum())
        for name, gradient in gradients(network, alone.sum()).items():
            wanted[name] += gradient
    assert float(losses.detach().sum()) == pytest.approx(total, abs=1e-9)
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=0, atol=1e-10, msg=name)
        assert gradient.abs().max() > 1e-4, name


def enumerated_loss(rows: list[list[float]], scores: PathScores | None, gold: list[int]) -> float:
    """The negative log likelihood of one path among all, in plain floats; without scores, of each tag on its own."""

    def score(path: Sequence[int]) -> float:
        total = sum(row[tag] for row, tag in zip(rows, path, strict=True))
        if scores is None:
            return total
        moves = sum(float(scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        return total + moves + float(scores.start[path[0]]) + float(scores.end[path[-1]])

    paths = itertools.product(range(len(rows[0])), repeat=len(gold))
    return math.log(sum(math.exp(score(path)) for path in paths)) - score(gold)


def test_the_loss_is_that_of_every_legal_path() -> None:
    """A sentence's loss is the weighted sum of its heads', margins taken off the gold tags of a weighted label."""
    prepared = make_prepared()
    network = network_for(prepared).eval()
    labels = {"": prepared.labels} | {name: head.labels for name, head in prepared.heads.items()}
    checked = set()
    for index, sentence in enumerate(gold_sentences()):
        if len(sentence) > 4:
            continue
        batch = batch_of(prepared, [index])
        with torch.no_grad():
            states = network.states(batch.inputs, batch.lengths)
            found = float(losses_of(network, prepared, batch, ("", *LABELS))[0])
        wanted = 0.0
        for name in batch.targets:
            head, said = network.heads[name], sentence.heads[name] if name else sentence
            with torch.no_grad():
                rows, scores = head(states)[:, 0].tolist(), head.crf_scores() if head.has_crf else None
            gold = [labels[name].index(tag) for tag in said.tags or ()]
            for row, tag in zip(rows, gold, strict=True):
                if name == "bits" and labels[name][tag] != "O":
                    row[tag] -= math.log(2.5)
            wanted += {"": 1.0, "ner": 0.5, "pos": 1.0, "bits": 3.0}[name] * enumerated_loss(rows, scores, gold)
            checked.add(name)
        assert found == pytest.approx(wanted, abs=1e-5)  # margins are float32
    assert checked == {"", *LABELS}


def test_exchanged_heads_change_the_loss() -> None:
    prepared = make_prepared()
    network = network_for(prepared).eval()
    batch = batch_of(prepared, list(range(len(prepared.train))))
    before = losses_of(network, prepared, batch, ("", *LABELS)).detach()
    ner, pos = network.heads["ner"].emission, network.heads["pos"].emission
    with torch.no_grad():
        kept = ner.weight.clone()
        ner.weight.copy_(pos.weight)
        pos.weight.copy_(kept)
    after = losses_of(network, prepared, batch, ("", *LABELS)).detach()
    touched = torch.tensor([bool({"ner", "pos"} & set(s.heads)) for s in gold_sentences()])
    assert ((before - after).abs() > 1e-6).tolist() == touched.tolist()


def test_a_head_without_labels_in_a_batch_is_left_to_its_momentum() -> None:
    """As one Adam for all weights has it: a gradient of 0, so that a run that goes on has the same step everywhere."""
    prepared = make_prepared()
    network = network_for(prepared)
    optimizer = Optimizer(network, clip=5.0, averaging=0.9)
    sentences = gold_sentences()
    without = [n for n, s in enumerate(sentences) if "ner" not in s.heads]
    with_it = [n for n, s in enumerate(sentences) if "ner" in s.heads]
    weight = network.heads["ner"].emission.weight
    moved = []
    for rows in (without, with_it, without):
        before = weight.detach().clone()
        losses_of(network, prepared, batch_of(prepared, rows), ("", *LABELS)).sum().backward()
        optimizer.step(0.01)
        moved.append(bool((weight.detach() != before).any()))
    assert moved == [False, True, True]
