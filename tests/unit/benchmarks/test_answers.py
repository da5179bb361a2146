"""Contestants that don't compute the same are found out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.answers import Answers, Disagreement, compare
from benchmarks.run import together


def said(places: list[int], labels: list[bool], scores: list[float]) -> Answers:
    """What a contestant wrote."""
    return Answers(np.array(places), np.array(labels), np.array(scores), [0] * len(places))


def test_agreement_on_what_both_predicted() -> None:
    """One that stopped early is held against its part; a score may differ in the last bits."""
    whole = said([1, 2, 3], [True, False, True], [0.9, 0.1, 0.8])

    assert 2 == compare(said([2, 3], [False, True], [0.1, 0.8 + 1e-12]), whole)


@pytest.mark.parametrize(
    ("places", "labels", "scores", "message"),
    [
        ([1, 2], [True, True], [0.9, 0.1], "1 labels differ"),
        ([1, 2], [True, False], [0.9, 0.1001], "scores by up to 0.0001"),
        ([8, 9], [True, False], [0.9, 0.1], "no record in common"),
    ],
)
def test_difference_ends_the_race(
    places: list[int], labels: list[bool], scores: list[float], message: str
) -> None:
    """Another label, another score, or other records."""
    with pytest.raises(Disagreement, match=message):
        compare(said(places, labels, scores), said([1, 2], [True, False], [0.9, 0.1]))


def test_rate_of_several_processes_is_that_of_the_time_when_all_have_work() -> None:
    """Partition 1 is done at 40 ms, and the second process has partitions from 20 ms on."""
    places = np.array([0, 1, 2, 3, 1 << 48, (1 << 48) + 1])
    whole = Answers(places, places == 0, places / 1, [10, 20, 30, 50, 15, 40])

    assert [20, 30, 40] == together(whole, 16)
