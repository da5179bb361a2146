"""Linear models without the sparse matrix: SciPy's own bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.svm import LinearSVC

from stream.scoring.blocks import Cells, Unknown, sparse
from stream.scoring.linear_sums import linear_sums

DRAW = np.random.default_rng(0)
N = 300
TEXTS = Cells(np.ones((N, 2)), np.column_stack([DRAW.integers(0, 4, N), 4 + DRAW.integers(0, 5, N)]),
              DRAW.random((N, 2)) < 0.9)  # fmt: skip
NUMBERS = Cells(np.where(DRAW.random((N, 3)) < 0.1, 0.0, DRAW.normal(size=(N, 3))))
CELLS, STARTS = [TEXTS, NUMBERS], [0, 9, 12]
X: Any = sparse(CELLS, STARTS)
Y = np.asarray(X.sum(axis=1)).ravel()


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (LogisticRegression(), "predict_proba"),
        (LogisticRegression(fit_intercept=False), "decision_function"),
        (LinearSVC(), "decision_function"),
        (RidgeClassifier(), "decision_function"),
        (RidgeClassifier(), "predict"),
        (LogisticRegression(), "predict"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_classifier_gives_the_same_bits(model: Any, method: str, order: int) -> None:
    """Unknown categories, zeros, numbers before and after the texts."""
    cells, starts = CELLS[::order], STARTS if order == 1 else [0, 3, 12]
    x: Any = sparse(cells, starts)
    model.fit(x, Y > 1)
    sums = linear_sums(model, 12)

    assert sums is not None
    found = np.asarray(getattr(sums, method)(sums.of(cells, starts)))
    assert getattr(model, method)(x).tobytes() == found.tobytes()


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), ElasticNet(alpha=0.01)], ids=str)
def test_regressor_gives_the_same_bits(model: Any) -> None:
    """Its sum is its answer."""
    model.fit(csr_array(X), Y)
    sums = linear_sums(model, 12)

    assert sums is not None
    assert model.predict(X).tobytes() == np.asarray(sums.predict(sums.of(CELLS, STARTS))).tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_the_model_refuses_is_left_to_it(value: float) -> None:
    """No number comes of it."""
    sums = linear_sums(LogisticRegression().fit(X, Y > 1), 12)
    numbers = NUMBERS.values.copy()
    numbers[7, 1] = value

    assert sums is not None
    with pytest.raises(Unknown):
        sums.of([TEXTS, Cells(numbers)], STARTS)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression().fit(X, (Y > 0).astype(int) + (Y > 1)),
        LinearRegression().fit(X, np.column_stack([Y, Y])),
        type("Mine", (LogisticRegression,), {})().fit(X, Y > 1),
    ],
    ids=["three classes", "two outputs", "subclass"],
)
def test_other_models_have_no_sums(model: Any) -> None:
    """Of several sums, and of classes that may answer otherwise."""
    assert linear_sums(model, 12) is None
