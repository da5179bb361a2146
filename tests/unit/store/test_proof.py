"""What a package would publish is compared with what its estimator itself says on the sample as pandas reads it."""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from stream.errors import PackageError
from stream.files import read_sample
from stream.manifest import Manifest, Proof
from stream.store import Packed, PackRequest, assembly, golden_of, open_package, pack, pack_estimator_file
from stream.store.column_choice import choose_types
from stream.store.mapping import map_features

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame({"age": RNG.integers(18, 90, 60), "income": RNG.normal(40_000, 9_000, 60)})


class _Named:
    """Knows the one column that it takes."""

    feature_names_in_ = np.array(["age"], dtype=object)


class TellsWhole(_Named):
    """Tells whole numbers from others, as functions of users do."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """By the column's type, on every third row."""
        return np.where((x["age"] % 3 == 0) & (x["age"].dtype.kind == "i"), 1.0, 0.0)


class Guesses(_Named):
    """Answers by chance on the rows above fifty."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Another number at each asking."""
        return np.where(x["age"] > 50, [random.random() for _ in range(len(x))], 0.0)


class Refuses(_Named):
    """Takes only float64, and says so."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Raises on whole numbers."""
        if x["age"].dtype.kind != "f":
            raise TypeError("floats only")
        return x["age"].to_numpy()


class Unfinished(_Named):
    """Has no finite answer for some rows."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """NaN below thirty."""
        return np.where(x["age"] < 30, np.nan, x["age"])


class Tidy(_Named):
    """Answers as tables and with NumPy's own scalars, as libraries do."""

    def predict(self, x: pd.DataFrame) -> pd.DataFrame:
        """One column of objects, with another index."""
        labels = [np.str_("old") if age > 50 else np.str_("young") for age in x["age"]]
        return pd.DataFrame({"label": labels}, index=range(1_000, 1_000 + len(x)), dtype=object)


DOUBLE = json.dumps({"type": "record", "name": "m", "fields": [{"name": "age", "type": "double"}]})
"""Whole numbers in the sample, doubles on the stream: what tells them apart has no answer that is both."""


def _packed(
    estimator: object, folder: Path, sample: Any = FRAME, schema: str | None = None, **options: Any
) -> Packed:
    return pack(estimator, PackRequest("m", folder / "m", **options), schema=schema, sample=sample)


def _proof(manifest: Manifest) -> Proof:
    assert manifest.proof is not None
    return manifest.proof


def test_model_that_tells_int_from_float_is_refused_with_rows_and_column(tmp_path: Path) -> None:
    """A stream of doubles will not give it what pandas does, and nothing is written."""
    count = int((FRAME["age"] % 3 == 0).sum())
    row = int(np.argmax(FRAME["age"] % 3 == 0)) + 1

    with pytest.raises(PackageError) as refused:
        _packed(TellsWhole(), tmp_path, schema=DOUBLE)

    assert f"the sample: on {count} of 60 rows" in refused.value.message
    assert f"row {row}: value 1, published 0" in refused.value.message
    assert "suspected: 'age' (int64" in refused.value.message
    assert "--allow-difference" in refused.value.hint
    assert not (tmp_path / "m").exists()


def test_difference_that_is_allowed_is_in_the_manifest(tmp_path: Path) -> None:
    """Packed as it is; the manifest on the disk says how many rows differ, and that somebody allowed it."""
    packed = _packed(TellsWhole(), tmp_path, schema=DOUBLE, allow_difference=True)
    count = int((FRAME["age"] % 3 == 0).sum())

    assert Proof(60, count, allowed=True) == open_package(tmp_path / "m").manifest.proof
    assert any(f"allowed: the sample: on {count} of 60 rows" in message for message in packed.messages)


def test_rows_that_agree_are_counted(tmp_path: Path) -> None:
    """A sound model says how many rows were compared."""
    packed = _packed(LinearRegression().fit(FRAME, FRAME["age"]), tmp_path)

    assert Proof(60) == packed.package.manifest.proof
    assert any(message.startswith("60 rows: what is published") for message in packed.messages)


