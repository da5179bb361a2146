"""What is inside an estimator, and which of it answers."""

from __future__ import annotations

import pandas as pd
import pytest
from feature_engine.wrappers import SklearnTransformerWrapper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from stream.scoring.fitted_parts import answering, inside, walk

NAMES = ("n", "a")
FRAME = pd.DataFrame({"n": range(16), "a": pd.Series([*"xxyy"] * 4, dtype=object)})
LABELS = [0, 1] * 8


def _search() -> GridSearchCV:
    scaled = FeatureUnion([("standard", StandardScaler()), ("range", MinMaxScaler())])
    columns = ColumnTransformer([("t", OneHotEncoder(), ["a"]), ("n", scaled, [0])])
    pipeline = make_pipeline(columns, PCA(2), LogisticRegression())
    return GridSearchCV(pipeline, {"logisticregression__C": [1.0]}, cv=2).fit(FRAME, LABELS)


def test_walk_comes_through_searches_pipelines_transformers_and_unions() -> None:
    """Each part comes before what it holds, with the columns that it sees."""
    found = [(type(part.estimator).__name__, part.columns) for part in walk(_search(), NAMES)]

    assert [
        ("GridSearchCV", NAMES),
        ("Pipeline", NAMES),
        ("ColumnTransformer", NAMES),
        ("OneHotEncoder", ("a",)),
        ("FeatureUnion", ("n",)),
        ("StandardScaler", ("n",)),
        ("MinMaxScaler", ("n",)),
        ("PCA", NAMES),
        ("LogisticRegression", NAMES),
    ] == found


def test_answering_part_is_the_last_step_of_a_searchs_best() -> None:
    """An estimator of one piece answers itself; an encoder that gradient boosting holds does not answer for it."""
    boosting = HistGradientBoostingClassifier(categorical_features=["a"]).fit(FRAME, LABELS)

    assert "LogisticRegression" == type(answering(_search())).__name__
    assert ["ColumnTransformer"] == [type(part.estimator).__name__ for part in inside(boosting, NAMES)]
    assert boosting is answering(boosting)


def _linear() -> Pipeline:
    return make_pipeline(ColumnTransformer([("t", OneHotEncoder(), ["a"])]), LogisticRegression())


_THREE = [0, 1, 2, 0] * 4
_TWICE = [[0, 1], [1, 0]] * 8


@pytest.mark.parametrize(
    ("wrapper", "target"),
    [
        (VotingClassifier([("one", _linear())]), LABELS),
        (StackingClassifier([("one", _linear())]), LABELS),
        (CalibratedClassifierCV(_linear(), cv=2), LABELS),
        (CalibratedClassifierCV(FrozenEstimator(_linear().fit(FRAME, LABELS)), cv=2), LABELS),
        (OneVsRestClassifier(_linear()), _THREE),
        (OutputCodeClassifier(_linear(), random_state=0), _THREE),
        (MultiOutputClassifier(_linear()), _TWICE),
        (TunedThresholdClassifierCV(_linear(), cv=2), [0, 0, 1, 1] * 4),
        (FixedThresholdClassifier(_linear()), LABELS),
        (make_pipeline(VotingClassifier([("one", OneVsRestClassifier(_linear()))])), LABELS),
        (
            TransformedTargetRegressor(
                make_pipeline(ColumnTransformer([("t", OneHotEncoder(), ["a"])]), LinearRegression())
            ),
            LABELS,
        ),
    ],
    ids=lambda case: type(case).__name__ if hasattr(case, "fit") else "",
)
def test_encoder_is_found_inside_whatever_holds_its_pipeline(wrapper: object, target: object) -> None:
    """Votes, stacks, one-vs-rest, calibrations, transformed targets …: each is looked into, and into its parts."""
    fitted = wrapper.fit(FRAME, target)  # type: ignore[attr-defined]
    found = {p.columns for p in walk(fitted, NAMES) if isinstance(p.estimator, OneHotEncoder)}

    assert {("a",)} == found


