"""Models that keep their columns elsewhere, or nowhere: packed from rows in another order, they answer as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import statsmodels.api as sm
import statsmodels.formula.api as smf
import xgboost
from catboost import CatBoostClassifier
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.files import events_of, sample_of
from stream.scoring import Scored, columns_of
from stream.store import Package, PackRequest, pack

RNG = np.random.default_rng(11)
FRAME = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["b x", "a", "c"])
SHUFFLED = FRAME.assign(z=1.0)[["z", "c", "a", "b x"]]
TWO = (FRAME["b x"] > 0).astype(int)
THREE = pd.cut(FRAME["b x"], 3, labels=["low", "mid", "high"]).astype(object)
TEXTS = pd.DataFrame({"n": range(40), "review": ["great flight", "awful crew", "good food", None] * 10})


def _packed(estimator: object, folder: Path, sample: pd.DataFrame, **options: Any) -> Package:
    return pack(estimator, PackRequest("m", folder / "m", **options), sample=sample).package


def _scored(package: Package, sample: pd.DataFrame) -> Scored:
    rows = list(events_of(sample_of(sample), RecordSchema(package.features)))
    return package.model.score(columns_of(rows, package.manifest.features), len(rows))


def _labels(estimator: object, folder: Path, sample: pd.DataFrame, **options: Any) -> list[Any]:
    """All answers of the packed model; no row may be a fault."""
    scored = _scored(_packed(estimator, folder, sample, **options), sample)
    assert not scored.faults
    first: list[Any] = next(iter(scored.columns.values())).to_pylist()
    return first


def _cat(**options: Any) -> CatBoostClassifier:
    return CatBoostClassifier(iterations=4, verbose=0, allow_writing_files=False, thread_count=1, **options)


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A step of one's own, which takes columns by name and keeps no names."""

    def __init__(self, *, sums: bool = False) -> None:
        self.sums = sums

    def fit(self, x: pd.DataFrame, y: object = None) -> Doubled:
        """Nothing is learned."""
        return self

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        """Two columns twice as large, with the sign of the sum of all if told so."""
        two = x[["b x", "a"]] * 2
        return two.mul(np.sign(x.sum(axis=1)), axis=0) if self.sums else two


class Lowered(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A step of one's own on a Series of texts."""

    def fit(self, x: pd.Series, y: object = None) -> Lowered:
        """Nothing is learned."""
        return self

    def transform(self, x: pd.Series) -> pd.Series:
        """In small letters."""
        return x.str.lower()


class Holder:
    """An object of one's own around a model, with `predict(df)` and nothing else."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame) -> Any:
        """The model's answers on its three columns."""
        return self.model.predict(frame[["b x", "a", "c"]])


class Lengths:
    """Takes a sequence of texts."""

    def predict(self, texts: Any) -> list[int]:
        """A number for each."""
        return [len(text) for text in texts]


class Hot:
    """Answers whatever it is told to, in any shape."""

    n_features_in_ = 3

    def __init__(self, shape: str) -> None:
        self.shape = shape

    def predict(self, x: Any) -> Any:
        """Of the first column."""
        first = np.asarray(x)[:, 0]
        return {
            "column": first[:, None],
            "table": pd.DataFrame({"p": first}, index=range(7, 7 + len(first))),
            "series": pd.Series(first, index=range(7, 7 + len(first))),
            "list": first.tolist(),
            "objects": np.array([*map(np.float64, first), None], dtype=object)[:-1],
            "nullable": pd.Series(first, dtype="Float64"),
        }[self.shape]


@pytest.mark.parametrize(
    ("estimator", "answers"),
    [
        (_cat(), TWO),
        (_cat(), THREE),
        (make_pipeline("passthrough", _cat()), TWO),
        (make_pipeline(Doubled(), _cat()), TWO),
        (lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=2, verbose=-1, n_jobs=1), TWO),
        (xgboost.XGBClassifier(n_estimators=2, n_jobs=1), TWO),
    ],
    ids=["catboost", "catboost of three", "passthrough", "own step", "lightgbm", "xgboost"],
)
def test_columns_in_another_order_with_strangers_between_give_the_owners_answers(
    estimator: Any, answers: Any, tmp_path: Path
) -> None:
    """Names decide, never positions."""
    estimator.fit(FRAME, answers)

    assert np.ravel(estimator.predict(FRAME)).tolist() == _labels(estimator, tmp_path, SHUFFLED)


