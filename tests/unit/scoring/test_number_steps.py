"""Simple transformers without their look at the input: the same bits, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

from stream.scoring.number_steps import array_steps, transformed

DRAW = np.random.default_rng(0)
X = np.where(DRAW.random((200, 3)) < 0.1, np.nan, DRAW.normal(size=(200, 3)) * 1e3)


@pytest.mark.parametrize(
    "steps",
    [
        [SimpleImputer()],
        [SimpleImputer(strategy="median"), StandardScaler()],
        [SimpleImputer(strategy="constant", fill_value=-1.5), RobustScaler()],
        [StandardScaler(with_mean=False), SimpleImputer()],
        [RobustScaler(with_centering=False), StandardScaler(with_std=False)],
        [RobustScaler(with_scaling=False)],
    ],
    ids=str,
)
def test_known_steps_give_the_same_bits(steps: list[Any]) -> None:
    """Missing values, any order, any part left out."""
    expected = X
    for step in steps:
        expected = step.fit_transform(expected)
    known = array_steps(steps)

    assert known is not None
    found = transformed(X.copy(), known)
    assert found is not None
    assert expected.tobytes() == np.ascontiguousarray(found).tobytes()


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_number_is_left_to_the_transformer(value: float) -> None:
    """It refuses such a row, and says so itself."""
    known = array_steps([StandardScaler().fit(X)])
    x = X.copy()
    x[3, 1] = value

    assert known is not None
    assert transformed(x, known) is None


@pytest.mark.parametrize(
    "step",
    [
        SimpleImputer(add_indicator=True).fit(X),
        SimpleImputer(missing_values=0).fit(np.nan_to_num(X)),
        SimpleImputer().fit(X.astype(np.float32)),
        SimpleImputer(keep_empty_features=False).fit(np.column_stack([X, np.full(len(X), np.nan)])),
        MinMaxScaler().fit(X),
        PowerTransformer().fit(X),
    ],
    ids=["indicator", "zeros", "float32", "empty column", "range", "power"],
)
def test_other_steps_are_not_known(step: Any) -> None:
    """They stay scikit-learn's own."""
    assert array_steps([step]) is None
