"""Which columns an estimator says it takes, wherever its library keeps the names."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
import xgboost
from catboost import CatBoost, CatBoostClassifier, CatBoostRegressor
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, RegressorChain
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from stream.scoring import KnownColumns
from stream.scoring.known_columns import known_columns

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(RNG.normal(size=(40, 3)), columns=["b x", "a", "c"])
NAMES = ("b x", "a", "c")
TWO = (FRAME["a"] > 0).astype(int)
THREE = pd.cut(FRAME["a"], 3, labels=["low", "mid", "high"]).astype(object)
PAIR = np.column_stack([TWO, FRAME["c"] > 0]).astype(int)
NUMBER = FRAME["a"] * 2
TEXTS = pd.Series(["great flight", "awful flight", "good crew", "bad food"] * 10, name="review")


def _cat(**options: Any) -> CatBoostClassifier:
    return CatBoostClassifier(iterations=1, verbose=0, allow_writing_files=False, thread_count=1, **options)


def _cat_number() -> CatBoostRegressor:
    return CatBoostRegressor(iterations=1, verbose=0, allow_writing_files=False, thread_count=1)


def _lgb() -> lightgbm.LGBMClassifier:
    return lightgbm.LGBMClassifier(n_estimators=1, verbose=-1, n_jobs=1)


class Own(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A step of one's own, which keeps nothing of its columns."""

    def fit(self, x: pd.DataFrame, y: object = None) -> Own:
        """Nothing is learned."""
        return self

    def transform(self, x: Any) -> Any:
        """As it was."""
        return x


HOLDERS: dict[str, tuple[Any, Any]] = {
    "catboost": (_cat(), TWO),
    "catboost of no task": (CatBoost({"iterations": 1, "verbose": 0, "allow_writing_files": False}), TWO),
    "xgboost": (xgboost.XGBClassifier(n_estimators=1, n_jobs=1), TWO),
    "passthrough": (make_pipeline("passthrough", _cat()), TWO),
    "function without a function": (make_pipeline(FunctionTransformer(), _cat()), TWO),
    "sampler": (make_sampling_pipeline(RandomOverSampler(random_state=0), _cat()), TWO),
    "grid": (GridSearchCV(_cat(), {"depth": [2]}, cv=2), TWO),
    "random search": (RandomizedSearchCV(_cat(), {"depth": [2]}, n_iter=1, cv=2), TWO),
    "halving": (HalvingGridSearchCV(_cat(), {"depth": [2]}, cv=2), TWO),
    "vote": (VotingClassifier([("a", _cat()), ("b", _lgb())]), TWO),
    "vote whose first part is LightGBM": (VotingClassifier([("b", _lgb()), ("a", _cat())]), TWO),
    "stack": (StackingClassifier([("a", _cat())], cv=2), TWO),
    "calibration": (CalibratedClassifierCV(_cat(), cv=2), TWO),
    "bagging": (BaggingClassifier(_cat(), 2, max_features=2), TWO),
    "one against the rest": (OneVsRestClassifier(_cat()), THREE),
    "one against one": (OneVsOneClassifier(_cat()), THREE),
    "outputs": (MultiOutputClassifier(_cat()), PAIR),
    "chain": (ClassifierChain(_cat()), PAIR),
    "chain of numbers": (RegressorChain(_cat_number()), PAIR),
    "target": (TransformedTargetRegressor(_cat_number(), func=np.sinh, inverse_func=np.arcsinh), NUMBER),
    "tuned threshold": (TunedThresholdClassifierCV(_cat(), cv=2), TWO),
    "fixed threshold": (FixedThresholdClassifier(_cat(), threshold=0.4), TWO),
    "self-training": (SelfTrainingClassifier(_cat()), TWO),
    "two levels": (GridSearchCV(make_pipeline("passthrough", CalibratedClassifierCV(_cat(), cv=2)),
                                {"calibratedclassifiercv__method": ["sigmoid"]}, cv=2), TWO),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", HOLDERS)
def test_names_are_found_wherever_a_part_keeps_them(name: str) -> None:
    """As the owner's table has them, in the order in which it was fitted."""
    estimator, answers = HOLDERS[name]

    assert KnownColumns("table", NAMES, 3) == known_columns(estimator.fit(FRAME, answers))


@pytest.mark.parametrize("columns", [None, [0, 1, 2]], ids=["array", "numbered columns"])
@pytest.mark.parametrize(
    "estimator",
    [_cat(), _lgb(), xgboost.XGBClassifier(n_estimators=1, n_jobs=1), make_pipeline(StandardScaler(), _cat()),
     CalibratedClassifierCV(_cat(), cv=2)],
    ids=["catboost", "lightgbm", "xgboost", "pipeline", "calibration"],
)  # fmt: skip
def test_names_that_a_library_made_up_are_not_the_owners(estimator: Any, columns: list[int] | None) -> None:
    """The number of columns is all that it knows."""
    x = FRAME.to_numpy() if columns is None else pd.DataFrame(FRAME.to_numpy(), columns=columns)
    known = known_columns(estimator.fit(x, TWO))

    assert ("array", None, 3) == (known.taken, known.names, known.width)


def test_lightgbm_writes_underscores_for_blanks() -> None:
    """In the class that follows scikit-learn and in its booster."""
    model = _lgb().fit(FRAME, TWO)

    expected = KnownColumns("table", ("b_x", "a", "c"), 3, mangled=True)
    assert [expected, expected] == [known_columns(model), known_columns(model.booster_)]


def test_xgboosts_booster_keeps_names_too() -> None:
    """As its class does."""
    booster = xgboost.XGBClassifier(n_estimators=1, n_jobs=1).fit(FRAME, TWO).get_booster()

    assert NAMES == known_columns(booster).names


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ a + c", ("a", "c")),
        ("y ~ np.log(a + 99) * Q('b x')", ("a", "b x")),
        ("y ~ I(c > 0) + C(g, Treatment(reference='u'))", ("c", "g")),
    ],
)
def test_formula_takes_the_columns_that_it_names(formula: str, expected: tuple[str, ...]) -> None:
    """Not those of the design matrix that it makes of them."""
    frame = FRAME.assign(y=NUMBER, g=["u", "v"] * 20)

    assert expected == known_columns(smf.ols(formula, frame).fit()).names