def test_booster_publishes_the_numbers_that_it_answers(tmp_path: Path) -> None:
    """LightGBM's takes a table and says probabilities."""
    model = lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=2, verbose=-1, n_jobs=1)
    booster = model.fit(FRAME, TWO).booster_

    assert np.asarray(booster.predict(FRAME)).tolist() == _labels(booster, tmp_path, SHUFFLED)


def test_boosters_of_xgboost_are_refused_with_the_class_that_loads_them(tmp_path: Path) -> None:
    """The hint works: the class answers as the model did."""
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(FRAME, TWO)

    with pytest.raises(PackageError, match="takes no table but a DMatrix") as caught:
        _packed(model.get_booster(), tmp_path, SHUFFLED)
    assert "XGBClassifier(); model.load_model" in str(caught.value)
    model.get_booster().save_model(tmp_path / "m.json")
    loaded = xgboost.XGBClassifier()
    loaded.load_model(tmp_path / "m.json")
    assert model.predict(FRAME).tolist() == _labels(loaded, tmp_path, SHUFFLED)


def test_constant_that_rows_lack_is_refused_with_how_to_give_it(tmp_path: Path) -> None:
    """A column of ones is the events' to hold."""
    model = sm.OLS(TWO, sm.add_constant(FRAME)).fit()

    with pytest.raises(PackageError, match="'const'") as caught:
        _packed(model, tmp_path, SHUFFLED)
    assert "put a column `const` of 1.0" in str(caught.value)
    sample = SHUFFLED.assign(const=1.0)
    np.testing.assert_allclose(
        _labels(model, tmp_path, sample), model.predict(sm.add_constant(FRAME)), rtol=1e-9
    )


def test_formula_model_takes_the_raw_columns(tmp_path: Path) -> None:
    """Its design matrix is its own business."""
    model = smf.ols("y ~ np.log(a + 99) + Q('b x')", FRAME.assign(y=TWO)).fit()

    np.testing.assert_allclose(_labels(model, tmp_path, SHUFFLED), model.predict(FRAME), rtol=1e-9)


@pytest.mark.parametrize("columns", [("b x", "a", "c"), ("b_x", "a", "c")])
def test_object_of_ones_own_gets_a_table_of_the_columns_that_are_named(
    columns: tuple[str, ...], tmp_path: Path
) -> None:
    """With the names of the owner's table, given by these or by the Avro names."""
    holder = Holder(_cat().fit(FRAME, TWO))

    assert TWO.size == len(labels := _labels(holder, tmp_path, SHUFFLED, columns=columns))
    assert np.ravel(holder.predict(FRAME)).tolist() == labels
    with pytest.raises(PackageError, match="neither the names nor the number"):
        _packed(holder, tmp_path, SHUFFLED)


def test_array_model_with_named_columns_gets_an_array(tmp_path: Path) -> None:
    """In the order that is told."""
    model = LogisticRegression().fit(FRAME.to_numpy(), TWO)
    package = _packed(model, tmp_path, SHUFFLED, columns=("b x", "a", "c"))

    assert "matrix" == package.manifest.inputs
    found = _scored(package, SHUFFLED).columns["label"].to_pylist()
    assert model.predict(FRAME.to_numpy()).tolist() == found


