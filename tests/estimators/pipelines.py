"""scikit-learn's pipelines: columns of several types, wrappers around them, steps of one's own, texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import CategoricalNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC

from tests.estimators.owned import Owned, air, flights, grade, late, named, numbers, passengers

__all__ = ["PIPELINES"]

MIXED = ("dep_delay", "distance", "temp", "carrier", "tail")


def mixed() -> pd.DataFrame:
    """Two numbers, a nullable one, a text and a nullable text."""
    return flights(*MIXED)


def columns(text: Any = None) -> ColumnTransformer:
    """What most people write first."""
    number = make_pipeline(SimpleImputer(), StandardScaler())
    text = text or make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    return ColumnTransformer([("n", number, list(MIXED[:3])), ("t", text, list(MIXED[3:]))])


def classifier(**options: Any) -> Pipeline:
    """Columns, then logistic regression."""
    return make_pipeline(columns(**options), LogisticRegression(max_iter=1000))


def regressor() -> Pipeline:
    """Columns, then ridge."""
    return make_pipeline(columns(), Ridge())


def _encoded(encoder: Any, chosen: list[str]) -> Any:
    parts = ColumnTransformer([("c", encoder, chosen)], remainder="passthrough")
    return make_pipeline(parts, LogisticRegression(max_iter=2000))


def hour_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Hour, weekday and seconds of a datetime."""
    when = frame["scheduled"]
    return pd.DataFrame({"hour": when.dt.hour, "day": when.dt.day_of_week, "second": when.dt.second})


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """A function of one's own on texts and numbers."""
    return pd.DataFrame({"far": frame["distance"] > 800, "wide": frame["carrier"].isin(["UA", "DL"])}).astype(
        int
    )


