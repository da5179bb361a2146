"""The compiled engine answers as the estimator itself does, and is silent where it is not certain."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier

from stream.compiled import CompiledWay, open_way, prove_engine
from stream.compiled.engine_graph import engine_graph
from stream.compiled.trial_rows import trial_rows
from stream.manifest import Compilation, Feature, Manifest
from stream.scoring import Model, Scored, Trial, columns_of
from stream.store import PackRequest, open_package, pack
from tests.unit.compiled.graph_cases import (
    FRAME,
    MIXED,
    NUMBER,
    NUMBERS,
    PLAIN,
    TEXTS,
    THREE,
    TWO,
    WHOLE,
    contract,
    scaled,
)

QUICK = (
    "boosting, two classes",
    "logistic, three classes, filled texts",
    "random forest",
    "LightGBM, two classes",
)
"""Those that the default run has time for."""

LIGHTGBM = {
    "LightGBM, two classes": (LGBMClassifier(n_estimators=9, min_child_samples=3, verbose=-1), TWO),
    "LightGBM, three classes": (LGBMClassifier(n_estimators=4, min_child_samples=3, verbose=-1), THREE),
    **{
        f"LightGBM, {objective}": (
            LGBMRegressor(n_estimators=5, min_child_samples=3, objective=objective, verbose=-1),
            NUMBER,
        )
        for objective in ("regression", "poisson", "quantile")
    },
}

KINDS = [
    pytest.param(name, frame, case, id=name, marks=() if name in QUICK else pytest.mark.slow)
    for frame, cases in ((FRAME, MIXED), (WHOLE[NUMBERS], PLAIN), (FRAME[NUMBERS], LIGHTGBM))
    for name, case in cases.items()
]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A fitted estimator, and the way through its graph."""

    estimator: Any
    manifest: Manifest
    compiled: Compilation
    way: CompiledWay | None

    @property
    def model(self) -> Model:
        """Asked through the graph, whatever the number of rows."""
        model = Model(self.estimator, self.manifest)
        assert self.way is not None, self.compiled.reason
        self.way.most_rows = 10**6
        model.ways = (Trial(self.way, self.manifest, passed=True), *model.ways)
        return model


def _compiled(estimator: Any, frame: pd.DataFrame, target: Any) -> Compiled:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that don't converge
        fitted = clone(estimator).fit(frame, target)
    manifest = contract(fitted, frame, target)
    manifest = replace(manifest, probabilities=manifest.score == "predict_proba")
    content, compiled = prove_engine(Model(fitted, manifest), *_asked(frame.head(25), manifest))
    return Compiled(fitted, manifest, compiled, None if content is None else open_way(content, manifest))


def _asked(frame: pd.DataFrame, manifest: Manifest) -> tuple[dict[str, pa.Array], int]:
    """Rows as a decoder gives them."""
    rows = frame.astype(object).where(frame.notna(), None)
    events: list[dict[str, object]] = [
        {
            str(name): None if value is None else bool(value) if name == "flag" else value
            for name, value in row.items()
        }
        for row in rows.to_dict("records")
    ]
    return columns_of(events, manifest.features), len(events)


def _odd_rows(frame: pd.DataFrame, count: int = 300) -> pd.DataFrame:
    """Rows of which some values are extreme, missing where that is allowed, or never seen."""
    chance = np.random.default_rng(5)
    rows = frame.sample(count, replace=True, random_state=1).reset_index(drop=True)
    for name in rows.columns:
        odd = chance.random(count) < 0.2
        nothing = [None] if frame[name].isna().any() else []
        pool: list[Any] = [*nothing, "", "nowhere", "rome"] if name in TEXTS else []
        pool = pool or [*nothing, 0.0, -0.0, 1e-310, 7.5, -1e9, 1e12]
        picked = [pool[i] for i in chance.integers(0, len(pool), count)]
        if name != "flag":
            rows[name] = [
                new if is_odd else old for new, old, is_odd in zip(picked, rows[name], odd, strict=True)
            ]
    return rows


@pytest.mark.parametrize(("name", "frame", "case"), KINDS)
def test_every_kind_of_model_is_compiled_and_answers_odd_rows_as_itself(
    name: str, frame: pd.DataFrame, case: tuple[Any, Any]
) -> None:
    """The oracle is the estimator, asked with a DataFrame; labels are equal, numbers to 1e-12."""
    made = _compiled(case[0], frame, case[1])
    columns, n = _asked(_odd_rows(frame), made.manifest)

    assert _certain_and_equal(made, columns, n) > n // 4


