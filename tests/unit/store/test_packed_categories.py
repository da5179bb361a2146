"""Columns of categories: what the model was fitted on is what it is given, from a sample of any format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from catboost import CatBoostClassifier
from category_encoders import HashingEncoder
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier, VotingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, TargetEncoder
from xgboost import XGBClassifier

from stream.errors import PackageError
from stream.files import read_sample
from stream.scoring import Model, Scored, columns_of
from stream.store import PackRequest, pack

RNG = np.random.default_rng(11)
ROWS = 24
CLASSES = pd.DataFrame(
    {
        "pclass": RNG.integers(1, 4, ROWS),
        "smoker": RNG.random(ROWS) > 0.5,
        "half": RNG.integers(0, 3, ROWS) / 2,
        "age": RNG.integers(1, 80, ROWS),
    }
)
TARGET = ((CLASSES.pclass == 1) | CLASSES.smoker).astype(int).to_numpy()


def packed(estimator: Any, frame: pd.DataFrame, folder: Path, kind: str = "csv") -> Model:
    """A model packed with a sample file of the frame."""
    path = folder / f"rows.{kind}"
    match kind:
        case "csv":
            frame.to_csv(path, index=False)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            frame.to_parquet(path)
    made = pack(estimator, PackRequest("m", out=folder / "package"), sample=read_sample(path))
    return made.package.model


def _scored(model: Model, frame: pd.DataFrame) -> Scored:
    """A frame's rows, as events."""
    fields = {feature.name: feature.path for feature in model.manifest.features}
    events = pa.Table.from_pandas(frame.rename(columns=fields), preserve_index=False).to_pylist()
    return model.score(columns_of(events, model.manifest.features), len(frame))


def published(model: Model, frame: pd.DataFrame) -> list[Any]:
    """What is published for a frame's rows as events: the score, else the value."""
    scored = _scored(model, frame)

    assert not scored.faults
    found: list[Any] = scored.columns["score" if "score" in scored.columns else "value"].to_pylist()
    return found


@pytest.mark.parametrize(
    "kind", ["csv", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("jsonl", "parquet"))]
)
@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder(), TargetEncoder()]
)
def test_numbers_in_an_encoder_stay_numbers(tmp_path: Path, kind: str, encoder: Any) -> None:
    """Whole numbers, booleans and fractions that are categories are not texts, whatever the sample's format."""
    coded = ColumnTransformer([("c", encoder, ["pclass", "smoker", "half"])], remainder="passthrough")
    fitted = make_pipeline(coded, LogisticRegression(max_iter=1000)).fit(CLASSES, TARGET)

    found = published(packed(fitted, CLASSES, tmp_path, kind), CLASSES)

    np.testing.assert_allclose(fitted.predict_proba(CLASSES)[:, 1], found, rtol=1e-12)


class Words(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A step of one's own: every value as pandas writes it, one column for each that was seen."""

    def fit(self, x: pd.DataFrame, y: object = None) -> Words:
        """Learn what there is."""
        self.feature_names_in_ = np.array(x.columns, dtype=object)
        self.seen_ = sorted({f"{name}={value}" for name in x for value in x[name].astype(str)})
        return self

    def transform(self, x: pd.DataFrame) -> np.ndarray:
        """One-hot, by the text of each value."""
        return np.column_stack([
            np.array([f"{name}={value}" == seen for value in x[name].astype(str)])
            for seen in self.seen_ for name in x if seen.startswith(f"{name}=")
        ])  # fmt: skip


def _whole_text(frame: pd.DataFrame) -> pd.DataFrame:
    """A function of one's own, which tells 1, 1.0 and True."""
    found: pd.DataFrame = frame.apply(lambda column: column.astype(str).str.len() + column.astype(float))
    return found


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("csv", Words()),
        pytest.param("jsonl", Words(), marks=pytest.mark.slow),
        pytest.param("parquet", Words(), marks=pytest.mark.slow),
        ("csv", FunctionTransformer(_whole_text)),
        ("csv", FeatureUnion([("words", Words()), ("same", "passthrough")])),
        ("csv", HashingEncoder(cols=["pclass", "smoker"], max_process=1)),
    ],
    ids=["csv", "jsonl", "parquet", "function", "union", "hashing"],
)
def test_step_that_tells_types_is_given_those_of_pandas(tmp_path: Path, kind: str, first: Any) -> None:
    """The text of a whole number has no point, and that of a boolean is `True`."""
    fitted = make_pipeline(first, LogisticRegression(max_iter=1000)).fit(CLASSES, TARGET)
    model = packed(fitted, CLASSES, tmp_path, kind)

    assert ["int64", "bool", "", "int64"] == [feature.dtype for feature in model.manifest.features]
    np.testing.assert_allclose(fitted.predict_proba(CLASSES)[:, 1], published(model, CLASSES), rtol=1e-12)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_booleans_with_gaps_in_an_encoder_are_objects(tmp_path: Path, kind: str) -> None:
    """What stood for a missing one is what the encoder has as a category."""
    rows = CLASSES.astype({"smoker": object})
    rows.loc[::7, "smoker"] = np.nan if kind == "csv" else None
    coded = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["smoker"])], remainder="passthrough"
    )
    fitted = make_pipeline(coded, LogisticRegression(max_iter=1000)).fit(rows, TARGET)

    np.testing.assert_allclose(
        fitted.predict_proba(rows)[:, 1], published(packed(fitted, rows, tmp_path, kind), rows), rtol=1e-12
    )


