"""The estimators that are packed in tests, each with rows as its events will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeRegressor

from stream.store import Package

ROWS = 40


@dataclass(frozen=True)
class Case:
    """An estimator to pack, its rows, and what it is fitted on."""

    estimator: object
    sample: pd.DataFrame
    x: object
    options: dict[str, object] = field(default_factory=dict)


def people(*, nulls: bool = True) -> pd.DataFrame:
    """Numbers, a nullable number, texts, a nullable text, a boolean and a date."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, ROWS),
            "income": rng.normal(40_000, 9_000, ROWS),
            "city": rng.choice(["Bath", "Leeds", "York"], ROWS),
            "job": rng.choice(["cook", "nurse"], ROWS),
            "member": rng.random(ROWS) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), unit="D"),
        }
    )
    if nulls:
        frame.loc[::7, "income"] = np.nan
        frame.loc[::5, "job"] = None
    return frame


def target(frame: pd.DataFrame) -> pd.Series:
    """1 for one half of the rows, by age and city."""
    return ((frame["age"] > 50) ^ (frame["city"] == "Bath")).astype(int)


def numbers(width: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A matrix, and three classes that follow from it."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, width))
    return x, np.digitize(x[:, 0] + 0.5 * x[:, 1], [-0.5, 0.5])


def _frame_pipeline(last: object, **encoder: object) -> object:
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore", **encoder)
    columns = ColumnTransformer([("n", numeric, ["age", "income"]), ("t", texts, ["city", "job"])])
    return make_pipeline(columns, last)


def _on_people(estimator: object, y: pd.Series | None = None, columns: list[str] | None = None) -> Case:
    frame = people()
    x = frame[columns or ["age", "income", "city", "job"]]
    labels = target(frame) if y is None else y
    return Case(estimator.fit(x, labels), frame.assign(target=labels), x)  # type: ignore[attr-defined]


def _on_matrix(estimator: object, y: object = None, **options: object) -> Case:
    x, classes = numbers()
    fitted = estimator.fit(x, classes if y is None else y)  # type: ignore[attr-defined]
    return Case(fitted, pd.DataFrame(x, columns=["a", "b", "c", "d"]), x, options)


def _vector() -> Case:
    x, classes = numbers()
    frame = pd.DataFrame({"id": [f"e{i}" for i in range(ROWS)], "embedding": [list(row) for row in x]})
    return Case(LogisticRegression().fit(x, classes), frame, x, {"vector": "embedding", "carry": ("id",)})


def _float32() -> Case:
    x, classes = numbers()
    estimator = RandomForestClassifier(5, random_state=0).fit(x.astype(np.float32), classes)
    return Case(estimator, pd.DataFrame(x, columns=["a", "b", "c", "d"]), x)


def _awkward_names() -> Case:
    x, classes = numbers()
    frame = pd.DataFrame(x, columns=["mean radius (cm)", "mean-radius", "2nd", "größe"])
    return Case(GaussianNB().fit(frame, classes), frame, frame)


def _categories() -> Case:
    frame = people()
    frame[["city", "job"]] = frame[["city", "job"]].astype("category")
    x = frame[["age", "income", "city", "job"]]
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    return Case(estimator.fit(x, target(frame)), frame, x)


def _ordinal() -> Case:
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer([("t", coder, ["city", "job"])], remainder="passthrough")
    return _on_people(make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5)))


def _imputed_texts() -> Case:
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer([("t", texts, ["city", "job"]), ("n", "passthrough", ["age"])])
    return _on_people(make_pipeline(columns, LogisticRegression(max_iter=500)))


def _none_texts() -> Case:
    frame = people()
    frame["job"] = frame["job"].astype(object).where(frame["job"].notna(), None)
    x = frame[["city", "job"]]
    estimator = make_pipeline(OneHotEncoder(), LogisticRegression())
    return Case(estimator.fit(x, target(frame)), frame, x)


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Days since 2020, and whether a member."""
    days = (frame["since"] - pd.Timestamp("2020-01-01")).dt.days
    return pd.DataFrame({"days": days.astype(float), "member": frame["member"].astype(float)})


def _dates() -> Case:
    estimator = make_pipeline(FunctionTransformer(dated), LogisticRegression())
    return _on_people(estimator, columns=["since", "member"])


class Threshold(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A class of the user's own: `predict` and nothing else."""

    def fit(self, x: np.ndarray, y: object = None) -> Threshold:
        """Note the width."""
        self.n_features_in_ = x.shape[1]
        return self

    def predict(self, x: np.ndarray) -> list[str]:
        """High or low, by the first column."""
        return ["high" if value > 0 else "low" for value in x[:, 0]]


class Sum:
    """A class of the user's own without any of scikit-learn's attributes."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The sum of the columns."""
        return np.asarray(x.sum(axis=1))


def _unnamed() -> Case:
    x, _ = numbers()
    return Case(Sum(), pd.DataFrame(x, columns=[*"abcd"]), x, {"columns": (*"abcd",)})


def _texts(y: np.ndarray) -> np.ndarray:
    return np.asarray(np.array(["low", "mid", "high"])[y])


def _three() -> np.ndarray:
    return numbers()[1]


def _two() -> np.ndarray:
    return np.asarray(numbers()[1] > 0).astype(int)


