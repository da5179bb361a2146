"""Every model and step that has a graph: what the graph answers is what the estimator does."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.base import is_regressor
from sklearn.utils import all_estimators

from stream.compiled import MODELS
from tests.unit.compiled.graph_cases import (
    FRAME,
    MIXED,
    NUMBER,
    NUMBERS,
    PLAIN,
    TWO,
    WHOLE,
    difference,
    scaled,
)

pytestmark = pytest.mark.slow

SMALL: dict[str, dict[str, Any]] = {
    **{
        name: {"n_estimators": 3}
        for name in MODELS
        if "Forest" in name or name.startswith(("ExtraTrees", "Gradient"))
    },
    **{name: {"max_iter": 4} for name in MODELS if name.startswith("Hist")},
    **{name: {"hidden_layer_sizes": (4,), "max_iter": 9} for name in MODELS if name.startswith("MLP")},
    "LogisticRegressionCV": {"cv": 2, "use_legacy_attributes": False},
}
"""What keeps them quick."""


@pytest.mark.parametrize("name", MIXED)
def test_texts_and_numbers_with_gaps(name: str) -> None:
    """Missing values, unseen texts and thresholds: labels equal, numbers within 1e-12."""
    estimator, target = MIXED[name]

    assert difference(estimator, FRAME, target) < 1e-12


@pytest.mark.parametrize("name", PLAIN)
def test_numbers(name: str) -> None:
    """Losses, links, activations, and steps without texts."""
    estimator, target = PLAIN[name]

    assert difference(estimator, WHOLE[NUMBERS], target) < 1e-12


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str) -> None:
    """Each model of the table as it is, behind a scaler."""
    kind = dict(all_estimators())[name]
    estimator = kind(**SMALL.get(name, {}))

    assert difference(scaled(estimator), WHOLE[NUMBERS], NUMBER if is_regressor(estimator) else TWO) < 1e-12