NATIVE = pd.DataFrame(
    {
        "size": RNG.normal(size=ROWS),
        "city": pd.Categorical(RNG.choice(["Bath", "York", "Ely"], ROWS), ["York", "Ely", "Bath"]),
        "level": pd.Categorical(RNG.integers(1, 4, ROWS)),
    }
)
NATIVE_TARGET = ((NATIVE["city"] == "York") | (NATIVE["level"] == 2)).astype(int).to_numpy()
LIGHT = LGBMClassifier(n_estimators=4, min_child_samples=2, verbose=-1, n_jobs=1)
EXTREME = XGBClassifier(n_estimators=4, enable_categorical=True, n_jobs=1)


def _passing(last: Any) -> Any:
    passed = ColumnTransformer(
        [("n", SimpleImputer(), ["size"])], remainder="passthrough", verbose_feature_names_out=True
    )
    return make_pipeline(passed.set_output(transform="pandas"), last)


@pytest.mark.parametrize(
    ("kind", "estimator"),
    [
        ("csv", LIGHT),
        pytest.param("jsonl", LIGHT, marks=pytest.mark.slow),
        ("parquet", LIGHT),
        ("csv", EXTREME),
        ("jsonl", EXTREME),
        pytest.param("parquet", EXTREME, marks=pytest.mark.slow),
        ("csv", _passing(LIGHT)),
        ("csv", _passing(EXTREME)),
        ("csv", VotingClassifier([("light", LIGHT)], voting="soft")),
        ("csv", HistGradientBoostingClassifier(max_iter=4)),
    ],
    ids=lambda case: case if isinstance(case, str) else type(case).__name__,
)
def test_column_of_native_categories_is_one(tmp_path: Path, kind: str, estimator: Any) -> None:
    """Texts, whole numbers and gaps, in the model's own order of them, from samples that have no categories too."""
    rows = NATIVE.copy()
    rows.loc[::9, "city"] = np.nan
    fitted = estimator.fit(rows, NATIVE_TARGET)

    np.testing.assert_allclose(
        fitted.predict_proba(rows)[:, 1], published(packed(fitted, rows, tmp_path, kind), rows), rtol=1e-6
    )


