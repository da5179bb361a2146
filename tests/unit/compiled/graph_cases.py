"""Estimators of every kind that has a graph, and the question whether the graph answers as they do."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stream.compiled import compile_graph, input_names, output_names
from stream.export.onnx_proof import Feed, compare, feed_of, unknown_text
from stream.export.onnx_trials import Trial, trials
from stream.manifest import AnswerType, Feature, Manifest, ScoreMethod
from stream.scoring import Model, known_texts

__all__ = [
    "FRAME",
    "MIXED",
    "NUMBER",
    "NUMBERS",
    "PLAIN",
    "TEXTS",
    "THREE",
    "TWO",
    "WHOLE",
    "Prepared",
    "contract",
    "difference",
    "prepared",
    "scaled",
]

NUMBERS = ["x", "y", "n", "flag"]
TEXTS = ["city", "kind"]


def _frame(rows: int = 160) -> pd.DataFrame:
    """Two texts, three numbers and a boolean; x and kind have gaps."""
    chance = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "city": chance.choice(["rome", "oslo", "lima", "bern"], rows).astype(object),
            "kind": chance.choice(["a", "b", "c"], rows).astype(object),
            "x": chance.normal(50, 20, rows),
            "y": chance.gamma(2, 10, rows),
            "n": chance.integers(0, 9, rows).astype(float),
            "flag": (chance.random(rows) < 0.5).astype(float),
        }
    )
    frame.loc[chance.random(rows) < 0.1, "x"] = np.nan
    gaps = chance.random(rows) < 0.1
    frame["kind"] = pd.Series(
        [None if gap else kind for gap, kind in zip(gaps, frame["kind"], strict=True)], dtype=object
    )
    return frame


FRAME = _frame()
WHOLE = FRAME.fillna({"x": 50.0})
NUMBER = np.abs(WHOLE["x"]) * 3 + WHOLE["y"] + 5 * (FRAME["city"] == "oslo") + 1
TWO = np.where(WHOLE["x"] + 10 * (FRAME["city"] == "rome") > 55, "yes", "no")
THREE = np.where(WHOLE["x"] > 60, 2, np.where(WHOLE["y"] > 20, 1, 0))


def contract(estimator: Any, frame: pd.DataFrame, target: Any) -> Manifest:
    """What a package would say of it."""
    features = tuple(
        Feature(
            name, name, "string" if name in TEXTS else "boolean" if name == "flag" else "double",
            "text" if name in TEXTS else "number", nullable=bool(frame[name].isna().any()),
        )
        for name in frame.columns
    )  # fmt: skip
    if not hasattr(estimator, "classes_"):
        return Manifest("m", 1, "", "regressor", "frame", features, len(features))
    score: ScoreMethod = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    answer: AnswerType = "string" if target.dtype.kind == "U" else "long"
    classes = tuple(estimator.classes_.tolist())
    return Manifest(
        "m", 1, "", "classifier", "frame", features, len(features), classes, answer, "predict", score
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """An estimator, fitted, and its graph, with rows to try: as trials, and as the graph is given them."""

    estimator: Any
    manifest: Manifest
    content: bytes
    asked: list[Trial]
    feed: Feed


def prepared(estimator: Any, frame: pd.DataFrame, target: Any) -> Prepared:
    """Fit and compile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that don't converge
        estimator = clone(estimator).fit(frame, target)
    manifest = contract(estimator, frame, target)
    compiled = compile_graph(estimator, manifest)
    rows = frame.head(25).astype(object).where(frame.head(25).notna(), None)
    events: list[dict[str, object]] = [
        {str(name): bool(value) if name == "flag" else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
    texts = known_texts(estimator, list(frame.columns))
    thresholds = {place: found[:20] for place, found in compiled.thresholds.items()}
    asked = trials(manifest, events, thresholds, texts)
    feed = feed_of(
        manifest, [trial.event for trial in asked], input_names(manifest), np.float64,
        unknown_text(compiled.content),
    )  # fmt: skip
    return Prepared(estimator, manifest, compiled.content, asked, feed)


def difference(estimator: Any, frame: pd.DataFrame, target: Any) -> float:
    """Fit, compile, ask both; how far the numbers are apart."""
    case = prepared(estimator, frame, target)
    session = onnxruntime.InferenceSession(case.content)
    names = output_names(case.manifest)
    found = session.run(list(names.values()), case.feed)
    proof = compare(
        Model(case.estimator, case.manifest), case.asked, dict(zip(names, found, strict=True)), 1e-12
    )

    assert "" == proof.wrong
    assert proof.rows > 25
    return proof.difference


def _columns(numbers: Any, texts: Any) -> ColumnTransformer:
    return ColumnTransformer([("texts", texts, TEXTS), ("numbers", numbers, NUMBERS)])


def _hot(**options: Any) -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", **options)


def _hist(**options: Any) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(max_iter=5, **options)


def scaled(estimator: Any, scaler: Any = None) -> Any:
    """Behind a scaler."""
    return make_pipeline(scaler or StandardScaler(), estimator)


MIXED = {
    "boosting, two classes": (HistGradientBoostingClassifier(max_iter=6, categorical_features=TEXTS), TWO),
    "boosting, three classes": (
        HistGradientBoostingClassifier(max_iter=3, categorical_features=[*TEXTS, "n"]),
        THREE,
    ),
    "boosting, number": (_hist(categorical_features=TEXTS), NUMBER),
    "boosting behind ordinals": (
        make_pipeline(
            _columns(
                "passthrough",
                OrdinalEncoder(
                    handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
                ),
            ),
            _hist(),
        ),
        NUMBER,
    ),
    "forest behind an indicator": (
        make_pipeline(
            _columns(SimpleImputer(strategy="median", add_indicator=True), _hot()),
            RandomForestClassifier(4, random_state=0),
        ),
        THREE,
    ),
    "logistic": (
        make_pipeline(
            _columns(make_pipeline(SimpleImputer(), StandardScaler()), _hot(min_frequency=0.3)),
            LogisticRegression(),
        ),
        TWO,
    ),
    "logistic, three classes, filled texts": (
        make_pipeline(
            _columns(
                SimpleImputer(strategy="constant", fill_value=0),
                make_pipeline(
                    SimpleImputer(strategy="constant", fill_value="none", missing_values=None),
                    _hot(drop="first"),
                ),
            ),
            LogisticRegression(max_iter=300),
        ),
        THREE,
    ),
    "target encoder": (
        make_pipeline(_columns(SimpleImputer(), TargetEncoder(random_state=0)), Ridge()),
        NUMBER,
    ),
    "rare categories as one": (
        make_pipeline(
            _columns(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3),
            ),
            Ridge(),
        ),
        NUMBER,
    ),
    "numbers as categories": (
        make_pipeline(
            ColumnTransformer([("n", _hot(), ["n", "flag", "x"]), ("city", "drop", ["city"])]), Ridge()
        ),
        NUMBER,
    ),
    "remainder": (
        make_pipeline(ColumnTransformer([("t", _hot(), TEXTS)], remainder=SimpleImputer()), Ridge()),
        NUMBER,
    ),
}

PLAIN = {
    "boosting": (HistGradientBoostingClassifier(max_iter=4), THREE),
    **{
        f"boosting {loss}": (_hist(loss=loss, quantile=0.7 if loss == "quantile" else None), NUMBER)
        for loss in ("absolute_error", "poisson", "gamma", "quantile")
    },
    "random forest": (scaled(RandomForestRegressor(3, random_state=0)), NUMBER),
    "extra trees": (scaled(ExtraTreesClassifier(3, random_state=0), RobustScaler()), TWO),
    "extra trees, number": (scaled(ExtraTreesRegressor(3, random_state=0), MaxAbsScaler()), NUMBER),
    "gradient boosting": (scaled(GradientBoostingClassifier(n_estimators=4), MinMaxScaler(clip=True)), TWO),
    "gradient boosting, exponential": (
        GradientBoostingClassifier(n_estimators=4, loss="exponential", init="zero"),
        TWO,
    ),
    "gradient boosting, three classes": (GradientBoostingClassifier(n_estimators=3), THREE),
    "gradient boosting, number": (GradientBoostingRegressor(n_estimators=5, loss="huber"), NUMBER),
    "tree": (DecisionTreeClassifier(max_depth=4), THREE),
    "tree, number": (DecisionTreeRegressor(), NUMBER),
    **{
        type(model).__name__: (scaled(model), NUMBER)
        for model in (
            LinearRegression(), Lasso(), ElasticNet(), SGDRegressor(random_state=0), PoissonRegressor(),
            GammaRegressor(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0),
        )
    },
    "stochastic gradient": (scaled(SGDClassifier(loss="log_loss", random_state=0)), THREE),
    "stochastic gradient, hinge": (scaled(SGDClassifier(random_state=0)), TWO),
    "ridge": (scaled(RidgeClassifier()), THREE),
    "discriminant": (LinearDiscriminantAnalysis(), THREE),
    "perceptron, tanh": (scaled(MLPClassifier((4,), activation="tanh", max_iter=5, random_state=0)), TWO),
    "perceptron, relu": (scaled(MLPClassifier((4,), max_iter=5, random_state=0)), THREE),
    "components": (make_pipeline(StandardScaler(), PCA(2, whiten=True), LogisticRegression()), TWO),
    "selected columns": (make_pipeline(SelectKBest(k=2), LogisticRegression(max_iter=300)), TWO),
    "side by side": (
        make_pipeline(
            FeatureUnion([("scaled", StandardScaler()), ("same", FunctionTransformer())]), Ridge()
        ),
        NUMBER,
    ),
    "search": (GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=2), NUMBER),
}  # fmt: skip
