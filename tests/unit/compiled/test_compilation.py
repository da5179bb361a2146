"""Estimators as graphs: the same answers at and beside every threshold, for odd values and texts never seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

from stream.compiled import MODELS, Unsupported, compile_graph, input_names, output_names
from stream.manifest import Manifest
from tests.unit.compiled.graph_cases import (
    FRAME,
    MIXED,
    NUMBER,
    NUMBERS,
    PLAIN,
    TWO,
    WHOLE,
    contract,
    difference,
    scaled,
)

pytestmark = (
    pytest.mark.slow
)  # each model is fitted and compiled; the quick ones are those of tests/unit/export

QUICK = (
    "boosting, two classes",
    "forest behind an indicator",
    "logistic, three classes, filled texts",
    "numbers as categories",
)
"""tests/estimators has all of them."""


@pytest.mark.parametrize("name", QUICK)
def test_texts_and_numbers_with_gaps(name: str) -> None:
    """Missing values, unseen texts and thresholds: labels equal, numbers within 1e-12."""
    estimator, target = MIXED[name]

    assert difference(estimator, FRAME, target) < 1e-12


@pytest.mark.parametrize("name", ["boosting gamma", "gradient boosting", "perceptron, relu"])
def test_numbers(name: str) -> None:
    """A link, a step before trees, layers."""
    estimator, target = PLAIN[name]

    assert difference(estimator, WHOLE[NUMBERS], target) < 1e-12


def test_forest_fitted_with_gaps() -> None:
    """Its trees send NaN one way or the other."""
    assert difference(RandomForestClassifier(4, random_state=0), FRAME[NUMBERS], TWO) < 1e-12


@pytest.mark.parametrize(
    ("model", "factor"),
    [
        *((HistGradientBoostingRegressor(max_iter=5), factor) for factor in (1e-15, 1e15)),
        *((DecisionTreeRegressor(max_depth=4), factor) for factor in (1e-323, 1e-310, 1e300)),
    ],
    ids=str,
)
def test_leaves_of_any_size(model: Any, factor: float) -> None:
    """Sums stay a double's, however large or small the leaves, though the operator gives float32."""
    target = NUMBER * factor
    model.fit(WHOLE[NUMBERS], target)
    manifest = contract(model, WHOLE[NUMBERS], target)
    session = onnxruntime.InferenceSession(compile_graph(model, manifest).content)
    feed = {name: WHOLE[[name]].to_numpy() for name in NUMBERS}

    found = session.run(None, feed)[0]

    np.testing.assert_allclose(found, model.predict(WHOLE[NUMBERS]), rtol=1e-13)


@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler(), MinMaxScaler(), PCA(1)], ids=type)
def test_step_that_computes_in_float32_is_refused(scaler: Any) -> None:
    """As scikit-learn's do where all columns are: rounded otherwise, a row beside a threshold has another answer."""
    numbers = WHOLE[["x", "y"]].astype("float32")
    model = scaled(DecisionTreeRegressor(max_depth=2), scaler).fit(numbers, NUMBER)

    with pytest.raises(Unsupported, match="is given float32, and computes in it"):
        compile_graph(model, _single(contract(model, numbers, NUMBER)))


def test_step_that_float32_can_t_change() -> None:
    """One quotient is rounded as float32's own is."""
    numbers = WHOLE[["x", "y"]].astype("float32")
    model = scaled(DecisionTreeRegressor(), MaxAbsScaler()).fit(numbers, NUMBER)
    content = compile_graph(model, _single(contract(model, numbers, NUMBER))).content
    feed = {name: numbers[[name]].to_numpy(np.float64) for name in numbers}

    found = onnxruntime.InferenceSession(content).run(None, feed)[0]

    assert model.predict(numbers).tolist() == found.tolist()


def _single(manifest: Manifest) -> Manifest:
    return replace(
        manifest, features=tuple(replace(one, avro="float", dtype="float32") for one in manifest.features)
    )