class Ratio(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of one's own that knows its columns by name, and keeps none."""

    def fit(self, frame: pd.DataFrame, y: object = None) -> Ratio:
        """Nothing is learned."""
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Delay over distance, and the distance."""
        return np.column_stack([frame["dep_delay"] / frame["distance"], frame["distance"]])

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Rule:
    """An object with `predict` and nothing else, which reads two columns by name."""

    def predict(self, frame: pd.DataFrame) -> list[str]:
        """By delay and origin."""
        return [
            "wait" if delay > 10 and origin != "JFK" else "go"
            for delay, origin in zip(frame["dep_delay"], frame["origin"], strict=True)
        ]


def _rule() -> Owned:
    frame = flights("dep_delay", "origin")
    return Owned(Rule(), frame, frame, {"columns": ("dep_delay", "origin")})


def _ratio() -> Owned:
    frame = flights("dep_delay", "distance")
    fitted = make_pipeline(Ratio(), LogisticRegression()).fit(frame, late())
    return Owned(fitted, frame, frame, {"columns": ("dep_delay", "distance")})


def _worded(estimator: Any, y: pd.Series) -> Owned:
    """Fitted on a Series of texts, whose column it does not name."""
    fitted = estimator.fit(reviews(), y)
    return Owned(fitted, reviews(), reviews().to_frame(), nameless=True)


def reviews() -> pd.Series:
    """Short texts of real routes."""
    frame = flights("carrier", "origin", "dest")
    return pd.Series(
        [f"{a} from {b} to {c}, again and again" for a, b, c in frame.itertuples(index=False)], name="review"
    )


def _sparse_labels() -> Owned:
    several = np.column_stack([late(), (flights("distance")["distance"] > 900).astype(int)])
    from scipy.sparse import csr_matrix

    return named(OneVsRestClassifier(LogisticRegression(max_iter=2000)), numbers(), csr_matrix(several))


def _search(kind: Any, options: dict[str, Any]) -> Owned:
    return named(kind(classifier(), {"logisticregression__C": [0.1, 1.0]}, cv=2, **options), mixed(), late())


def _half_known() -> pd.Series:
    return late().where(np.arange(len(late())) % 3 > 0, -1)


def _selected() -> Any:
    number = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(
        ColumnTransformer(
            [
                ("n", number, make_column_selector(dtype_include="number")),
                (
                    "t",
                    OneHotEncoder(handle_unknown="ignore"),
                    make_column_selector(dtype_exclude=["number", "bool"]),
                ),
            ]
        ),
        LogisticRegression(max_iter=1000),
    )


def _pandas_output() -> Any:
    parts = ColumnTransformer([("c", OrdinalEncoder(), ["carrier"])], remainder="passthrough")
    return make_pipeline(parts, RandomForestClassifier(4, random_state=0)).set_output(transform="pandas")


def _with_text() -> Owned:
    frame = flights("dep_delay").assign(review=reviews())
    parts = ColumnTransformer([("w", CountVectorizer(), "review"), ("n", StandardScaler(), ["dep_delay"])])
    return named(make_pipeline(parts, LogisticRegression(max_iter=1000)), frame, grade())


PIPELINES = {
    "columns, then logistic regression": lambda: named(classifier(), mixed(), late()),
    "columns, then ridge": lambda: named(regressor(), mixed(), air()),
    "columns chosen by type": lambda: named(_selected(), mixed(), grade()),
    "whole-number categories": lambda: named(
        _encoded(OneHotEncoder(handle_unknown="ignore"), ["class"]), passengers(), late()
    ),
    "boolean categories": lambda: named(_encoded(OneHotEncoder(), ["weekend"]), passengers(), late()),
    "whole-number and boolean categories in one encoder": lambda: named(
        _encoded(OrdinalEncoder(), ["class", "weekend"]), passengers(), grade()
    ),
    "categorical naive Bayes": lambda: named(
        CategoricalNB(min_categories=8), passengers()[["class"]], late()
    ),
    "target encoder": lambda: named(
        _encoded(TargetEncoder(cv=2), ["class", "weekend"]), passengers(), late()
    ),
    "ordinal categories with nulls": lambda: named(
        make_pipeline(
            ColumnTransformer(
                [("t", OrdinalEncoder(encoded_missing_value=-1), ["carrier", "tail"])],
                remainder="passthrough",
            ),
            HistGradientBoostingClassifier(max_iter=5),
        ),
        mixed(),
        late(),
    ),
    "missing texts as a category": lambda: named(
        classifier(text=OneHotEncoder(handle_unknown="ignore")), mixed(), late()
    ),
    "missing texts in a soft vote": lambda: named(
        VotingClassifier([("a", classifier()), ("b", classifier(text=OneHotEncoder()))], voting="soft"),
        mixed(),
        grade(),
    ),
    "missing texts in a vote of regressors": lambda: named(
        VotingRegressor([("a", regressor()), ("b", regressor())]), mixed(), air()
    ),
    "missing texts in a stack": lambda: named(
        StackingClassifier([("a", classifier())], LogisticRegression(), cv=2), mixed(), late()
    ),
    "missing texts in a stack of regressors": lambda: named(
        StackingRegressor([("a", regressor())], Ridge(), cv=2, passthrough=False), mixed(), air()
    ),
    "missing texts one against the rest": lambda: named(OneVsRestClassifier(classifier()), mixed(), grade()),
    "one against one": lambda: named(
        OneVsOneClassifier(LogisticRegression(max_iter=2000)), numbers(), grade()
    ),
    "missing texts calibrated": lambda: named(CalibratedClassifierCV(classifier(), cv=2), mixed(), late()),
    "frozen and calibrated": lambda: named(
        CalibratedClassifierCV(FrozenEstimator(classifier().fit(mixed(), late())), cv=2), mixed(), late()
    ),
    "missing texts behind a transformed target": lambda: named(
        TransformedTargetRegressor(regressor(), func=np.log1p, inverse_func=np.expm1), mixed(), air()
    ),
    "missing texts, several values": lambda: named(
        MultiOutputRegressor(regressor()), mixed(), np.column_stack([air(), late()])
    ),
    "missing texts, several labels": lambda: named(
        MultiOutputClassifier(classifier()), mixed(), np.column_stack([late(), 1 - late()])
    ),
    "nested: a calibrated vote": lambda: named(
        CalibratedClassifierCV(VotingClassifier([("a", classifier())], voting="soft"), cv=2), mixed(), late()
    ),
    "chain of classifiers": lambda: named(
        ClassifierChain(LogisticRegression(max_iter=2000)), numbers(), np.column_stack([late(), 1 - late()])
    ),
    "chain of regressors": lambda: named(
        RegressorChain(LinearRegression()), numbers(), np.column_stack([air(), late()])
    ),
    "error-correcting codes": lambda: named(
        OutputCodeClassifier(LogisticRegression(max_iter=2000), random_state=0), numbers(), grade()
    ),
    "grid search": lambda: _search(GridSearchCV, {}),
    "random search": lambda: _search(RandomizedSearchCV, {"n_iter": 1, "random_state": 0}),
    "tuned threshold": lambda: named(TunedThresholdClassifierCV(classifier(), cv=2), mixed(), late()),
    "fixed threshold": lambda: named(FixedThresholdClassifier(classifier(), threshold=0.3), mixed(), late()),
    "self-training": lambda: named(
        SelfTrainingClassifier(LogisticRegression(max_iter=2000)), numbers(), _half_known()
    ),
    "bagging": lambda: named(
        BaggingClassifier(LogisticRegression(max_iter=2000), 3, max_features=2, random_state=0),
        numbers(),
        late(),
    ),
    "recursive elimination": lambda: named(RFE(LogisticRegression(max_iter=2000)), numbers(), late()),
    "selection by a forest": lambda: named(
        make_pipeline(
            SelectFromModel(RandomForestClassifier(4, random_state=0)), LogisticRegression(max_iter=999)
        ),
        numbers(),
        late(),
    ),
    "best columns": lambda: named(make_pipeline(SelectKBest(k=2), LogisticRegression()), numbers(), late()),
    "polynomials and splines": lambda: named(
        make_pipeline(make_union(PolynomialFeatures(2), SplineTransformer()), StandardScaler(), Ridge()),
        numbers(),
        air(),
    ),
    "union with a missing indicator": lambda: named(
        make_pipeline(
            FeatureUnion([("k", KNNImputer()), ("m", MissingIndicator())]), LogisticRegression(max_iter=5000)
        ),
        flights("dep_delay", "distance", "temp"),
        late(),
    ),
    "bins and quantiles": lambda: named(
        make_pipeline(
            make_union(
                KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
                QuantileTransformer(n_quantiles=20),
            ),
            LogisticRegression(),
        ),
        numbers(),
        late(),
    ),
    "random projection": lambda: named(
        make_pipeline(GaussianRandomProjection(2, random_state=0), LogisticRegression()), numbers(), late()
    ),
    "passthrough first": lambda: named(
        make_pipeline("passthrough", LogisticRegression(max_iter=2000)), numbers(), late()
    ),
    "function without names first": lambda: named(
        make_pipeline(FunctionTransformer(), LogisticRegression(max_iter=2000)), numbers(), late()
    ),
    "frames between the steps": lambda: named(_pandas_output(), flights("distance", "carrier"), late()),
    "dates through a function": lambda: named(
        make_pipeline(FunctionTransformer(hour_of), LogisticRegression(max_iter=2000)),
        flights("scheduled"),
        late(),
        columns=("scheduled",),
    ),
    "texts through a function": lambda: named(
        make_pipeline(FunctionTransformer(told), LogisticRegression()),
        flights("distance", "carrier"),
        late(),
        columns=("distance", "carrier"),
    ),
    "a first step of one's own": _ratio,
    "an object with predict alone": _rule,
    "words in a Series": lambda: _worded(make_pipeline(TfidfVectorizer(), LinearSVC()), late()),
    "word counts, naive Bayes": lambda: _worded(make_pipeline(CountVectorizer(), MultinomialNB()), grade()),
    "hashed words": lambda: _worded(
        make_pipeline(HashingVectorizer(n_features=64), SGDClassifier(random_state=0)), late()
    ),
    "words in a search": lambda: _worded(
        GridSearchCV(make_pipeline(TfidfVectorizer(), LinearSVC()), {"linearsvc__C": [1.0]}, cv=2), late()
    ),
    "words in one column of several": _with_text,
    "sparse labels": _sparse_labels,
    "categories from the frame's types": lambda: named(
        HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
        mixed().astype({"carrier": "category", "tail": "category"}),
        late(),
    ),
}