def _pair() -> np.ndarray:
    return np.asarray(numbers()[0][:, :2] * 2 + 1)


CASES: dict[str, Callable[[], Case]] = {
    "logistic regression on strings, numbers and nulls": lambda: _on_people(
        _frame_pipeline(LogisticRegression(max_iter=500))
    ),
    "gradient boosting with categories from dtype": _categories,
    "gradient boosting with encoded categories": _ordinal,
    "imputed texts": _imputed_texts,
    "texts with None": _none_texts,
    "dates and booleans through a function": _dates,
    "string classes": lambda: _on_matrix(RandomForestClassifier(7, random_state=0), _texts(_three())),
    "boolean classes": lambda: _on_matrix(KNeighborsClassifier(4), _two().astype(bool)),
    "float classes": lambda: _on_matrix(GaussianNB(), _two().astype(float)),
    "probabilities": lambda: _on_matrix(GaussianNB(), probabilities=True),
    "plain ridge": lambda: _on_matrix(Ridge(), numbers()[0][:, 2]),
    "tree regressor": lambda: _on_matrix(DecisionTreeRegressor(random_state=0), numbers()[0][:, 2]),
    "gradient boosting regressor": lambda: _on_matrix(
        GradientBoostingRegressor(n_estimators=5), numbers()[0][:, 2]
    ),
    "vector field": _vector,
    "float32 forest": _float32,
    "names that Avro can't hold": _awkward_names,
    "isolation forest": lambda: _on_matrix(IsolationForest(n_estimators=10, random_state=0)),
    "one-class SVM": lambda: _on_matrix(OneClassSVM()),
    "local outlier factor": lambda: _on_matrix(LocalOutlierFactor(novelty=True)),
    "k-means": lambda: _on_matrix(KMeans(3, n_init=1, random_state=0)),
    "multi-output classifier": lambda: _on_matrix(
        MultiOutputClassifier(LogisticRegression()), np.column_stack([_three(), _two()])
    ),
    "multi-label forest": lambda: _on_matrix(
        RandomForestClassifier(5, random_state=0), np.column_stack([_two(), 1 - _two()])
    ),
    "multi-output regressor": lambda: _on_matrix(MultiOutputRegressor(Ridge()), _pair()),
    "SVC": lambda: _on_matrix(SVC()),
    "SVC one against one": lambda: _on_matrix(SVC(decision_function_shape="ovo")),
    "calibrated SVC": lambda: _on_matrix(CalibratedClassifierCV(LinearSVC(), cv=2)),
    "ridge classifier": lambda: _on_matrix(RidgeClassifier(), _two()),
    "linear SVC, three classes": lambda: _on_matrix(LinearSVC(), _texts(_three())),
    "hinge": lambda: _on_matrix(SGDClassifier(random_state=0)),
    "tuned threshold": lambda: _on_matrix(
        FixedThresholdClassifier(LogisticRegression(), threshold=0.2), _two()
    ),
    "neural network": lambda: _on_matrix(MLPClassifier((5,), max_iter=20, random_state=0)),
    "grid search": lambda: _on_matrix(GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2)),
    "selection before a model": lambda: _on_matrix(make_pipeline(SelectKBest(k=2), LogisticRegression())),
    "soft voting": lambda: _on_matrix(
        VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())], voting="soft")
    ),
    "hard voting": lambda: _on_matrix(VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())])),
    "stacking": lambda: _on_matrix(StackingClassifier([("a", GaussianNB())], LogisticRegression(), cv=2)),
    "dummy": lambda: _on_matrix(DummyClassifier(), _two()),
    "predict only": lambda: _on_matrix(Threshold()),
    "nothing but predict": _unnamed,
}


CASES_BY_TURNS = [
    pytest.param(name, marks=() if i % 2 == 0 else pytest.mark.slow) for i, name in enumerate(CASES)
]
"""Every other one in the default run; CI has all."""


def expected_answers(case: Case, package: Package) -> dict[str, list[Any]]:
    """What the estimator itself says, by the contract's field names."""
    estimator: Any = case.estimator
    x: Any = case.x
    manifest = package.manifest
    predicted = np.asarray(estimator.predict(x))
    name = {
        "regressor": "value", "multi-regressor": "values", "multi-classifier": "labels"
    }.get(manifest.task, "label")  # fmt: skip
    expected = {name: predicted.tolist()}
    if manifest.task == "outlier":
        expected["score"] = estimator.decision_function(x).tolist()
    elif hasattr(estimator, "predict_proba") and manifest.task == "classifier":
        proba = estimator.predict_proba(x)
        which = [list(estimator.classes_).index(label) for label in predicted]
        binary = proba.shape[1] == 2
        expected["score"] = [row[1] if binary else row[i] for row, i in zip(proba, which, strict=True)]
        if manifest.probabilities:
            expected["probabilities"] = proba.tolist()
    elif hasattr(estimator, "decision_function") and manifest.task == "classifier":
        scores = estimator.decision_function(x)
        which = [list(estimator.classes_).index(label) for label in predicted]
        if scores.ndim == 1:
            expected["score"] = scores.tolist()
        # One against one has a column per pair of classes: no label's score.
        elif getattr(estimator, "decision_function_shape", "ovr") == "ovr":
            expected["score"] = [row[i] for row, i in zip(scores, which, strict=True)]
    return expected
