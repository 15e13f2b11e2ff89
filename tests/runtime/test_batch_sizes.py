"""How many sentences are tagged together: short ones as they fit, a few long ones all the same, the longest alone."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.runtime.session import EncodedBatch
from gatewise.runtime.workers import batches_of


@pytest.mark.parametrize(
    ("length", "in_a_batch", "in_a_run"),
    [(20, 409, 51), (300, 32, 8), (2_000, 16, 4), (20_000, 1, 1)],
)
def test_sentences_of_one_length(length: int, in_a_batch: int, in_a_run: int) -> None:
    batches = list(batches_of([length] * 500))
    assert {len(batch) for batch in batches[:-1]} == {in_a_batch}
    assert [number for batch in batches for number in batch] == list(range(500))
    count = in_a_batch
    ids = np.zeros((length, count), dtype=np.int64)
    batch = EncodedBatch(inputs={"tokens": ids}, lengths=np.full(count, length, dtype=np.int32))
    runs = batch.runs()
    assert {run.stop - run.start for run in runs[:-1] or runs} == {in_a_run}
    assert [column for run in runs for column in range(run.start, run.stop)] == list(range(count))


def test_empty_sentences_are_in_no_batch_and_those_of_like_length_are_together() -> None:
    assert list(batches_of([9000, 0, 3, 500, 0, 2])) == [[5, 2, 3], [0]]
