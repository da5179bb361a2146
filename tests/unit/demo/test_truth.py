"""What came true: written by the demo, told beside a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stream.demo.truth import Truth, write_outcomes


@pytest.mark.parametrize(
    ("prediction", "told"),
    [
        ({"flight_id": "a", "label": True}, {"text": "late", "right": True}),
        ({"flight_id": "a", "label": False}, {"text": "late", "right": False}),
        ({"flight_id": "b", "label": False}, {"text": "on time", "right": True}),
        ({"flight_id": "c", "label": False}, {"text": "landed elsewhere", "right": None}),
        ({"flight_id": "unknown", "label": False}, None),
        ({}, None),
    ],
)
def test_outcome_is_told_beside_its_prediction(
    tmp_path: Path, prediction: Mapping[str, object], told: Mapping[str, object] | None
) -> None:
    """Late, on time or elsewhere, and whether that was predicted; nothing about a flight that is not known."""
    file = tmp_path / "outcomes.json"
    write_outcomes(file, {"a": True, "b": False, "c": None})

    assert told == Truth(file)(prediction)


def test_file_that_comes_later_is_found(tmp_path: Path) -> None:
    """The worker is up before the flights are read."""
    file = tmp_path / "outcomes.json"
    truth = Truth(file)

    assert None is truth({"flight_id": "a", "label": True})
    write_outcomes(file, {"a": True})
    assert {"text": "late", "right": True} == truth({"flight_id": "a", "label": True})