def test_schema_alone_proves_nothing_and_says_so(tmp_path: Path) -> None:
    """Made-up rows are nobody's: the owner's answer for them is not asked."""
    schema = {"type": "record", "name": "E", "fields": [{"name": "age", "type": "double"}]}
    estimator = LinearRegression().fit(FRAME[["age"]], FRAME["age"])
    packed = pack(estimator, PackRequest("m", tmp_path / "m"), schema=json.dumps(schema))

    assert Proof(0) == packed.package.manifest.proof
    assert any("nothing was compared" in message for message in packed.messages)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, FRAME["age"] > 50),
        LinearRegression().fit(FRAME.to_numpy(), FRAME["age"] - FRAME["income"]),
    ],
    ids=["names", "matrix"],
)
def test_swapped_columns_are_found(
    estimator: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapping that gives a column the other's values is refused, and both are suspected."""

    def swapped(*arguments: Any) -> Any:
        mapping = map_features(*arguments)
        one, other = mapping.features
        crossed = (
            replace(one, path=other.path, avro=other.avro),
            replace(other, path=one.path, avro=one.avro),
        )
        return replace(mapping, features=crossed)

    monkeypatch.setattr(assembly, "map_features", swapped)

    with pytest.raises(PackageError, match="would publish another answer") as refused:
        _packed(estimator, tmp_path)

    assert "'age' (" in refused.value.message
    assert "'income' (" in refused.value.message


def test_answers_by_chance_are_not_compared(tmp_path: Path) -> None:
    """The rows that the estimator itself answers anew each time are named as such; the others are compared."""
    packed = _packed(Guesses(), tmp_path)
    chance = int((FRAME["age"] > 50).sum())

    assert Proof(60 - chance) == packed.package.manifest.proof
    assert any(f"on {chance} of 60 rows the estimator's answers differ" in m for m in packed.messages)


def test_owner_that_can_not_be_asked_proves_nothing(tmp_path: Path) -> None:
    """Where the estimator raises on all of pandas' rows, that is said, and nothing is claimed."""
    packed = _packed(Refuses(), tmp_path)

    assert Proof(0) == packed.package.manifest.proof
    assert any("nothing was compared" in m and "TypeError: floats only" in m for m in packed.messages)


@pytest.mark.parametrize("estimator", [Unfinished(), Tidy()])
def test_equal_answers_in_other_clothes_are_no_difference(estimator: object, tmp_path: Path) -> None:
    """NaN is a dead letter on both sides; tables, indices and NumPy's scalars are what they hold."""
    assert 0 == _proof(_packed(estimator, tmp_path).package.manifest).different


def test_whole_number_beyond_double_is_named_not_counted(tmp_path: Path) -> None:
    """The contract refuses it on purpose: the row is a dead letter, and no difference."""
    frame = pd.DataFrame({"age": [1, 2, 3, 2**53 + 1]})
    packed = _packed(LinearRegression().fit(frame, [1.0, 2.0, 3.0, 4.0]), tmp_path, frame)

    assert Proof(3) == packed.package.manifest.proof
    assert any(
        "1 rows of the sample would be dead letters (value_out_of_range)" in m for m in packed.messages
    )


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_file_is_read_as_pandas_reads_it(ending: str, tmp_path: Path) -> None:
    """Whole numbers are int64 in pandas, whatever the file: the model that tells them from floats is refused."""
    path = tmp_path / f"rows.{ending}"
    {
        "csv": lambda: FRAME.to_csv(path, index=False),
        "parquet": lambda: FRAME.to_parquet(path, index=False),
        "jsonl": lambda: FRAME.to_json(path, orient="records", lines=True),
    }[ending]()
    joblib.dump(TellsWhole(), tmp_path / "m.joblib")
    request = PackRequest("m", tmp_path / "m")

    with pytest.raises(PackageError, match="would publish another answer"):
        pack_estimator_file(tmp_path / "m.joblib", request, schema=DOUBLE, sample=read_sample(path))


def test_arrow_table_is_taken_as_pandas_takes_it(tmp_path: Path) -> None:
    """A table's whole numbers are int64 too."""
    with pytest.raises(PackageError, match="would publish another answer"):
        _packed(TellsWhole(), tmp_path, pa.Table.from_pandas(FRAME), DOUBLE)


def test_answers_of_32_bits_have_their_own_tolerance(tmp_path: Path) -> None:
    """scikit-learn calculates with the floats that it gets: the package's 64 bits are no other answer."""
    frame = pd.DataFrame({"x": RNG.normal(size=60).astype(np.float32), "n": np.arange(60, dtype=np.int8)})
    estimator = LinearRegression().fit(frame, 3 * frame["x"] - frame["n"])

    assert Proof(60) == _packed(estimator, tmp_path, frame).package.manifest.proof


HOMES = pd.DataFrame(
    {"alley": RNG.choice(["NA", "Grvl", "Pave"], 60), "zip": RNG.choice(["01234", "90210"], 60)}
)


@pytest.mark.parametrize(
    ("column", "reading", "said", "hint"),
    [
        ("alley", {}, "str nan in pandas, object 'NA' in the package", "'NA' in a column of texts is a text"),
        ("alley", {"keep_default_na": False}, "", ""),
        ("zip", {}, "int64 1234 in pandas, object '01234' in the package", "a csv has no types"),
        ("zip", {"dtype": {"zip": "str"}}, "", ""),
    ],
    ids=["NA as missing", "NA as a text", "digits as a number", "digits as a text"],
)
def test_csv_is_read_as_the_encoder_knows_it(
    column: str, reading: dict[str, Any], said: str, hint: str, tmp_path: Path
) -> None:
    """What its owner read as texts are texts; what pandas made of them by itself is what the owner had, and refused."""
    path = tmp_path / "homes.csv"
    HOMES.to_csv(path, index=False)
    x = pd.read_csv(path, **reading)[[column]]
    estimator = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(
        x, HOMES["zip"]
    )
    if not said:
        assert Proof(60) == _packed(estimator, tmp_path, read_sample(path)).package.manifest.proof
        return

    with pytest.raises(PackageError) as refused:
        _packed(estimator, tmp_path, read_sample(path))

    assert f"suspected: '{column}' ({said})" in refused.value.message
    assert hint in refused.value.hint


def test_categories_of_another_column_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's categories are made of the rows, so that those in the manifest are proved too."""
    columns = HOMES.assign(
        zip=HOMES["zip"].map({"01234": "a", "90210": "b"}), alley=RNG.choice(["c", "d"], 60)
    )
    labels = (columns["zip"] == "a") ^ (columns["alley"] == "c")
    boost = LGBMClassifier(
        n_estimators=5, min_child_samples=2, min_data_per_group=1, cat_smooth=0, n_jobs=1, verbose=-1
    )
    estimator = boost.fit(columns.astype("category"), labels)

    def crossed(*arguments: Any) -> Manifest:
        draft = choose_types(*arguments)
        one, other = draft.features
        assert one.categories
        swapped = (replace(one, categories=other.categories), replace(other, categories=one.categories))
        return replace(draft, features=swapped)

    assert Proof(60) == _packed(estimator, tmp_path / "sound", columns).package.manifest.proof
    monkeypatch.setattr(assembly, "choose_types", crossed)

    with pytest.raises(PackageError, match="would publish another answer"):
        _packed(estimator, tmp_path / "crossed", columns)


class Squares(ClassifierMixin, BaseEstimator, _Named):  # type: ignore[misc]
    """Changes what it is given, as functions of users do."""

    classes_ = np.array([False, True])

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Not the label of the larger probability: both are asked for."""
        return self.predict_proba(x)[:, 1] > 0.3

    def predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        """Of the square."""
        x["age"] = (x["age"] / 100) ** 2
        return np.column_stack([1 - x["age"], x["age"]])


class Centres(_Named):
    """Looks at the other rows of the batch, where it is under fifty."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """From the mean of the batch."""
        return np.where(x["age"] < 50, x["age"] - x["age"].mean(), x["age"])


def test_model_that_writes_into_its_input_is_asked_with_a_fresh_one(tmp_path: Path) -> None:
    """The second question of a row sees nothing of the first one's."""
    packed = _packed(Squares(), tmp_path)
    scored = packed.package.model.score({"age": pa.array([50, 60])}, 2)

    assert Proof(60) == packed.package.manifest.proof
    assert [False, True] == scored.columns["label"].to_pylist()
    assert pytest.approx([0.25, 0.36]) == scored.columns["score"].to_pylist()


def test_answers_that_depend_on_the_batch_are_not_compared(tmp_path: Path) -> None:
    """They are the same on both sides only while the batch is."""
    packed = _packed(Centres(), tmp_path)
    dependent = int((FRAME["age"] < 50).sum())

    assert Proof(60 - dependent) == packed.package.manifest.proof
    assert any(f"on {dependent} of 60 rows the estimator's answers differ" in m for m in packed.messages)


class Spelled:
    """Answers by how its day is spelled, a text or a time."""

    feature_names_in_ = np.array(["day"], dtype=object)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """The length of each."""
        return x["day"].map(lambda day: len(repr(day)) * 1.0).to_numpy()


class Parses(Spelled):
    """Makes times of whatever it gets."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """The day of the month."""
        return pd.to_datetime(x["day"]).dt.day.to_numpy(np.float64)


def _days(path: Path) -> Path:
    frame = pd.DataFrame({"day": ["2024-01-02", "2024-03-14", "2024-05-06"]})
    {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        ".parquet": lambda: frame.to_parquet(path, index=False),
    }[path.suffix]()
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_dates_that_may_be_texts_are_refused_where_the_model_can_tell(ending: str, tmp_path: Path) -> None:
    """Its owner may have fitted it on either, and nothing in the file says which."""
    sample = read_sample(_days(tmp_path / f"days.{ending}"))

    with pytest.raises(PackageError, match="day may be texts to the model, or times") as refused:
        _packed(Spelled(), tmp_path, sample)

    assert refused.value.hint.startswith("give the sample as parquet")


@pytest.mark.parametrize(("estimator", "ending"), [(Parses(), "csv"), (Spelled(), "parquet")])
def test_dates_are_taken_where_they_can_be_told(estimator: object, ending: str, tmp_path: Path) -> None:
    """The model parses them itself, or the file has types."""
    sample = read_sample(_days(tmp_path / f"days.{ending}"))

    assert Proof(3) == _packed(estimator, tmp_path, sample).package.manifest.proof


HOLIDAYS = {dt.date(2024, 3, 14)}


class Holidays(Spelled):
    """Looks its day up among Python's dates, to which no time is equal."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """1 on a holiday."""
        return np.array([float(day in HOLIDAYS) for day in x["day"]])


class Counts(Spelled):
    """Subtracts one of Python's dates, which no time allows."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Days of the year."""
        return np.array([float((day - dt.date(2024, 1, 1)).days) for day in x["day"]])


class Accessed(Spelled):
    """Takes times only."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """The day of the month."""
        return np.asarray(x["day"].dt.day, np.float64)


ENCODED = pd.DataFrame({"day": [dt.date(2024, 3, 14), dt.date(2024, 5, 6)] * 10})
OF_DATES, OF_TIMES = (
    make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression()).fit(frame, [0.0, 1.0] * 10)
    for frame in (ENCODED, ENCODED.astype("datetime64[us]"))
)


@pytest.mark.parametrize("ending", ["parquet", "avro", "frame"])
@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (Holidays(), [0.0, 1.0, 0.0]),
        (Counts(), [1.0, 73.0, 126.0]),
        (Accessed(), [2.0, 14.0, 6.0]),
        (OF_DATES, [0.5, 0.0, 1.0]),
        (OF_TIMES, [0.5, 0.0, 1.0]),
    ],
)
def test_model_has_the_dates_that_it_was_fitted_on(
    estimator: object, expected: list[float], ending: str, tmp_path: Path
) -> None:
    """Python's, as pandas reads them, or times where it takes no others or its encoder knows times."""
    days = [dt.date(2024, 1, 2), dt.date(2024, 3, 14), dt.date(2024, 5, 6)]
    frame = pd.DataFrame({"day": days})
    path = tmp_path / f"days.{ending}"
    if ending == "parquet":
        frame.to_parquet(path, index=False)
    elif ending == "avro":
        field = {"name": "day", "type": {"type": "int", "logicalType": "date"}}
        with path.open("wb") as out:
            fastavro.writer(out, {"type": "record", "name": "D", "fields": [field]}, frame.to_dict("records"))

    packed = _packed(estimator, tmp_path, frame if ending == "frame" else read_sample(path))

    assert Proof(3) == packed.package.manifest.proof
    assert expected == pytest.approx(
        [answer["value"] for answer in golden_of(packed.package).answers], abs=1e-9
    )


@pytest.mark.parametrize(
    ("estimator", "said"),
    [(Holidays(), "may be dates to the model"), (OF_DATES, "may be texts to the model")],
)
def test_dates_of_a_csv_that_may_be_pythons_are_refused_where_the_model_can_tell(
    estimator: object, said: str, tmp_path: Path
) -> None:
    """To times it says otherwise, and to texts, and a csv has neither."""
    with pytest.raises(PackageError, match=said) as refused:
        _packed(estimator, tmp_path, read_sample(_days(tmp_path / "days.csv")))

    assert refused.value.hint.startswith("give the sample as parquet")


def test_times_of_several_zones_are_refused_by_name(tmp_path: Path) -> None:
    """pandas makes no column of them, so no owner had one."""
    path = tmp_path / "days.csv"
    path.write_text("day\n2024-01-02T03:04:05+01:00\n2024-07-02T03:04:05+02:00\n")

    with pytest.raises(PackageError, match="column 'day': pandas can't make one column") as refused:
        _packed(Parses(), tmp_path, read_sample(path))

    assert "parquet" in refused.value.hint


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_missing_text_is_none_to_an_encoder_that_was_fitted_on_it(ending: str, tmp_path: Path) -> None:
    """pandas 3 reads NaN from every file; older ones had None."""
    frame = pd.DataFrame({"city": pd.Series(["Bath", None, "York"] * 20, dtype=object)})
    path = tmp_path / f"rows.{ending}"
    {
        "csv": lambda: frame.to_csv(path, index=False),
        "parquet": lambda: frame.to_parquet(path, index=False),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
    }[ending]()
    estimator = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, frame["city"].isna())

    assert Proof(60) == _packed(estimator, tmp_path, read_sample(path)).package.manifest.proof