def test_statsmodels_says_its_columns_with_the_constant() -> None:
    """Of a table; of an array it makes names up."""
    table, array = sm.add_constant(FRAME), sm.add_constant(FRAME.to_numpy())

    assert ("const", *NAMES) == known_columns(sm.OLS(NUMBER, table).fit()).names
    assert (None, 4) == (
        (known := known_columns(sm.OLS(NUMBER.to_numpy(), array).fit())).names,
        known.width,
    )


@pytest.mark.parametrize(
    "first",
    [TfidfVectorizer(), CountVectorizer(), HashingVectorizer(n_features=8),
     FeatureUnion([("words", TfidfVectorizer()), ("letters", TfidfVectorizer(analyzer="char"))])],
    ids=lambda first: type(first).__name__,
)  # fmt: skip
@pytest.mark.parametrize("searched", [False, True])
def test_vectorizer_that_is_asked_first_reads_texts(first: Any, searched: bool) -> None:
    """Also within a union and a search."""
    model = make_pipeline(first, LogisticRegression())
    if searched:
        model = GridSearchCV(model, {"logisticregression__C": [1.0]}, cv=2)
    known = known_columns(model.fit(TEXTS, TWO))

    assert ("texts", True) == (known.taken, known.reads_texts)


def test_step_of_ones_own_before_a_vectorizer_is_unknown() -> None:
    """It may take a table or a sequence of texts; what comes behind it reads texts."""
    known = known_columns(make_pipeline(Own(), TfidfVectorizer(), LogisticRegression()).fit(TEXTS, TWO))

    assert ("unknown", None, True) == (known.taken, known.width, known.reads_texts)


def test_model_of_dicts_is_known_as_one() -> None:
    """Its own feature names are those of its output."""
    model = make_pipeline(DictVectorizer(), Ridge()).fit(FRAME.to_dict("records"), NUMBER)

    assert KnownColumns("dicts") == known_columns(model)


def test_names_behind_a_step_of_ones_own_are_not_taken_for_the_inputs() -> None:
    """The step may have changed the columns."""
    known = known_columns(make_pipeline(Own(), _cat()).fit(FRAME, TWO))

    assert (None, NAMES, "unknown") == (known.names, known.inner, known.taken)


def test_parts_that_disagree_are_both_named() -> None:
    """A vote put together by hand from models of two tables."""
    one = FrozenEstimator(Ridge().fit(FRAME, NUMBER))
    other = FrozenEstimator(Ridge().fit(FRAME.rename(columns={"c": "d"}), NUMBER))
    vote = VotingClassifier([("one", one), ("other", other)])
    vote.estimators_ = [one, other]
    known = known_columns(vote)

    assert (NAMES, ("b x", "a", "d")) == (known.names, known.others)
