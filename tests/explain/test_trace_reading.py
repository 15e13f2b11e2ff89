"""The readings that a page gets, against the arrays of the trace, and what rounding must not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.explain.trace_reading import reading_data, reading_words, round_chance
from gatewise.runtime import Tagger


@pytest.mark.parametrize("name", ["v1-spans", "v1-segmentation"])
def test_the_numbers_are_those_of_the_trace(taggers: dict[str, Tagger], name: str) -> None:
    trace = taggers[name].trace("小明 住在北京。")
    data = reading_data(trace)
    directions = {"forward": trace.layers[-1].forward, "reverse": trace.layers[-1].reverse}
    assert (data["directions"], data["gated"], data["fast"]) == (["forward", "reverse"], True, None)
    assert len(data["tokens"]) == len(trace)
    for t, (start, end, tag, chance, rival, rival_chance, lead, gates, shares, units) in enumerate(data["tokens"]):
        assert trace.sentence.text[start:end] == trace.sentence.tokens[t].text
        a, b = trace.labels.index(tag), trace.labels.index(rival)
        assert (tag, a != b) == (trace.tags[t], True)
        for shown, exact in ((chance, trace.marginals[t, a]), (rival_chance, trace.marginals[t, b])):
            assert float(shown.strip("<>%")) / 100 == pytest.approx(exact, abs=1.01e-3 if shown[0] in "<>" else 5.1e-4)
        assert trace.marginals[t, b] == np.delete(trace.marginals[t], a).max()
        assert lead == pytest.approx(trace.emissions[t, a] - trace.emissions[t, b], abs=6e-4)
        means = [getattr(one, gate)[t].mean() for one in directions.values() for gate in "ifo"]
        assert gates == pytest.approx(means, abs=5.1e-3)
        assert all(0 < share <= 1 for held in shares for _, share in held)
        assert shares[0]
        assert all(source <= t for source, _ in shares[0])
        assert shares[1]
        assert all(source >= t for source, _ in shares[1])
        for direction, unit, i, f, g, o, c, h, weight, contribution in units:
            one = directions[direction]
            assert [i, f, g, o, c, h] == pytest.approx([getattr(one, k)[t, unit] for k in "ifgoch"], abs=6e-4)
            assert h == pytest.approx(o * np.tanh(c), abs=2e-3)
            assert contribution == pytest.approx(weight * h, abs=5e-3)


def test_a_network_without_gates(taggers: dict[str, Tagger]) -> None:
    data = reading_data(taggers["v1-softmax-rnn"].trace("小明"))
    assert data["gated"] is False
    assert all(token[7] == token[8] == [] and len(token[9][0]) == 5 for token in data["tokens"])


@pytest.mark.parametrize(("lang", "words"), [("en", "128 units"), ("zh", "个单元的输入门")])
def test_words_are_filled_in_for_the_model(taggers: dict[str, Tagger], lang: str, words: str) -> None:
    trace = taggers["v1-spans"].trace("好")
    found = reading_words(trace, lang)  # type: ignore[arg-type]
    hidden = trace.layers[-1].forward.h.shape[1]
    assert words.replace("128", str(hidden)) in found["overview_note"]
    assert found["model"].count(str(len(trace.labels))) >= 1


@given(st.floats(min_value=0, max_value=1))
def test_a_chance_is_never_rounded_to_all_or_nothing(chance: float) -> None:
    rounded = round_chance(chance)
    assert rounded == pytest.approx(chance, abs=1e-6)
    assert (0 < rounded < 1) == (0 < chance < 1)
