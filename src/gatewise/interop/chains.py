"""Which LSTMs of a model read one another: chains, each of which is one LSTM of several layers.

In: what each LSTM reads. Out: chains by the name of their first.
"""

from __future__ import annotations

from collections.abc import Mapping


def chained(below: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """Chains of the names in `below`, which has the LSTM that each reads, None where it reads anything else.

    Where several read one, each begins a chain; LSTMs that read one another in a circle are in none.
    """
    above: dict[str, list[str]] = {}
    for name, lower in below.items():
        if lower is not None:
            above.setdefault(lower, []).append(name)
    firsts = [name for name, lower in below.items() if lower is None]
    chains = {}
    for first in firsts:
        chain = [first]
        while len(readers := above.get(chain[-1], [])) == 1:
            chain.append(readers[0])
        firsts += readers
        chains[first] = tuple(chain)
    return chains