def test_unknown_category_is_what_the_library_makes_of_it(tmp_path: Path) -> None:
    """To LightGBM it is a missing one, as on the owner's frame; XGBoost has no answer, and only that row is dead."""
    (tmp_path / "light").mkdir()
    light, extreme = LIGHT.fit(NATIVE, NATIVE_TARGET), EXTREME.fit(NATIVE, NATIVE_TARGET)
    rows = NATIVE.head(6).astype({"city": object})
    rows.loc[3, "city"] = "Rye"
    owner = rows.astype({"city": "category"})

    wanted: Any = light.predict_proba(owner)
    of_light = published(packed(light, NATIVE, tmp_path / "light", "parquet"), rows)
    of_extreme = _scored(packed(extreme, NATIVE, tmp_path, "parquet"), rows)

    np.testing.assert_allclose(wanted[:, 1], of_light, rtol=1e-12)
    assert [0, 1, 2, 4, 5] == list(of_extreme.rows)
    assert ["value_out_of_range"] == [fault.reason for fault in of_extreme.faults.values()]
    assert "'Rye' is not among the 3 categories that the model was fitted on" == of_extreme.misfits[3].message


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_native_categories_that_are_booleans_or_fractions_are_kept(tmp_path: Path, kind: str) -> None:
    """LightGBM takes any."""
    rows = CLASSES.astype({"smoker": "category", "half": "category"})
    fitted: Any = LIGHT.fit(rows, TARGET)
    model = packed(fitted, rows, tmp_path, kind)

    assert ["", "bool", "float64", ""] == [feature.dtype for feature in model.manifest.features]
    np.testing.assert_allclose(fitted.predict_proba(rows)[:, 1], published(model, rows), rtol=1e-12)


TEXTS = pd.DataFrame({"size": RNG.normal(size=ROWS), "sex": RNG.choice(["f", "m", "missing"], ROWS)})
TEXTS.loc[TEXTS.sex == "missing", "sex"] = np.nan
TEXTS_TARGET = np.where(TEXTS.sex.isna(), 2, TEXTS.sex == "m").astype(int)


def _coded(last: Any, imputed: bool = True) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    part = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder) if imputed else encoder
    return make_pipeline(ColumnTransformer([("c", part, ["sex"])], remainder="passthrough"), last)


@pytest.mark.parametrize(
    ("wrapper", "imputed"),
    [
        (lambda part: VotingClassifier([("one", part)], voting="soft"), True),
        (lambda part: StackingClassifier([("one", part)], cv=2), False),
        (lambda part: CalibratedClassifierCV(part, cv=2), False),
        (lambda part: VotingClassifier([("one", OneVsRestClassifier(part))], voting="soft"), True),
    ],
    ids=["vote", "stack", "calibration", "nested"],
)
def test_missing_text_inside_a_wrapper_is_nan(tmp_path: Path, wrapper: Any, imputed: bool) -> None:
    """What the encoder inside was fitted on, or the imputer before it."""
    fitted = wrapper(_coded(LogisticRegression(), imputed)).fit(TEXTS, TEXTS_TARGET)

    found = published(packed(fitted, TEXTS, tmp_path), TEXTS)

    np.testing.assert_allclose(fitted.predict_proba(TEXTS).max(axis=1), found, rtol=1e-12)


@pytest.mark.parametrize(
    "part",
    [
        _coded(Ridge()),
        make_pipeline(ColumnTransformer([("i", MissingIndicator(features="all"), ["sex"])]), Ridge()),
    ],
)
def test_missing_text_of_a_transformed_target_or_an_indicator_is_nan(tmp_path: Path, part: Any) -> None:
    """The regressor inside is looked into."""
    fitted = TransformedTargetRegressor(part, func=np.log1p, inverse_func=np.expm1).fit(TEXTS, TEXTS_TARGET)

    found = published(packed(fitted, TEXTS, tmp_path), TEXTS)

    np.testing.assert_allclose(fitted.predict(TEXTS), found, rtol=1e-12)


def test_ordered_categories_among_others_are_told_by_the_samples_values(tmp_path: Path) -> None:
    """LightGBM keeps a list for each, and says of the others only which columns they are."""
    rows = NATIVE.assign(rank=pd.Categorical(RNG.choice(["lo", "hi"], ROWS), ["lo", "hi"], ordered=True))
    fitted: Any = LIGHT.fit(rows, NATIVE_TARGET)
    model = packed(fitted, rows, tmp_path)

    assert [None, ("York", "Ely", "Bath"), (1, 2, 3), ("lo", "hi")] == [
        feature.categories for feature in model.manifest.features
    ]
    np.testing.assert_allclose(fitted.predict_proba(rows)[:, 1], published(model, rows), rtol=1e-12)


