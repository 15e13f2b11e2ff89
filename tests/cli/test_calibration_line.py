"""The line on calibration in the final report of `gatewise train`, by hand."""

from __future__ import annotations

from gatewise.cli.calibrate import calibration_line
from gatewise.model.calibration import Calibration, CalibrationChange, reliability


def change(before: float, after: float, *, spans: bool = True) -> CalibrationChange:
    """Of one tag and one span, both right, with these probabilities."""

    def at(temperature: float, score: float) -> Calibration:
        tokens = reliability([1.0], [True])
        found = reliability([score], [True])
        return Calibration(temperature=temperature, tokens=tokens if spans else found, spans=found if spans else None)

    return CalibrationChange(before=at(1.0, before), after=at(1.6378, after))


def test_the_line_names_what_is_filtered_by() -> None:
    assert calibration_line({"dev": change(0.9, 0.95), "test": change(0.88, 0.9925)}, "") == (
        "temperature 1.6378: expected calibration error of spans on dev 10.00 → 5.00 %, of spans on test 12.00 → 0.75 %"
    )
    assert calibration_line({"dev": change(0.9, 0.95, spans=False)}, "") == (
        "temperature 1.6378: expected calibration error of tags on dev 10.00 → 5.00 %"
    )
    assert calibration_line({"dev": change(0.9, 0.9)}, "it does not help") == "temperature 1: it does not help"
