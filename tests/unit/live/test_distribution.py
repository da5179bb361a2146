"""Answers counted by bin or label, beside the golden rows'."""

from __future__ import annotations

from typing import Any

import pytest

from stream.live import distribution_of
from stream.manifest import Manifest


def manifest(**fields: Any) -> Manifest:
    """Of a model without features."""
    return Manifest(
        "m",
        1,
        "2026-01-01T00:00:00Z",
        **{"task": "classifier", "inputs": "frame", **fields},
        features=(),
        width=0,
    )


def test_probabilities_are_counted_from_nought_to_one() -> None:
    """Whatever the golden rows' range is; what is no number is left out."""
    found = distribution_of(manifest(score="predict_proba"), [{"score": 0.5}, {"score": 0.52}])
    assert found is not None
    for score in (0.0, 0.049, 1.0, None, float("nan"), "text"):
        found.add({"score": score})
    view: Any = found.view()

    assert ("score", 0.0, 1.0, 21) == (view["field"], view["edges"][0], view["edges"][-1], len(view["edges"]))
    assert [0] * 10 + [2] + [0] * 9 == view["golden"]
    assert [2] + [0] * 18 + [1] == view["now"]


@pytest.mark.parametrize(
    ("golden", "now"),
    [([10.0, 20.0], [-1e300, 15.0, 1e300]), ([7.0], [6.0, 7.0, 8.0]), ([0.0], [-2.0, 0.0, 2.0])],
)
def test_values_outside_the_golden_range_are_counted_at_its_ends(
    golden: list[float], now: list[float]
) -> None:
    """Of a regressor; also where all golden rows have one value."""
    found = distribution_of(manifest(task="regressor"), [{"value": value} for value in golden])
    assert found is not None
    for value in now:
        found.add({"value": value})
    view: Any = found.view()
    counts = view["now"]

    assert (1, 1, 3, 1) == (counts[0], counts[-1], sum(counts), sum(counts[9:11]))


def test_labels_are_counted_by_class() -> None:
    """All classes of the model, also those that the golden rows lack."""
    found = distribution_of(
        manifest(classes=("a", "b", "c")), [{"label": "a"}, {"label": "a"}, {"label": "c"}]
    )
    assert found is not None
    found.add({"label": "b"})

    assert {"field": "label", "names": ["a", "b", "c"], "golden": [2, 0, 1], "now": [0, 1, 0]} == found.view()


def test_labels_that_are_not_known_are_one_bin() -> None:
    """Clusters, say; and of very many the most frequent are told apart."""
    found = distribution_of(
        manifest(task="clusterer"), [{"label": i} for i in range(30) for _ in range(30 - i)]
    )
    assert found is not None
    found.add({"label": 29})
    view: Any = found.view()

    assert (21, "others", "0") == (len(view["names"]), view["names"][-1], view["names"][0])
    assert (1, sum(range(1, 11))) == (view["now"][-1], view["golden"][-1])


@pytest.mark.parametrize(
    ("model", "answers"),
    [
        (manifest(task="multi-regressor"), [{"values": [1.0]}]),
        (manifest(task="multi-classifier"), [{"labels": ["a"]}]),
        (manifest(task="regressor"), [{"value": float("inf")}]),
    ],
)
def test_answers_without_one_number_or_label_have_none(
    model: Manifest, answers: list[dict[str, object]]
) -> None:
    """The page shows no distribution then."""
    assert distribution_of(model, answers) is None