def test_ordered_categories_that_cannot_be_told_are_refused(tmp_path: Path) -> None:
    """Two columns hold the same values; a parquet sample says which is which."""
    rows = pd.DataFrame(
        {name: pd.Categorical(["lo", "hi"] * 12, ["lo", "hi"], ordered=name == "a") for name in "ab"}
    )
    fitted = LIGHT.fit(rows, NATIVE_TARGET)

    with pytest.raises(PackageError, match="2 columns of categories.*can't be told"):
        packed(fitted, rows, tmp_path)
    assert [("lo", "hi")] * 2 == [
        f.categories for f in packed(fitted, rows, tmp_path, "parquet").manifest.features
    ]


def test_field_that_cannot_hold_the_fitted_categories_is_refused(tmp_path: Path) -> None:
    """A text is not the whole number that it looks like."""
    fitted = LIGHT.fit(NATIVE, NATIVE_TARGET)
    fields = [
        {"name": "size", "type": "double"},
        *({"name": name, "type": "string"} for name in ("city", "level")),
    ]
    schema = json.dumps({"type": "record", "name": "m", "fields": fields})

    with pytest.raises(
        PackageError, match="'level' is of the Avro type string; .* categories there, such as 1"
    ):
        pack(fitted, PackRequest("m", out=tmp_path / "m"), schema=schema)


def test_nullable_types_of_pandas_are_kept_for_a_step_that_tells_types(tmp_path: Path) -> None:
    """The text of a missing one is `<NA>`, and whole numbers beside it stay whole."""
    rows = pd.DataFrame(
        {
            "n": pd.array([None if i % 7 == 0 else i % 3 for i in range(ROWS)], dtype="Int64"),
            "w": pd.array([i % 4 for i in range(ROWS)], dtype="UInt8"),
            "b": pd.array([None if i % 5 == 0 else i % 2 == 0 for i in range(ROWS)], dtype="boolean"),
            "s": pd.array(["u", "v", None] * 8, dtype="string"),
            "f": pd.array([0.5, None] * 12, dtype="Float32"),
        }
    )
    fitted = make_pipeline(Words(), LogisticRegression()).fit(rows, TARGET)
    model = packed(fitted, rows, tmp_path, "parquet")

    assert [str(dtype) for dtype in rows.dtypes] == [feature.dtype for feature in model.manifest.features]
    np.testing.assert_allclose(fitted.predict_proba(rows)[:, 1], published(model, rows), rtol=1e-12)


def _clock(frame: pd.DataFrame) -> np.ndarray:
    """A function of one's own on instants: their hour, and their number."""
    return np.column_stack([frame["t"].dt.hour, frame["t"].astype("int64") / 1e15])


