"""What a fitted estimator shows of itself."""

from __future__ import annotations

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