@pytest.mark.parametrize(
    ("wrapper", "target"),
    [
        (OneVsOneClassifier(LogisticRegression()), _THREE),
        (SelfTrainingClassifier(LogisticRegression()), [0, 1, -1, 0] * 4),
    ],
)
def test_wrappers_that_take_numbers_only_are_looked_into(wrapper: object, target: object) -> None:
    """They refuse texts, but what they hold may still have names of its own."""
    fitted = wrapper.fit(FRAME[["n"]], target)  # type: ignore[attr-defined]

    assert {"LogisticRegression"} == {type(part.estimator).__name__ for part in inside(fitted, ("n",))}


def test_last_of_a_stack_sees_no_column_unless_they_are_passed_to_it() -> None:
    """What it is given are the others' answers."""
    numbers, parts = FRAME[["n"]], [("one", LogisticRegression())]
    stacks = [StackingClassifier(parts, passthrough=given).fit(numbers, LABELS) for given in (False, True)]

    assert [[("n",), ()], [("n",), ("n",)]] == [[p.columns for p in inside(s, ("n",))] for s in stacks]


def test_parts_on_a_choice_of_the_columns_are_said_to_see_only_those() -> None:
    """Bagging draws columns, elimination keeps some, feature-engine's wrapper names them."""
    wide = pd.DataFrame({"n": range(16), "m": [3, 1] * 8})
    names = ("n", "m")
    bagged = BaggingClassifier(LogisticRegression(), 3, max_features=1, random_state=0).fit(wide, LABELS)
    wrapped = SklearnTransformerWrapper(StandardScaler(), variables=["m"]).fit(wide)

    assert [tuple(names[i] for i in drawn) for drawn in bagged.estimators_features_] == [
        part.columns for part in inside(bagged, names)
    ]
    for chosen in (RFE(LogisticRegression(), n_features_to_select=1), RFECV(LogisticRegression(), cv=2)):
        assert [("m",)] == [part.columns for part in inside(chosen.fit(wide, LABELS), names)]
    assert [names] == [
        p.columns for p in inside(SelectFromModel(LogisticRegression()).fit(wide, LABELS), names)
    ]
    assert [("m",)] == [part.columns for part in inside(wrapped, names)]


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(["m"], id="list"),
        pytest.param([False, True], id="mask"),
        pytest.param(pd.Index(["m"]), id="pandas' names"),
        pytest.param(pd.Index([1]), id="pandas' places"),
        pytest.param(pd.Series([False, True]), id="pandas' mask"),
    ],
)
def test_transformer_sees_the_columns_that_it_was_given_however_they_are_listed(chosen: object) -> None:
    """`frame.columns[1:]` and `frame.select_dtypes("number").columns` are pandas' own."""
    wide = pd.DataFrame({"n": range(16), "m": [3, 1] * 8})
    columns = ColumnTransformer([("one", MinMaxScaler(), chosen)]).fit(wide)

    assert [("m",), ("n",)] == [part.columns for part in inside(columns, ("n", "m"))]


def test_template_of_an_ensemble_is_not_one_of_its_parts() -> None:
    """`estimator_` beside `estimators_` was never fitted."""
    boosted = AdaBoostClassifier(n_estimators=2).fit(FRAME[["n"]], LABELS)
    chain = ClassifierChain(LogisticRegression()).fit(FRAME[["n"]], _TWICE)

    assert boosted.estimators_ == [part.estimator for part in inside(boosted, ("n",))]
    assert chain.estimators_ == [part.estimator for part in inside(chain, ("n",))]


def test_subclass_of_a_pipeline_is_looked_into_as_one() -> None:
    """Other libraries' pipelines are scikit-learn's with more to them."""

    class Longer(Pipeline):  # type: ignore[misc]  # scikit-learn has no types
        pass

    last = LogisticRegression()

    assert [False, True] == [p.answers for p in inside(Longer([("a", StandardScaler()), ("b", last)]), ())]