def test_column_of_digits_that_the_model_reads_as_texts_is_compared(tmp_path: Path) -> None:
    """pandas alone makes numbers of it, on which the model raises: its owner told pandas."""
    path = tmp_path / "homes.csv"
    HOMES.to_csv(path, index=False)
    columns = make_column_transformer((CountVectorizer(analyzer="char"), "zip"))
    estimator = make_pipeline(columns, LogisticRegression()).fit(HOMES, HOMES["zip"])

    assert Proof(60) == _packed(estimator, tmp_path, read_sample(path)).package.manifest.proof


def _doubled(x: pd.DataFrame) -> pd.DataFrame:
    return x.assign(age=x["age"] * 2)


def test_settings_of_the_process_are_not_the_models(tmp_path: Path) -> None:
    """scikit-learn's settings are not saved with a model: a pipeline that depends on them is refused with the step."""
    with config_context(transform_output="pandas"):
        own = FunctionTransformer(_doubled)
        estimator = make_pipeline(StandardScaler(), own, LinearRegression()).fit(FRAME, FRAME["age"])
        with pytest.raises(PackageError, match="has no attribute 'assign'") as refused:
            _packed(estimator, tmp_path)
        sound = _packed(estimator.set_output(transform="pandas"), tmp_path)

    assert 'set_output(transform="pandas")' in refused.value.hint
    assert any("60 rows: what is published" in message for message in sound.messages)


class Margins(ClassifierMixin, BaseEstimator, _Named):  # type: ignore[misc]
    """Calls itself a classifier, and predicts margins: CatBoost's plain model does."""

    classes_ = np.array([0, 1])

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """How far above fifty."""
        return (x["age"].to_numpy() - 50.25) / 10


def test_predicted_margins_are_values_whatever_the_model_calls_itself(tmp_path: Path) -> None:
    """They are none of the classes, so that no label can be made of them."""
    manifest = _packed(Margins(), tmp_path).package.manifest

    assert ("regressor", None, Proof(60)) == (manifest.task, manifest.classes, manifest.proof)