def _certain_and_equal(made: Compiled, columns: dict[str, pa.Array], n: int) -> int:
    """How many rows the graph answers: each as the estimator does; and so does the model, which leaves it the rest."""
    assert made.way is not None, made.compiled.reason
    plain = Model(made.estimator, made.manifest)
    plain.ways = ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown categories, of sums that overflow
        expected, found = plain.score(columns, n), made.model.score(columns, n)
    answers, certain = made.way.answered(columns)
    rows = np.array(list(expected.rows), np.intp)

    assert list(expected.rows) == list(found.rows)
    assert set(np.flatnonzero(certain)) <= set(rows)
    for field, column in expected.columns.items():
        _assert_equal(column.to_pylist(), found.columns[field].to_pylist())
        kept = certain[rows]
        own = np.asarray(answers[field])[rows][kept]
        _assert_equal([one for one, keep in zip(column.to_pylist(), kept, strict=True) if keep], own.tolist())
    return int(certain.sum())


def _assert_equal(expected: list[Any], found: list[Any]) -> None:
    """Labels exactly, numbers to 1e-12."""
    if isinstance(expected[0], (float, list)):
        known = np.array(expected, np.float64)
        gap = np.abs(known - np.array(found, np.float64))
        assert (gap / np.maximum(1.0, np.abs(known))).max() <= 1e-12
    else:
        assert expected == found


SUMS = {
    "linear": (Ridge(), NUMBER),
    "scaled": (scaled(LinearSVR(random_state=0)), NUMBER),
    "components": (make_pipeline(StandardScaler(), PCA(2), Ridge()), NUMBER),
    "perceptron": (PLAIN["MLPRegressor"][0], NUMBER),
    "decision": (RidgeClassifier(), TWO),
}


@pytest.mark.parametrize(("estimator", "target"), SUMS.values(), ids=SUMS)
def test_large_numbers_that_cancel_out_are_left_to_the_estimator(estimator: Any, target: Any) -> None:
    """What is left of such a sum is what each library has rounded: another number, or another label."""
    names = ["x", "y", "n"]
    made = _compiled(estimator, WHOLE[names], target)
    chance = np.random.default_rng(2)
    sizes = 10.0 ** chance.integers(0, 21, (600, 1))
    frame = pd.DataFrame(sizes * chance.choice([-1.0, -0.7, 1.0], (600, 3)), columns=names)
    columns, n = _asked(frame, made.manifest)

    assert _certain_and_equal(made, columns, n) > 20


@pytest.mark.parametrize("size", [1, 7])
def test_row_answers_the_same_alone_and_among_others(size: int) -> None:
    """The graph's sums don't depend on the batch."""
    made = _compiled(*_case("boosting, two classes"))
    columns, n = _asked(FRAME.head(21), made.manifest)
    assert made.way is not None
    whole, _ = made.way.answered(columns)

    parts = [
        made.way.answered({path: column.slice(start, size) for path, column in columns.items()})[0]
        for start in range(0, n, size)
    ]

    assert whole["score"].tolist() == [score for part in parts for score in part["score"].tolist()]


def _case(name: str) -> tuple[Any, pd.DataFrame, Any]:
    estimator, target = MIXED[name]
    return estimator, FRAME, target


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e31, np.nan])
def test_number_that_was_not_tried_is_left_to_the_estimator(value: float) -> None:
    """Logistic regression refuses NaN and infinity, where its graph would give a number."""
    made = _compiled(LogisticRegression(), WHOLE[["x", "y"]], TWO)
    columns = {"x": pa.array([1.0, value]), "y": pa.array([1.0, 2.0])}
    assert made.way is not None
    made.way.most_rows = 10

    assert made.way.read(columns) is None
    assert [True, False] == made.way.answered(columns)[1].tolist()
    assert [0] == [*made.model.score(columns, 2).rows][:1]


def test_every_value_that_may_be_missing_is_tried_however_many_thresholds_there_are() -> None:
    """One that was not tried would be left to the estimator, and its whole batch with it."""
    names = [f"x{number}" for number in range(20)]
    features = tuple(Feature(name, name, "double", "number", nullable=True) for name in names)
    manifest = Manifest("m", 1, "", "regressor", "frame", features, len(features))
    golden = {name: pa.array([1.0, 2.0]) for name in names}
    thresholds = {place: np.linspace(0.0, 1.0, 300) for place in range(20)}

    rows = trial_rows(manifest, golden, 2, thresholds, {}, {})

    assert {(place, "missing") for place in range(20)} == set(rows.doubtful.values())
    assert all(
        rows.columns[names[place]][row].as_py() is None or np.isnan(rows.columns[names[place]][row].as_py())
        for row, (place, _) in rows.doubtful.items()
    )


