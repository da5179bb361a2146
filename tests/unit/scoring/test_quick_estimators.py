"""Estimators asked with less around them answer the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from stream.scoring.quick_estimators import quick

X = np.random.default_rng(0).normal(size=(300, 4))
LABELS = np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 1)]
SETTINGS: dict[str, Any] = {"n_estimators": 7, "max_depth": 5, "random_state": 0}

CLASSIFIERS = [RandomForestClassifier(**SETTINGS), ExtraTreesClassifier(**SETTINGS, bootstrap=True)]
REGRESSORS = [RandomForestRegressor(**SETTINGS), ExtraTreesRegressor(**SETTINGS, criterion="absolute_error")]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("forest", CLASSIFIERS, ids=lambda forest: type(forest).__name__)
def test_forest_of_a_classifier_gives_the_same_bits(forest: Any, classes: int) -> None:
    """Probabilities of two and of three classes, and the labels."""
    forest.fit(X, LABELS if classes == 3 else LABELS == "a")
    same = quick(forest)

    assert same is not forest
    assert forest.predict_proba(X).tobytes() == same.predict_proba(X).tobytes()  # type: ignore[attr-defined]
    assert forest.predict(X).tolist() == same.predict(X).tolist()  # type: ignore[attr-defined]


@pytest.mark.parametrize("forest", REGRESSORS, ids=lambda forest: type(forest).__name__)
def test_forest_of_a_regressor_gives_the_same_bits(forest: Any) -> None:
    """One row and many."""
    same = quick(forest.fit(X, X[:, 0] ** 2))

    for rows in (X, X[:1]):
        assert forest.predict(rows).tobytes() == np.asarray(same.predict(rows)).tobytes()


def test_missing_number_is_left_to_the_forest() -> None:
    """One that has learned what a missing number means is asked itself."""
    x = np.where(X > 2, np.nan, X)
    forest = RandomForestClassifier(**SETTINGS).fit(x, LABELS)

    assert forest.predict_proba(x).tobytes() == quick(forest).predict_proba(x).tobytes()  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_what_the_forest_refuses_is_refused(value: float) -> None:
    """Also a double that no float32 can hold."""
    x = X.copy()
    x[5, 2] = value

    with np.errstate(over="ignore"), pytest.raises(ValueError, match="contains infinity"):
        quick(RandomForestRegressor(**SETTINGS).fit(X, X[:, 0])).predict(x)


@pytest.mark.parametrize(
    "forest",
    [
        RandomForestRegressor(3, n_jobs=2).fit(X, X[:, 0]),
        RandomForestRegressor(3).fit(X, X[:, :2]),
        type("Mine", (RandomForestRegressor,), {})(3).fit(X, X[:, 0]),
    ],
    ids=["threads", "outputs", "subclass"],
)
def test_other_forests_are_asked_as_they_are(forest: Any) -> None:
    """Where its owner asks for threads, for several outputs, and for a class that may answer otherwise."""
    assert quick(forest) is forest


def test_catboost_answers_the_same_with_one_thread() -> None:
    """Labels, probabilities and a regressor's numbers."""
    catboost = pytest.importorskip("catboost")
    settings: dict[str, Any] = {"iterations": 5, "verbose": 0, "allow_writing_files": False}
    classifier = catboost.CatBoostClassifier(**settings).fit(X, LABELS)
    regressor = catboost.CatBoostRegressor(**settings).fit(X, X[:, 0])
    same: Any = quick(classifier)

    assert classifier.predict(X).tolist() == same.predict(X).tolist()
    assert classifier.predict_proba(X).tobytes() == same.predict_proba(X).tobytes()
    assert regressor.predict(X).tobytes() == np.asarray(quick(regressor).predict(X)).tobytes()
