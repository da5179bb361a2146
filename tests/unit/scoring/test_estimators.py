"""What a fitted estimator shows of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from stream.scoring import known_texts, missing_texts, profile

NAMES = ("n", "a", "b")


def _frame(missing: object) -> pd.DataFrame:
    texts = ["x", "y", "x", "y", missing, "x"]
    return pd.DataFrame(
        {
            "n": [0.0, 1, 2, np.nan, 4, 5],
            "a": pd.Series(texts, dtype=object),
            "b": pd.Series(["u", "v"] * 3, dtype=object),
        }
    )


@pytest.mark.parametrize(
    "columns", [["a", "b"], [1, 2], slice(1, 3), slice("a", "b"), [False, True, True],
                make_column_selector(dtype_include=object)],
)  # fmt: skip
@pytest.mark.parametrize(("missing", "expected"), [(None, "None"), (np.nan, "NaN")])
def test_missing_text_is_seen_in_the_encoder_however_its_columns_are_named(
    columns: object, missing: object, expected: str
) -> None:
    """By name, position, slice, mask or selector; the column that had none shows nothing."""
    coder = ColumnTransformer([("t", OneHotEncoder(), columns)], remainder=SimpleImputer())
    model = make_pipeline(coder, LogisticRegression()).fit(_frame(missing), [0, 1] * 3)

    assert {"a": expected} == missing_texts(model, NAMES)
    assert {"a": ("x", "y"), "b": ("u", "v")} == known_texts(model, NAMES)


@pytest.mark.parametrize(("missing", "expected"), [(None, "None"), (np.nan, "NaN")])
def test_missing_text_is_seen_in_the_imputer_before_the_encoder(missing: object, expected: str) -> None:
    """Which fills the one it was set for, and lets the other pass."""
    texts = make_pipeline(SimpleImputer(missing_values=missing, strategy="most_frequent"), OrdinalEncoder())
    coder = ColumnTransformer([("t", texts, ["a"])], remainder="drop")
    model = make_pipeline(coder, LogisticRegression()).fit(_frame(missing), [0, 1] * 3)

    assert {"a": expected} == missing_texts(model, NAMES)


def test_imputer_of_numbers_says_nothing_of_texts() -> None:
    """Its NaN is a number's."""
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(_frame(None)[["n"]], [0, 1] * 3)

    assert {} == missing_texts(model, ("n",))


def test_profile_of_a_pipeline_is_that_of_its_ends() -> None:
    """Names from its first step, classes and scores from its last."""
    frame = _frame(None)[["n"]]
    found = profile(make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame, [0, 1] * 3))

    assert ("classifier", ("n",), 1, "predict_proba", True) == (
        found.kind, found.columns.names, found.columns.width, found.score, found.consistent
    )  # fmt: skip


BOOSTED: dict[str, tuple[str, dict[str, Any]]] = {
    "lightgbm": ("LGBMClassifier", {"n_estimators": 3, "min_child_samples": 1, "verbose": -1}),
    "xgboost": ("XGBClassifier", {"n_estimators": 3}),
    "catboost": ("CatBoostClassifier", {"iterations": 3, "verbose": 0, "allow_writing_files": False}),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("library", BOOSTED)
def test_boosting_library_gives_the_class_of_the_largest_probability(library: str, classes: int) -> None:
    """So it need not be asked twice; it says so, and does so."""
    name, settings = BOOSTED[library]
    x = np.random.default_rng(0).normal(size=(90, 2))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5) * (classes - 2)
    model = getattr(pytest.importorskip(library), name)(**settings).fit(x, y)

    assert profile(model).consistent
    assert model.predict_proba(x).argmax(axis=1).tolist() == np.ravel(model.predict(x)).tolist()


def test_threshold_of_ones_own_is_asked_for() -> None:
    """CatBoost's labels then are not those of the largest probability; nor are those of a subclass known to be."""
    catboost = pytest.importorskip("catboost")
    x = np.random.default_rng(0).normal(size=(90, 2))
    model = catboost.CatBoostClassifier(**BOOSTED["catboost"][1]).fit(x, x[:, 0] > 0)
    model.set_probability_threshold(0.3)

    assert not profile(model).consistent
    assert not profile(type("Mine", (catboost.CatBoostClassifier,), {})()).consistent
