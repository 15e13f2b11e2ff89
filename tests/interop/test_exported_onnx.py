"""What torch's exporter makes of nn.LSTM, with sizes that are fixed and sizes that are not: the weights come back."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gatewise.interop import read_lstm

pytestmark = pytest.mark.torch
pytest.importorskip("onnx")

SIZE = 3


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("free", [(), (0, 1)], ids=["fixed", "free"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True)])
def test_what_torch_exports(layers, both, free, batch_first, tmp_path):
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(4)
    module = torch.nn.LSTM(SIZE, 4, layers, bidirectional=both, batch_first=batch_first)
    for parameter in module.parameters():
        parameter.data.normal_(generator=generator)
    path = tmp_path / "exported.onnx"
    axes = {"dynamic_axes": {"x": {axis: f"size{axis}" for axis in free}}} if free else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own ways
        torch.onnx.export(module, (torch.zeros(2, 2, SIZE),), path, input_names=["x"], dynamo=False, **axes)
    found = read_lstm(path)
    state = module.state_dict()
    assert set(found.tensors) == set(state)  # so there are no start states: they are zeros
    for name, array in found.tensors.items():
        np.testing.assert_array_equal(array, state[name].numpy())


def test_start_states_filled_with_another_number_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from gatewise.errors import InteropError

    class Ones(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(SIZE, 4)

        def forward(self, x):
            ones = torch.ones(1, x.shape[1], 4)
            return self.lstm(x, (ones, ones))

    path = tmp_path / "ones.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "time", 1: "batch"}}
        torch.onnx.export(Ones(), (torch.zeros(2, 2, SIZE),), path, input_names=["x"], dynamo=False, dynamic_axes=axes)
    with pytest.raises(InteropError, match=r"expected one start state for all sentences, \(1, 1, 4\), found"):
        read_lstm(path)
