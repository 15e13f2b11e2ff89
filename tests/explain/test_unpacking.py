"""Arrays that Python packs into a page come out of it bit by bit as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gatewise.explain.packed import packed, packed_as_stored
from gatewise.explain.web_page import import_map


@pytest.mark.parametrize("stored", ["float16", "float32", "float64"])
def test_every_number_is_unpacked_exactly(browser: Any, stored: Any) -> None:
    """The smallest, the largest, zero with either sign, minus infinity, and 200 random bit patterns."""
    kind = np.dtype(stored)
    limits = np.finfo(kind)
    bits = np.random.default_rng(3).integers(0, 2 ** (8 * kind.itemsize - 1), 200, dtype=np.uint64)
    chance = bits.astype(f"u{kind.itemsize}").view(kind)
    known = np.array([0, -0.0, limits.max, -limits.max, limits.smallest_subnormal, limits.tiny, -np.inf], dtype=kind)
    values = np.concatenate([known, chance[np.isfinite(chance)]])
    page = browser.new_page()
    page.set_content("<title>numbers</title>")
    unpack = "async ([address, array]) => [...(await import(address)).unpacked(array).data].map(String)"
    found = page.evaluate(unpack, [import_map()["gatewise/packed.js"], packed(values, stored)])
    page.close()
    assert [float(text) for text in found] == values.astype(float).tolist()


def test_whole_numbers_are_unpacked_as_python_widens_them(browser: Any) -> None:
    """Every number of 8 bits, in float32 steps whose products are not exact in it."""
    counts = np.arange(-127, 128, dtype=np.int8).reshape(5, 51)
    steps = np.random.default_rng(5).uniform(1e-4, 3, 5).astype(np.float32)
    page = browser.new_page()
    page.set_content("<title>numbers</title>")
    unpack = "async ([address, array]) => [...(await import(address)).unpacked(array).data]"
    found = page.evaluate(unpack, [import_map()["gatewise/packed.js"], packed_as_stored(counts, steps)])
    page.close()
    expected = [float(np.float32(count) * step) for row, step in zip(counts, steps, strict=True) for count in row]
    assert found == expected
    assert expected != [float(count) * float(step) for row, step in zip(counts, steps, strict=True) for count in row]