def test_names_that_do_not_tell_all_columns_are_refused(tmp_path: Path) -> None:
    """A step of one's own reads a third column, and hands on two with names; without a sample nothing is proven."""
    model = make_pipeline(Doubled(sums=True), LogisticRegression()).fit(FRAME, TWO)

    with pytest.raises(PackageError, match="its answers depend on z, c as well"):
        _packed(model, tmp_path, SHUFFLED)
    fields = [{"name": "b", "type": "double", "feature": "b x"}, {"name": "a", "type": "double"}]
    schema = json.dumps({"type": "record", "name": "R", "fields": fields})
    with pytest.raises(PackageError, match="no sample to prove it on"):
        pack(model, PackRequest("m", tmp_path / "m"), schema=schema)
    assert model.predict(FRAME).tolist() == _labels(model, tmp_path, SHUFFLED, columns=("b x", "a", "c"))


def test_estimator_that_raises_on_every_shape_is_refused_with_what_it_said_to_each(tmp_path: Path) -> None:
    """As a table it lacks a column; an array has no columns by name."""
    model = make_pipeline(Doubled(), LogisticRegression()).fit(FRAME, TWO)

    with pytest.raises(PackageError, match=r"IndexError: .*; as a DataFrame: .* KeyError"):
        _packed(model, tmp_path, SHUFFLED, columns=("z", "c"))


@pytest.mark.parametrize(
    "first", [(TfidfVectorizer(),), (Lowered(), TfidfVectorizer())], ids=["vectorizer", "own step before"]
)
def test_model_of_texts_gets_a_series_and_says_what_it_makes_of_a_missing_one(
    first: tuple[Any, ...], tmp_path: Path
) -> None:
    """The vectorizer raises on it: a dead letter of that row, and never the word None."""
    known = TEXTS.dropna()
    model = make_pipeline(*first, LinearSVC()).fit(known["review"], known["n"] % 4)
    package = _packed(model, tmp_path, TEXTS)
    scored = _scored(package, TEXTS)

    assert "series" == package.manifest.inputs
    assert known["n"].tolist() == list(scored.rows)
    assert model.predict(known["review"]).tolist() == scored.columns["label"].to_pylist()
    assert {"score"} == {fault.stage for fault in scored.faults.values()}


def test_object_of_ones_own_on_texts_gets_the_shape_that_it_answers(tmp_path: Path) -> None:
    """A table of one column has one item: its name."""
    known = TEXTS.dropna()

    assert known["review"].str.len().tolist() == _labels(Lengths(), tmp_path, known, columns=("review",))


def test_estimator_that_answers_single_rows_only_is_refused(tmp_path: Path) -> None:
    """What it says to one row may be an accident: here, the length of the column's name."""

    class Names(Lengths):
        def predict(self, texts: Any) -> list[int]:
            return super().predict(pd.DataFrame(texts))

    globals()["Names"] = Names
    Names.__qualname__ = "Names"
    with pytest.raises(PackageError, match="answers rows one by one only"):
        _packed(Names(), tmp_path, TEXTS.dropna(), columns=("review",))


@pytest.mark.parametrize("shape", ["column", "table", "series", "list", "objects", "nullable"])
def test_answers_of_any_shape_are_published_as_they_are(shape: str, tmp_path: Path) -> None:
    """Columns, tables and lists of one number each."""
    assert FRAME["b x"].tolist() == _labels(Hot(shape), tmp_path, FRAME)


def test_sparse_labels_are_yes_or_no_for_each_class(tmp_path: Path) -> None:
    """As an array of 0 and 1; the classes that the estimator names are its columns."""
    wanted = scipy.sparse.csr_matrix(np.column_stack([TWO, FRAME["a"] > 0, FRAME["c"] > 0]).astype(int))
    model = OneVsRestClassifier(LogisticRegression()).fit(FRAME, wanted)
    package = _packed(model, tmp_path, FRAME)

    assert ("multi-classifier", (0, 1)) == (package.manifest.task, package.manifest.classes)
    expected = model.predict(FRAME).toarray().tolist()
    assert expected == _scored(package, FRAME).columns["labels"].to_pylist()


def test_regressor_of_a_table_with_one_column_is_packed(tmp_path: Path) -> None:
    """Its answers are a table of one column."""
    model = LinearRegression().fit(FRAME, FRAME[["a"]] * 2)

    np.testing.assert_allclose(_labels(model, tmp_path, FRAME), FRAME["a"] * 2, rtol=1e-9)
