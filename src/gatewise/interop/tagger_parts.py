"""The parts of a tagger in a state_dict of PyTorch: embedding → nn.LSTM → linear layer, and a CRF if there is one.

In: named tensors, how many entries and labels there are, and names where several would fit. Out: the names of the
parts' tensors. A tensor of the model that belongs to none of them is refused: the tagger has a layer that would be
left out. The CRF is that of pytorch-crf and AllenNLP: `transitions[from, to]`, `start_transitions`, `end_transitions`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.errors import InteropError
from gatewise.interop.imported import ImportedLSTM, choose, listed
from gatewise.interop.tensor_file import TensorFile

TRANSITIONS = ("transitions", "start_transitions", "end_transitions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Names of modules, None where they are to be found."""

    embedding: str | None = None
    emission: str | None = None
    crf: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Names of tensors; `bias` is empty for a linear layer without one, `crf` is its prefix, None without a CRF."""

    embedding: str
    emission: str
    bias: str
    crf: str | None


def find_parts(
    tensors: TensorFile, lstm: ImportedLSTM, wanted: Wanted, *, entries: int, labels: int, where: str
) -> Parts:
    """The parts that fit the LSTM, the vocabulary and the labels."""
    arrays = lstm.tensors
    top = max(int(name.split("_l")[1].removesuffix("_reverse")) for name in arrays if name.startswith("weight_hh"))
    states = sum(array.shape[1] for name, array in arrays.items() if name.startswith(f"weight_hh_l{top}"))
    taken = {one.source for one in lstm.mapping}
    embedding = _matrix(
        tensors, taken, (entries, arrays["weight_ih_l0"].shape[1]), wanted.embedding, "embedding", where
    )
    emission = _matrix(tensors, taken | {embedding}, (labels, states), wanted.emission, "emission", where)
    bias = f"{emission.removesuffix('weight')}bias"
    has_bias = tensors.shapes.get(bias) == (labels,)
    parts = Parts(
        embedding=embedding,
        emission=emission,
        bias=bias if has_bias else "",
        crf=_crf(tensors, wanted.crf, labels, where),
    )
    _check_rest(tensors, taken, parts, where)
    return parts


def _matrix(
    tensors: TensorFile, taken: set[str], shape: tuple[int, int], name: str | None, what: str, where: str
) -> str:
    """The matrix of this shape that is some module's weight."""
    matrices = {
        one.removesuffix(".weight"): found
        for one, found in tensors.shapes.items()
        if one.endswith(".weight") and len(found) == 2 and one not in taken
    }
    fitting = {one: f"{one}.weight" for one, found in matrices.items() if found == shape}
    if name is not None and name in matrices and name not in fitting:
        raise InteropError(f"{where}: {name}.weight: expected shape {shape}, found {matrices[name]}; see --{what}")
    if not fitting:
        found_there = ", ".join(f"{one} {found}" for one, found in sorted(matrices.items())[:8]) or "no matrix"
        raise InteropError(
            f"{where}: expected an {what} of shape {shape}, as the LSTM, the vocabulary and the labels have it, found"
            f" {found_there}"
        )
    if name is not None and name not in fitting:
        raise InteropError(f"{where}: --{what}: expected one of {listed(sorted(fitting))}, found {name!r}")
    if name is None and len(fitting) > 1:
        raise InteropError(
            f"{where}: expected one {what} of shape {shape}, found {listed(sorted(fitting))}; choose one with --{what}"
        )
    return fitting[name if name is not None else next(iter(fitting))]


def _crf(tensors: TensorFile, name: str | None, labels: int, where: str) -> str | None:
    prefixes = {
        one.removesuffix("start_transitions"): one for one in tensors.shapes if one.endswith("start_transitions")
    }
    if not prefixes:
        others = sorted(one for one in tensors.shapes if "transition" in one.lower())
        if others or name is not None:
            raise InteropError(
                f"{where}: expected a CRF with {listed(TRANSITIONS)}, found {listed(others) or 'none'}; its layout is"
                " not known here"
            )
        return None
    prefix, _ = choose(prefixes, name, where, "CRF", option="--crf")
    shapes = dict(zip(TRANSITIONS, ((labels, labels), (labels,), (labels,)), strict=True))
    for kind, shape in shapes.items():
        if (found := tensors.shapes.get(prefix + kind)) != shape:
            raise InteropError(f"{where}: {prefix}{kind}: expected shape {shape}, found {found or 'nothing'}")
    return prefix


def _check_rest(tensors: TensorFile, lstm: set[str], parts: Parts, where: str) -> None:
    """No tensor is left over: it would be that of a layer which is left out."""
    used = lstm | {parts.embedding, parts.emission, *filter(None, [parts.bias])}
    if parts.crf is not None:
        used |= {parts.crf + kind for kind in TRANSITIONS}
    rest = sorted(set(tensors.shapes) - used)
    if rest:
        raise InteropError(
            f"{where}: expected an embedding, an LSTM, a linear layer and at most a CRF, found beside them"
            f" {listed(rest)}; a layer that is not known here would be left out. Save the model's state_dict alone, or"
            " import its LSTM alone"
        )