@pytest.mark.parametrize(("shift", "scale"), [(1e-9, 1.0), (0.0, 1 + 1e-7), (-3e-10, 1 - 1e-6)])
def test_constant_that_changes_almost_nothing_counts(shift: float, scale: float) -> None:
    """The runtime's optimizer leaves out what adds almost 0 to one column, or divides it by almost 1."""
    frame = pd.DataFrame({"x": [1.0, -1.0, 1e-9, 0.25]})
    scaler = StandardScaler().fit(frame)
    scaler.mean_, scaler.scale_ = np.array([shift]), np.array([scale])
    model = make_pipeline(scaler, LinearRegression(fit_intercept=False).fit(frame.to_numpy(), frame["x"]))
    session = onnxruntime.InferenceSession(compile_graph(model, contract(model, frame, NUMBER)).content)

    found = session.run(None, {"x": frame.to_numpy()})[0]

    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-14)


@pytest.mark.parametrize(
    "estimator",
    [
        scaled(Ridge(), FeatureUnion([("a", StandardScaler()), ("b", "passthrough")], transformer_weights={"a": 2})),
        scaled(
            DecisionTreeRegressor(max_depth=4),
            ColumnTransformer(
                [("a", StandardScaler(), ["x"])], remainder="passthrough",
                transformer_weights={"a": -0.1, "remainder": 3},
            ),
        ),
        scaled(MLPRegressor("poisson", (3,), max_iter=5, random_state=0)),
    ],
    ids=["union", "by column", "perceptron's exp"],
)  # fmt: skip
def test_settings_count(estimator: Any) -> None:
    """Weights of transformers, of both signs, and a loss with another last layer."""
    assert difference(estimator, WHOLE[NUMBERS], NUMBER) < 1e-12


@pytest.mark.parametrize("largest", [3.0, 2.0**60, 1e300, np.finfo(np.float64).max])
def test_number_that_is_no_category(largest: float) -> None:
    """It is none of them, also where the largest category and the next number are one double."""
    frame = pd.DataFrame({"x": [1.0, 0.0, largest, -largest] * 10})
    target = np.array([1.0, 2.0, 4.0, 8.0] * 10)
    estimator = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge())

    assert difference(estimator, frame, target) < 1e-12


class Doubled(LinearRegression):  # type: ignore[misc]
    """Somebody's own class: it answers otherwise than what it was derived from."""

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Twice as much."""
        return 2 * super().predict(X)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (Doubled(), "there is no graph for .*Doubled"),
        (GradientBoostingRegressor(n_estimators=2, init=LinearRegression()), "starts from another estimator"),
        (scaled(Ridge(), FunctionTransformer(np.abs)), "there is no graph for FunctionTransformer"),
    ],
)
def test_what_has_no_graph_is_refused(estimator: Any, reason: str) -> None:
    """With the reason, and never half."""
    fitted = estimator.fit(WHOLE[NUMBERS], NUMBER)

    with pytest.raises(Unsupported, match=reason):
        compile_graph(fitted, contract(fitted, WHOLE[NUMBERS], NUMBER))


def test_every_model_of_the_table_is_scikit_learn_s() -> None:
    """A name that is misspelt would never be found."""
    from sklearn.utils import all_estimators

    assert set() == set(MODELS) - {name for name, _ in all_estimators()}


def test_names_that_are_one_without_case() -> None:
    """BigQuery's columns have no case: `a/b` and `A_B` are two inputs, and one called `value` moves the output."""
    frame = pd.DataFrame({"a/b": [1.0, 2.0, 3.0], "A_B": [3.0, 1.0, 2.0], "Value": [0.0, 1.0, 0.0]})
    model = LinearRegression().fit(frame, [1.0, 2.0, 3.0])
    manifest = contract(model, frame, np.ones(1))

    assert ("a_b", "A_B_2", "Value") == input_names(manifest)
    assert {"value": "predicted_value"} == output_names(manifest)