@pytest.mark.parametrize(("filled", "tried"), [(0, 83), (300, 600)], ids=["none", "half of the columns"])
def test_wide_model_that_refuses_the_first_missing_values_is_not_asked_for_the_others(
    filled: int, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that it refuses costs a call of its own; the graph leaves all of them to it."""
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 600)), columns=[f"x{i}" for i in range(600)]
    )
    head = ColumnTransformer(
        [("filled", SimpleImputer(), list(frame.columns[:filled]))], remainder=StandardScaler()
    )
    asked: set[str] = set()
    score = Model.score

    def noted(model: Model, columns: Any, n: int) -> Scored:
        asked.update(name for name, column in columns.items() if pc.any(pc.is_nan(column)).as_py())
        return score(model, columns, n)

    monkeypatch.setattr(Model, "score", noted)

    made = _compiled(make_pipeline(head, LogisticRegression()), frame, TWO[:30])

    assert made.way is not None, made.compiled.reason
    last = {name: pa.array([np.nan if name == "x599" else 0.0]) for name in frame.columns}
    assert (tried, [False]) == (len(asked), made.way.answered(last)[1].tolist())


def test_text_that_an_encoder_refuses_is_left_to_the_estimator() -> None:
    """`handle_unknown="error"` raises for a text that it has not seen; the row is a dead letter, as ever."""
    made = _compiled(*_case("boosting behind ordinals"))
    strict = clone(made.estimator)
    strict.steps[0][1].transformers[0][1].set_params(handle_unknown="error", unknown_value=None)
    made = _compiled(strict, FRAME, MIXED["boosting behind ordinals"][1])
    columns, n = _asked(FRAME.head(2).assign(city=["rome", "nowhere"]), made.manifest)

    scored = made.model.score(columns, n)

    assert ([0], ["model_raised"]) == (list(scored.rows), [fault.reason for fault in scored.faults.values()])


def test_tie_between_two_classes_is_left_to_the_estimator() -> None:
    """Half of the trees say one, half the other: rounding alone would make the label."""
    frame = pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0] * 5, "y": [0.0, 1.0] * 10})
    made = _compiled(DecisionTreeClassifier(), frame[["x"]], np.array(["no", "yes"] * 10))
    assert made.way is None  # its golden rows are all ties

    assert "it would leave every golden row to the estimator" == made.compiled.reason


class Clipped(BaseEstimator):  # type: ignore[misc]
    """Somebody's own estimator, for which there is no graph."""

    classes_ = np.array(["no", "yes"])

    def fit(self, x: Any, y: Any) -> Clipped:
        """Nothing is learned."""
        return self

    def predict_proba(self, x: Any) -> Any:
        """The first column, between 0 and 1."""
        share = np.clip(np.asarray(x, np.float64)[:, 0], 0, 1)
        return np.column_stack([1 - share, share])

    def predict(self, x: Any) -> Any:
        """By the larger one."""
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (KNeighborsClassifier(), "there is no graph for KNeighborsClassifier"),
        (Clipped(), f"there is no graph for {__name__}.Clipped"),
        (
            make_pipeline(FunctionTransformer(np.abs), LogisticRegression()),
            "there is no graph for FunctionTransformer",
        ),
    ],
    ids=["neighbours", "own class", "own function"],
)
def test_model_without_a_graph_says_why(estimator: Any, reason: str) -> None:
    """Nothing is guessed: the estimator itself answers."""
    made = _compiled(estimator, WHOLE[["x", "y"]], TWO)

    assert (None, Compilation(reason=reason)) == (made.way, made.compiled)


def test_graph_that_answers_otherwise_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """One leaf is off by 1e-9; the row is named."""

    def off(estimator: Any, *rest: Any) -> Any:
        other = clone(estimator).set_params(learning_rate=0.1000001).fit(FRAME[["x", "y"]], TWO)
        return engine_graph(other, *rest)

    monkeypatch.setattr("stream.compiled.engine_proof.engine_graph", off)

    made = _compiled(HistGradientBoostingClassifier(max_iter=5), FRAME[["x", "y"]], TWO)

    assert made.way is None
    assert "rows are answered otherwise, such as x = " in made.compiled.reason


def test_categories_of_lightgbm_are_codes(tmp_path: Path) -> None:
    """One that it has not seen goes the way of a missing one, and numbers next to 0 are 0."""
    frame = FRAME.assign(kind=FRAME["kind"].astype("category"))[["kind", "x", "y"]]
    model = LGBMClassifier(n_estimators=9, min_child_samples=3, verbose=-1).fit(frame, TWO)
    packed = pack(model, PackRequest("m", tmp_path / "m"), sample=frame)
    asked = [{"kind": kind, "x": x, "y": 3.0} for kind in ("a", "nowhere", None) for x in (1e-36, -1.0, 61.0)]
    opened = open_package(tmp_path / "m", engine="auto")
    columns = columns_of(asked, opened.manifest.features)
    [way, *_] = opened.model.ways
    plain = Model(opened.model.estimator, opened.manifest)
    plain.ways = ()

    found = way.way.read(columns)

    assert packed.messages[-1].startswith("compiled graph, equal on ")
    assert found is not None
    expected = plain.score(columns, len(asked)).columns
    assert expected["label"].to_pylist() == found["label"].tolist()
    assert np.abs(expected["score"].to_numpy() - np.asarray(found["score"], np.float64)).max() <= 1e-12
