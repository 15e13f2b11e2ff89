"""A hand-written network's run as CSV: `gatewise explain --network … --format csv`.

In: a `NetworkRun`. Out: long CSV (`long_csv.py`) with the numbers of the JSON contract, exact.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.explain.long_csv import Row, format_csv, unit_rows
from gatewise.explain.network_document import numbers
from gatewise.network import DirectionRun, NetworkRun, Step


def network_csv(run: NetworkRun) -> str:
    """Every number of the run: steps of all layers and directions, then outputs and tags.

    >>> from gatewise.network import read_network
    >>> network_csv(read_network("article").run()).splitlines()[6]
    '1,forward,1,我,f_pre,1,-90'
    """
    return format_csv(_rows(run))


def _rows(run: NetworkRun) -> Iterator[Row]:
    for direction in run.directions:
        for step in direction.steps:
            yield from _step(direction, step)
    for t, (token, output, tag) in enumerate(zip(run.tokens, run.output_vectors, run.tags, strict=True), start=1):
        place = Row(quantity="", value="", t=t, token=token)
        yield from unit_rows("output", numbers(output), place)
        if tag is not None:
            yield place._replace(quantity="tag", value=tag.name)


def _step(direction: DirectionRun, step: Step) -> Iterator[Row]:
    name = "reverse" if direction.reverse else "forward"
    place = Row(quantity="", value="", t=step.t, token=step.token, layer=direction.layer, direction=name)
    for quantity in ("x", "h_prev", "c_prev"):
        yield from unit_rows(quantity, numbers(getattr(step, quantity)), place)
    for letter, units in step.linear.items():
        prefix = f"{letter}_" if step.c else ""
        yield from unit_rows(f"{prefix}pre", numbers(unit.pre for unit in units), place)
        if step.c:
            yield from unit_rows(letter, numbers(unit.value for unit in units), place)
    yield from unit_rows("c", numbers(step.c), place)
    yield from unit_rows("h", numbers(step.h), place)
