"""The short way into a pipeline: the DataFrame's own answers, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from stream.manifest import Manifest
from stream.scoring import Model
from tests.unit.scoring.models import feature

ROWS = 400
TEXTS, NUMBERS = ["carrier", "origin"], ["x", "y", "z"]


def _frame(seed: int, missing: Any = None, *, strangers: bool = False) -> pd.DataFrame:
    """Two texts, of which `origin` may be missing, and three numbers, of which `y` may be; the texts stand between."""
    draw = np.random.default_rng(seed)
    carriers = [*"ABCDE", "new"] if strangers else [*"ABCDE"]
    origins = pd.Series(draw.choice(["JFK", "LGA", "EWR", missing], ROWS).astype(object), dtype=object)
    return pd.DataFrame(
        {
            "x": draw.normal(size=ROWS),
            "carrier": pd.Series(draw.choice(carriers, ROWS), dtype=object),
            "y": np.where(draw.random(ROWS) < 0.2, np.nan, draw.normal(size=ROWS)),
            "origin": origins,
            "z": draw.integers(0, 3, ROWS).astype(float),
        }
    )


def _columns(frame: pd.DataFrame) -> dict[str, pa.Array]:
    kinds = {name: pa.string() if name in TEXTS else pa.float64() for name in frame}
    return {str(name): pa.array(frame[name], kind, from_pandas=True) for name, kind in kinds.items()}


def _columns_then(last: Any, *parts: Any, **options: Any) -> Pipeline:
    return Pipeline([("columns", ColumnTransformer(list(parts), **options)), ("last", last)])


IMPUTED = ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS)
ONE_HOT = ("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS)

SHORT: dict[str, Callable[[], Any]] = {
    "dense": lambda: _columns_then(LogisticRegression(), ONE_HOT, IMPUTED, sparse_threshold=0),
    "sparse": lambda: _columns_then(LogisticRegression(), ONE_HOT, IMPUTED, sparse_threshold=1),
    "numbers first": lambda: _columns_then(LogisticRegression(), IMPUTED, ONE_HOT, sparse_threshold=1),
    "positions": lambda: _columns_then(
        LogisticRegression(), ("t", OneHotEncoder(handle_unknown="ignore"), [1, 3]), ("n", SimpleImputer(), [0, 2, 4])
    ),
    "rest": lambda: _columns_then(
        LogisticRegression(), ("t", "drop", TEXTS), remainder=SimpleImputer(add_indicator=True)
    ),
    "refuses strangers": lambda: _columns_then(LogisticRegression(), ("t", OneHotEncoder(), TEXTS), IMPUTED),
    "three steps": lambda: Pipeline(
        [
            ("columns", ColumnTransformer([ONE_HOT, IMPUTED], sparse_threshold=0)),
            ("scale", StandardScaler()),
            ("last", LogisticRegression()),
        ]
    ),
    "ordinal": lambda: _columns_then(
        HistGradientBoostingClassifier(max_iter=5),
        ("t", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), TEXTS),
        ("n", "passthrough", NUMBERS),
    ),
    "boosting": lambda: HistGradientBoostingClassifier(categorical_features=TEXTS, max_iter=5),
}  # fmt: skip


def _model(estimator: Any, *, null: Any = "None", regressor: bool = False) -> Model:
    features = tuple(
        feature(name, "string", "text", null=null) if name in TEXTS else feature(name)
        for name in ("x", "carrier", "y", "origin", "z")
    )
    if regressor:
        return Model(estimator, Manifest("m", 1, "", "regressor", "frame", features, 5))
    rest: dict[str, Any] = {
        "classes": (False, True),
        "answer": "boolean",
        "score": "predict_proba",
        "label": "score",
    }
    return Model(estimator, Manifest("m", 1, "", "classifier", "frame", features, 5, **rest))


def _fitted(estimator: Any, missing: Any = None) -> Any:
    frame = _frame(0, missing)
    return estimator.fit(frame, (frame["x"] + frame["z"] > 1).to_numpy())


@pytest.mark.parametrize("missing", [None, np.nan], ids=["None", "NaN"])
@pytest.mark.parametrize("name", SHORT)
def test_short_way_gives_the_estimators_own_answers(name: str, missing: Any) -> None:
    """After its trial it is asked alone: seen and unseen texts, missing texts and numbers, one row and many."""
    estimator = _fitted(SHORT[name](), missing)
    model = _model(estimator, null="None" if missing is None else "NaN")
    strangers = name != "refuses strangers"
    model.score(_columns(_frame(0, missing)), ROWS)

    for count in (1, 3, ROWS):
        frame = _frame(1, missing, strangers=strangers)[:count]
        (trial,) = model.ways
        assert trial.passed
        answers = trial.way.read(_columns(frame))
        assert answers is not None
        assert estimator.predict_proba(frame)[:, 1].tolist() == pytest.approx(
            answers["score"].tolist(), abs=1e-12
        )
        assert (
            estimator.predict(frame).tolist()
            == model.score(_columns(frame), count).columns["label"].to_pylist()
        )


def test_stranger_that_an_encoder_refuses_is_a_fault_of_its_own_row() -> None:
    """The short way leaves such a batch to the DataFrame, which finds the row."""
    model = _model(_fitted(SHORT["refuses strangers"]()))
    model.score(_columns(_frame(0)), ROWS)
    frame = _frame(1)
    frame.loc[7, "carrier"] = "new"

    scored = model.score(_columns(frame), ROWS)

    assert [7] == list(scored.faults)
    assert "unknown categories" in scored.faults[7].message


def test_regressor_goes_the_short_way_too() -> None:
    """Gradient boosting of a number."""
    frame = _frame(0)
    estimator = HistGradientBoostingRegressor(categorical_features=TEXTS, max_iter=5).fit(frame, frame["x"])
    model = _model(estimator, regressor=True)
    model.score(_columns(frame), ROWS)

    assert [True] == [trial.passed for trial in model.ways]
    assert (
        estimator.predict(frame).tolist() == model.score(_columns(frame), ROWS).columns["value"].to_pylist()
    )


NUMBERS_ONLY: dict[str, Callable[[], Any]] = {
    "scaled": lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    "scaled, perceptron": lambda: make_pipeline(
        SimpleImputer(add_indicator=True), MinMaxScaler(), MLPClassifier(max_iter=20)
    ),
    "two that are not known": lambda: make_pipeline(
        SimpleImputer(), PCA(2), SelectKBest(k=1), LogisticRegression()
    ),
    "handed on": lambda: Pipeline(
        [("as it is", "passthrough"), ("last", HistGradientBoostingClassifier(max_iter=5))]
    ),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=5),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "neighbours": lambda: make_pipeline(SimpleImputer(), KNeighborsClassifier()),
}


def _numbers_only(estimator: Any) -> Model:
    rest: dict[str, Any] = {
        "classes": (False, True),
        "answer": "boolean",
        "score": "predict_proba",
        "label": "score",
    }
    features = tuple(feature(name) for name in NUMBERS)
    return Model(estimator, Manifest("m", 1, "", "classifier", "frame", features, 3, **rest))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", NUMBERS_ONLY)
def test_numbers_only_need_no_frame(name: str) -> None:
    """Where the first steps do to an array what they do to a frame, or the estimator itself does."""
    train = _frame(0)[NUMBERS]
    estimator = NUMBERS_ONLY[name]().fit(train, (train["x"] + train["z"] > 1).to_numpy())
    model = _numbers_only(estimator)
    frame = _frame(1)[NUMBERS]
    model.score(_columns(frame), ROWS)

    (trial,) = model.ways
    assert trial.passed
    for count in (1, 3, ROWS):
        answers = trial.way.read(_columns(frame[:count]))
        assert answers is not None
        expected = estimator.predict_proba(frame[:count])[:, 1].tolist()
        assert expected == pytest.approx(answers["score"].tolist(), abs=1e-12)


@pytest.mark.parametrize(
    "estimator",
    [
        GridSearchCV(
            make_pipeline(SimpleImputer(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2
        ),
        VotingClassifier([("one", HistGradientBoostingClassifier(max_iter=5))], voting="soft"),
        make_pipeline(SimpleImputer().set_output(transform="pandas"), LogisticRegression()),
    ],
    ids=["search", "vote", "pandas"],
)
def test_parts_that_keep_names_need_the_frame(estimator: Any) -> None:
    """An array would make them warn."""
    frame = _frame(0)[NUMBERS]
    model = _numbers_only(estimator.fit(frame, (frame["x"] > 0).to_numpy()))

    assert () == model.ways
    scored = model.score(_columns(frame), ROWS)
    assert estimator.predict_proba(frame)[:, 1].tolist() == scored.columns["score"].to_pylist()


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(ColumnTransformer([("t", OneHotEncoder(min_frequency=5), TEXTS)]), Ridge()),
        make_pipeline(ColumnTransformer([("t", OneHotEncoder(drop="first"), TEXTS)]), Ridge()),
        make_pipeline(
            ColumnTransformer([("n", FunctionTransformer(np.exp), NUMBERS)]), SimpleImputer(), Ridge()
        ),
        make_pipeline(
            ColumnTransformer([("n", SimpleImputer(), NUMBERS)]).set_output(transform="pandas"), Ridge()
        ),
    ],
    ids=["infrequent", "drop", "function", "pandas"],
)
def test_what_is_not_known_has_no_short_way(estimator: Any) -> None:
    """Settings and functions that nobody has compared are left to the DataFrame."""
    frame = _frame(0)
    model = _model(estimator.fit(frame, frame["x"]), regressor=True)

    assert () == model.ways
    assert (
        estimator.predict(frame).tolist() == model.score(_columns(frame), ROWS).columns["value"].to_pylist()
    )


def test_short_way_that_is_wrong_is_never_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trial is the first batch: where it differs from the DataFrame, the DataFrame answers from then on."""
    estimator = _fitted(SHORT["dense"]())
    model = _model(estimator)
    frame = _frame(0)
    expected = estimator.predict_proba(frame)[:, 1].tolist()
    monkeypatch.setattr("stream.scoring.blocks.Numbers.cells", _zeros)

    first, second = (model.score(_columns(frame), ROWS).columns["score"].to_pylist() for _ in range(2))

    assert expected == first
    assert expected == second
    assert () == model.ways


def _zeros(self: Any, columns: Any, numbers: Any) -> Any:
    from stream.scoring.blocks import Cells

    return Cells(np.zeros((ROWS, self.width)))


def test_estimator_is_left_as_it_is() -> None:
    """What the short way needs changed is changed in a copy."""
    estimator = _fitted(SHORT["boosting"]())
    before = dict(vars(estimator))

    _model(estimator).score(_columns(_frame(0)), ROWS)

    assert before.keys() == vars(estimator).keys()
    assert all(vars(estimator)[name] is value for name, value in before.items())