@pytest.mark.parametrize(
    "dtype", ["datetime64[s]", "datetime64[ns]", "datetime64[us, UTC]", "datetime64[ms, Asia/Tokyo]"]
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_instants_have_the_unit_and_zone_of_the_sample(tmp_path: Path, kind: str, dtype: str) -> None:
    """The hour on the owner's clock, the number in the owner's unit."""
    times = pd.Series(pd.date_range("2024-01-01", periods=ROWS, freq="7h", tz="UTC"))
    known: Any = pd.api.types.pandas_dtype(dtype)
    rows = pd.DataFrame(
        {"t": times.astype(known) if "," in dtype else times.dt.tz_localize(None).astype(known)}
    )
    if kind == "csv":
        rows.to_csv(tmp_path / "owner.csv", index=False)
        rows = pd.read_csv(tmp_path / "owner.csv").assign(t=lambda read: pd.to_datetime(read["t"]))
    else:
        rows.to_parquet(tmp_path / "owner.parquet")
        rows = pd.read_parquet(tmp_path / "owner.parquet")
    fitted = make_pipeline(FunctionTransformer(_clock), LogisticRegression()).fit(rows, TARGET)
    model = packed(fitted, rows, tmp_path, kind)

    events = rows.assign(t=rows["t"].dt.tz_convert("UTC") if rows["t"].dt.tz is not None else rows["t"])
    np.testing.assert_allclose(fitted.predict_proba(rows)[:, 1], published(model, events), rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("csv", "t (datetime64[us, UTC])"), ("jsonl", "t (datetime64[us, UTC])"), ("parquet", "")],
)
def test_zone_that_a_sample_can_not_show_is_said(tmp_path: Path, kind: str, said: str) -> None:
    """A model of Paris' hours, whose sample is written in UTC: only parquet keeps the zone."""
    times = pd.Series(pd.date_range("2024-01-01", periods=ROWS, freq="7h", tz="Europe/Paris"))
    rows = pd.DataFrame({"t": times.dt.as_unit("us")})
    fitted = make_pipeline(FunctionTransformer(_clock), LogisticRegression()).fit(rows, TARGET)
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        rows.to_parquet(path)
    else:
        texts = rows.assign(t=rows["t"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        texts.to_csv(path, index=False) if kind == "csv" else texts.to_json(
            path, orient="records", lines=True
        )

    messages = pack(fitted, PackRequest("m", out=tmp_path / "package"), sample=read_sample(path)).messages

    assert [f"columns of times: {said}; "] * bool(said) == [
        f"{message.partition('; ')[0]}; " for message in messages if message.startswith("columns of times")
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_catboosts_categories_are_texts_whole_numbers_and_booleans(tmp_path: Path, kind: str) -> None:
    """It hashes the text of each value, and refuses floats."""
    rows = CLASSES[["pclass", "smoker", "half"]].assign(city=RNG.choice(["Bath", "York"], ROWS))
    estimator = CatBoostClassifier(
        iterations=4,
        verbose=0,
        allow_writing_files=False,
        thread_count=1,
        cat_features=["pclass", "smoker", "city"],
    )
    fitted: Any = estimator.fit(rows, TARGET)
    model = packed(fitted, rows, tmp_path, kind)

    assert ["int64", "bool", "", "str"] == [feature.dtype for feature in model.manifest.features]
    np.testing.assert_allclose(fitted.predict_proba(rows)[:, 1], published(model, rows), rtol=1e-12)


VECTORS = pd.DataFrame(
    {"size": RNG.normal(size=ROWS), "place": [RNG.normal(size=2).tolist() for _ in range(ROWS)]}
)
APART = VECTORS.drop(columns="place").assign(**{f"place_{i}": VECTORS["place"].str[i] for i in range(2)})


class Joined(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Joins the items of an embedding before it asks the model."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.classes_ = model.classes_
        self.feature_names_in_ = np.array(APART.columns, dtype=object)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """As the model does."""
        found: np.ndarray = self.predict_proba(x).argmax(axis=1)
        return found

    def predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        """As the model does."""
        joined = x[["size"]].copy()
        joined["place"] = pd.Series(x[["place_0", "place_1"]].to_numpy().tolist(), index=x.index)
        found: np.ndarray = self.model.predict_proba(joined)
        return found


def test_embedding_beside_other_columns_is_refused_with_a_way_that_works(tmp_path: Path) -> None:
    """`--vector` can't hold all columns there; a class that joins the items can be packed."""
    estimator = CatBoostClassifier(
        iterations=4, verbose=0, allow_writing_files=False, thread_count=1, embedding_features=["place"]
    )
    model: Any = estimator.fit(VECTORS, (VECTORS["size"] > 0).astype(int))

    for vector in (None, "place"):
        with pytest.raises(PackageError) as caught:
            pack(model, PackRequest("m", tmp_path / "m", vector=vector), sample=VECTORS)
        assert "a class whose `predict` joins them" in caught.value.hint

    found = published(packed(Joined(model), APART, tmp_path, "parquet"), APART)
    np.testing.assert_allclose(model.predict_proba(VECTORS)[:, 1], found, rtol=1e-12)


def test_categories_that_a_typed_sample_does_not_tell_ask_for_their_type(tmp_path: Path) -> None:
    """Not for parquet, which was given."""
    rows = pd.DataFrame({name: pd.Categorical([1, 2] * 12, [1, 2], ordered=name == "a") for name in "ab"})
    fitted = LIGHT.fit(rows, NATIVE_TARGET)

    with pytest.raises(PackageError, match="can't be told") as caught:
        packed(fitted, rows.astype(int), tmp_path, "parquet")

    assert "frame.astype({column: 'category'})" in caught.value.hint
