"""Calibration: tables, the fit on a tagger, the stored temperature, `evaluate --calibration`, the plot, the card."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gatewise
from gatewise.crf import TemperatureFit
from gatewise.errors import ConfigError, ModelError
from gatewise.explain.reliability_plot import reliability_svg
from gatewise.model.archive import open_model
from gatewise.model.calibration import Calibration, CalibrationChange, reliability
from gatewise.model.card import calibration_section, with_calibrations
from gatewise.model.corpus import read_corpus
from gatewise.runtime import Tagger
from gatewise.runtime import calibration as calibration_module
from gatewise.runtime.calibration import calibration, choose_temperature, evenly, fit
from gatewise.text.sentence import Sentence, sentence_from_forms

Run = Any  # the fixture `gatewise_command`
SAMPLE = Path(__file__).parent.parent / "data" / "zh_gsdsimp_sample"


def test_a_table_by_hand() -> None:
    table = reliability([0.95, 0.91, 1.0, 0.42, 0.0], [True, False, True, True, False])
    assert [entry.count for entry in table.bins] == [1, 0, 0, 0, 1, 0, 0, 0, 0, 3]
    last = table.bins[9]
    assert (last.low, last.high) == (0.9, 1.0)
    assert (last.confidence, last.accuracy) == (pytest.approx(2.86 / 3), pytest.approx(2 / 3))
    assert table.expected_error == pytest.approx((3 * (2.86 / 3 - 2 / 3) + 1 * (1 - 0.42) + 0) / 5)
    assert (table.count, table.accuracy, table.confidence) == (5, pytest.approx(0.6), pytest.approx(3.28 / 5))
    assert reliability([], []).expected_error == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_every_probability_is_in_one_bin(pairs: list[tuple[float, bool]]) -> None:
    table = reliability([p for p, _ in pairs], [right for _, right in pairs])
    assert table.count == len(pairs)
    assert table.confidence == pytest.approx(math.fsum(p for p, _ in pairs) / len(pairs))
    assert table.accuracy == pytest.approx(sum(right for _, right in pairs) / len(pairs))
    assert abs(table.accuracy - table.confidence) <= table.expected_error + 1e-9
    for entry in table.bins:
        assert entry.confidence is None or entry.low - 1e-9 <= entry.confidence <= entry.high + 1e-9


def test_a_temperature_changes_probabilities_and_no_tag(taggers: dict[str, Tagger]) -> None:
    for tagger in taggers.values():
        text = "小明住在 the cat 北京。"
        free, cool, hot = (tagger.with_temperature(t).tag(text) for t in (1, 0.5, 3))
        assert free.tags == cool.tags == hot.tags
        assert tagger.with_temperature(tagger.temperature).tag(text) == tagger.tag(text)
        assert (free == tagger.tag(text)) is (tagger.temperature == 1)
        assert (cool.path_probability or 0) > (free.path_probability or 0) > (hot.path_probability or 0)
        ranked = tagger.with_temperature(3).n_best(text, 3)
        ratio = (ranked[1].path_probability or 0) / (ranked[0].path_probability or 1)
        plain = tagger.with_temperature(1).n_best(text, 3)
        assert ratio == pytest.approx(((plain[1].path_probability or 0) / (plain[0].path_probability or 1)) ** (1 / 3))
        trace = tagger.with_temperature(3).trace(text)
        rounding = 1e-4 if tagger.archive.config.archive.numbers != "int8" else 0.01
        assert trace.sentence.scores == pytest.approx(hot.scores, abs=rounding)
        at_tags = [trace.marginals[t, tagger.labels.index(tag)] for t, tag in enumerate(trace.tags)]
        assert trace.sentence.scores == pytest.approx(at_tags)
        with pytest.raises(ConfigError, match="temperature: expected a number above 0, found"):
            tagger.with_temperature(0)


def test_the_fit_makes_the_bundled_model_say_what_it_means() -> None:
    """On dev sentences that are no part of its training: after the fit the probabilities are nearer to the truth."""
    tagger = gatewise.load("zh")
    [path] = SAMPLE.glob("*.conllu")
    gold = list(read_corpus(path, tagger.archive.config.task))
    found = fit(tagger, gold)
    fitted = tagger.with_temperature(found.temperature)
    assert found.sentences + found.left_out == len(gold)
    assert found.after <= found.before
    before, after = calibration(tagger.with_temperature(1), gold), calibration(fitted, gold)
    assert before.spans is not None
    assert after.spans is not None
    assert after.tokens.accuracy == before.tokens.accuracy
    assert abs(after.tokens.confidence - after.tokens.accuracy) <= abs(
        before.tokens.confidence - before.tokens.accuracy
    )


def sample() -> tuple[Tagger, list[Sentence]]:
    tagger = gatewise.load("zh")
    [path] = SAMPLE.glob("*.conllu")
    return tagger, list(read_corpus(path, tagger.archive.config.task))


def test_the_fitted_temperature_is_taken_where_scores_of_spans_gain() -> None:
    tagger, gold = sample()
    chosen = choose_temperature(tagger.with_temperature(3), gold)  # whatever it was before
    assert chosen.doubt == ""
    assert chosen.temperature == pytest.approx(fit(tagger, gold).temperature, abs=1e-4)
    assert chosen.change.before == calibration(tagger.with_temperature(1), gold)
    assert chosen.change.after == calibration(tagger.with_temperature(chosen.temperature), gold)


@pytest.mark.parametrize(
    ("temperature", "sentences", "doubt"),
    [
        (6.0, 9, r"with the fitted temperature 6 the expected calibration error of spans rises from \d+\.\d\d% to \d+"),
        (0.05001, 9, "the fit has no optimum: the sentences are too few, or all right, or all wrong"),
        (19.9999, 9, "the fit has no optimum: the sentences are too few, or all right, or all wrong"),
        (1.0, 0, "there is no sentence whose tags the model knows"),
    ],
)
def test_a_fitted_temperature_that_makes_it_worse_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, temperature: float, sentences: int, doubt: str
) -> None:
    tagger, gold = sample()
    found = TemperatureFit(temperature=temperature, before=2, after=1, sentences=sentences, left_out=0)
    monkeypatch.setattr(calibration_module, "fit", lambda *_: found)
    chosen = choose_temperature(tagger, gold)
    assert chosen.temperature == 1
    assert re.match(doubt, chosen.doubt)
    assert chosen.change.before == chosen.change.after == calibration(tagger.with_temperature(1), gold)


def test_long_dev_files_are_thinned_evenly() -> None:
    sentences = [sentence_from_forms(["x"] * length) for length in (4, 1, 3, 2, 5, 5)]
    assert evenly(sentences, 20) == sentences
    assert evenly(sentences, 19) == sentences[::2]
    assert evenly(sentences, 7) == sentences[::3]
    assert evenly([], 7) == []


def test_counts_of_tokens_and_spans(taggers: dict[str, Tagger], tiny: Path) -> None:
    tagger = taggers["v1-spans"]
    gold = list(read_corpus(tiny / "spans.conll", tagger.archive.config.task))
    found = calibration(tagger, gold)
    assert found.tokens.count == sum(map(len, gold))
    assert found.spans is not None
    assert found.spans.count == sum(len(s.spans) for s in tagger.tag_sentences(gold))
    plain = calibration(
        taggers["v1-tags"], list(read_corpus(tiny / "tags.conll", taggers["v1-tags"].archive.config.task))
    )
    assert plain.spans is None


def test_the_stored_temperature_is_used(stored: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(stored / "v1-spans", folder)
    assert open_model(folder).temperature == 1
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"temperature": 2.5}), encoding="utf-8")
    tagger = gatewise.load(folder)
    assert tagger.temperature == 2.5
    wanted = gatewise.load(stored / "v1-spans").with_temperature(2.5).tag("小明住在北京。")
    assert tagger.tag("小明住在北京。") == wanted
    for wrong in ("hot", 0, -1, True, None, 1e300):
        path.write_text(json.dumps(content | {"temperature": wrong}), encoding="utf-8")
        with pytest.raises(ModelError, match=r"config\.json: temperature: expected a number above 0, found"):
            open_model(folder)


@pytest.mark.parametrize(("model", "corpus"), [("v1-spans", "spans.conll"), ("v1-tags", "tags.conll")])
def test_the_report_of_evaluate(
    gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path, model: str, corpus: str
) -> None:
    plot = tmp_path / "plot.svg"
    options = (stored / model, tiny / corpus, "--calibration", "--calibration-plot", plot)
    ran = gatewise_command("evaluate", *options)
    assert (ran.code, ran.err) == (0, "")
    assert "calibration of tags: expected error" in ran.out
    assert ("calibration of spans" in ran.out) == (model == "v1-spans")
    content = json.loads(gatewise_command("evaluate", *options, "--json").out)["calibration"]
    assert content["temperature"] == 1
    assert (content["spans"] is None) == (model == "v1-tags")
    assert sum(entry["count"] for entry in content["tokens"]["bins"]) == content["tokens"]["count"]
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")
    assert "calibration" not in json.loads(gatewise_command("evaluate", *options[:2], "--json").out)


def test_the_plot_puts_points_where_they_belong() -> None:
    table = reliability([0.25, 0.25, 0.75, 0.75], [False, False, True, False])
    drawing = ElementTree.fromstring(
        reliability_svg(Calibration(temperature=1, tokens=table, spans=None), title="<a> & b")
    )
    circles = [e for e in drawing.iter() if e.tag.endswith("circle") and len(e)]
    assert [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in circles] == [
        (56 + 320 * 0.25, 56 + 320),
        (56 + 320 * 0.75, 56 + 160),
    ]
    assert next(e for e in drawing.iter() if e.tag.endswith("title")).text == "<a> & b"


def judged(temperature: float, confidences: list[float], right: list[bool]) -> Calibration:
    table = reliability(confidences, right)
    return Calibration(temperature=temperature, tokens=table, spans=table)


BEFORE, AFTER = (
    judged(1, [0.99, 0.99, 0.35], [True, False, True]),
    judged(1.6378, [0.95, 0.95, 0.45], [True, False, True]),
)


def test_the_section_of_the_card() -> None:
    text = calibration_section("test", CalibrationChange(before=BEFORE, after=AFTER))
    assert "## Calibration on test" in text
    assert "- temperature: 1.638" in text
    assert "| 0.9 to 1.0 | 2 | 95.0% | 50.0% |" in text
    assert "- expected calibration error, spans: 48.33% (54.33% at temperature 1)" in text  # (2 × 0.45 + 0.55) / 3
    unchanged = calibration_section("test", CalibrationChange(before=BEFORE, after=BEFORE))
    assert "- expected calibration error, tags: 54.33%\n" in unchanged


def test_new_sections_take_the_place_of_old_ones_in_a_card() -> None:
    change = CalibrationChange(before=BEFORE, after=AFTER)
    dev, test = calibration_section("dev", change), calibration_section("test", change)
    with_scores = "# m\n\nMine.\n\n## Scores on dev\n\n- F1\n\n## Scores on test\n\n- F1\n\n## License\n\nMIT\n"
    expected = with_scores.replace("## License", f"{dev}\n\n{test}\n\n## License")
    assert with_calibrations(with_scores, {"dev": change, "test": change}) == expected
    assert with_calibrations(expected, {"dev": change, "test": change}) == expected
    assert with_calibrations(expected, {}) == with_scores
    assert with_calibrations("# m\n\n## License\n\nMIT\n", {"dev": change}) == f"# m\n\n{dev}\n\n## License\n\nMIT\n"
    assert with_calibrations("by hand", {"dev": change}) == f"by hand\n\n{dev}\n"
    assert with_calibrations("# m\n\n## Scores on dev\n\n- F1", {"dev": change}) == (
        f"# m\n\n## Scores on dev\n\n- F1\n\n{dev}\n"
    )
