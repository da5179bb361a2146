"""Packing: what the schema, the sample and the estimator make of each other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from stream.errors import PackageError, SampleError, SchemaError
from stream.files import read_sample
from stream.manifest import Proof
from stream.scoring import columns_of
from stream.store import (
    PackRequest,
    current_version,
    golden_of,
    open_package,
    pack,
    pack_estimator_file,
    versions,
)
from stream.store.golden import Golden, check_golden
from stream.store.libraries import modules_of

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(18, 90, 30),
        "income": RNG.normal(size=30),
        "city": RNG.choice(["Bath", "York"], 30),
        "late": RNG.integers(0, 2, 30),
        "id": [f"e{i}" for i in range(30)],
    }
)
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Person",
    "namespace": "org.example",
    "doc": "Someone.",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "age", "type": "int"},
        {"name": "income", "type": ["null", "double"], "default": None},
        {"name": "noise", "type": {"type": "map", "values": "string"}},
        {"name": "city", "type": {"type": "enum", "name": "City", "symbols": ["Bath", "York"]}},
    ],
}


def _model(columns: tuple[str, ...] = ("age", "income", "city")) -> Any:
    coder = ColumnTransformer(
        [("t", OneHotEncoder(handle_unknown="ignore"), [c for c in columns if c == "city"])],
        remainder="passthrough",
    )
    last = HistGradientBoostingClassifier(max_iter=3)
    coder.set_output(transform="default")
    coder.sparse_threshold = 0
    return make_pipeline(coder, last).fit(FRAME[list(columns)], FRAME["late"])


def test_columns_that_nobody_needs_are_left_out_and_named(tmp_path: Path) -> None:
    """The target is not part of an event."""
    packed = pack(_model(), PackRequest("m", tmp_path / "m", carry=("id",)), sample=FRAME)

    assert ["age", "income", "city", "id"] == [
        field["name"] for field in json.loads(packed.package.features)["fields"]
    ]
    assert any("left out" in message and message.endswith("late") for message in packed.messages)
    assert "string" == json.loads(packed.package.prediction)["fields"][0]["type"]


def test_packing_again_adds_a_version_and_makes_it_current(tmp_path: Path) -> None:
    """The first stays as it is."""
    request = PackRequest("m", tmp_path / "m")
    pack(_model(), request, sample=FRAME)
    before = {path: path.read_bytes() for path in (tmp_path / "m" / "versions" / "1").iterdir()}

    pack(_model(), request, sample=FRAME)

    assert ([1, 2], 2) == (versions(request.folder), current_version(request.folder))
    assert before == {path: path.read_bytes() for path in (tmp_path / "m" / "versions" / "1").iterdir()}
    assert ("m@2", "m@1") == (
        open_package(request.folder).manifest.model, open_package(request.folder, 1).manifest.model
    )  # fmt: skip


def test_missing_features_are_named_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt name is refused."""
    with pytest.raises(PackageError, match=r"'income' \(nearest: 'incom'\)") as caught:
        pack(_model(), PackRequest("m", tmp_path / "m"), sample=FRAME.rename(columns={"income": "incom"}))

    assert "lacks 1 of the 3" in caught.value.message
    assert not (tmp_path / "m").exists()


def test_nearest_column_is_called_as_in_the_sample(tmp_path: Path) -> None:
    """Not as the schema that was made of it calls it."""
    given = FRAME.rename(columns={"income": "in come"})
    with pytest.raises(PackageError, match=r"'income' \(nearest: 'in come'\)"):
        pack(_model(), PackRequest("m", tmp_path / "m"), sample=given)


def test_carried_field_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The message lists those that are."""
    with pytest.raises(PackageError, match="--carry ident: .*no field 'ident'") as caught:
        pack(_model(), PackRequest("m", tmp_path / "m", carry=("ident",)), sample=FRAME)

    assert "income" in caught.value.hint


@pytest.mark.parametrize("name", ["customer no", "customer_no"])
def test_carried_field_under_either_of_its_names(tmp_path: Path, name: str) -> None:
    """A column that Avro can't name is carried by its original name or by the legal one."""
    sample = FRAME.rename(columns={"id": "customer no"})

    package = pack(_model(), PackRequest("m", tmp_path / "m", carry=(name,)), sample=sample).package

    assert ("customer_no",) == package.manifest.carry


@pytest.mark.parametrize("name", ["", "../m", "a/b", "a b", ".m", "ä", "x" * 101])
def test_name_that_is_not_a_folder_s_is_refused(tmp_path: Path, name: str) -> None:
    """It becomes part of a path and of each prediction."""
    with pytest.raises(PackageError, match="--name"):
        pack(_model(), PackRequest(name, tmp_path / "m"), sample=FRAME)


def test_schema_alone_makes_up_golden_rows(tmp_path: Path) -> None:
    """The same ones each time, with the texts that the model's encoder knows; and it says so."""
    contents = []
    for folder in ("one", "two"):
        packed = pack(_model(), PackRequest("m", tmp_path / folder), schema=json.dumps(SCHEMA))
        with (packed.package.path / "golden.avro").open("rb") as file:
            contents.append(list(fastavro.reader(file)))

    rows: list[Any] = contents[0]
    assert rows == contents[1]
    assert 200 == len(rows)
    assert {"Bath", "York"} == {row["event"]["city"] for row in rows}
    assert {True, False} == {row["event"]["income"] is None for row in rows}
    assert any("made up" in message for message in packed.messages)


def test_features_keep_the_schemas_name_and_only_what_is_needed(tmp_path: Path) -> None:
    """An event of the whole schema can be read by it, by the Avro rules."""
    package = pack(
        _model(), PackRequest("m", tmp_path / "m", carry=("city",)), schema=json.dumps(SCHEMA)
    ).package
    features = json.loads(package.features)

    assert ("Person", "org.example") == (features["name"], features["namespace"])
    assert ["age", "income", "city"] == [field["name"] for field in features["fields"]]
    prediction = json.loads(package.prediction)
    assert ("PersonPrediction", "org.example") == (prediction["name"], prediction["namespace"])
    assert "enum" == prediction["fields"][0]["type"]["type"]
    fastavro.parse_schema(prediction)


def test_type_defined_in_a_field_left_out_is_defined_where_it_is_used(tmp_path: Path) -> None:
    """features.avsc stands on its own."""
    schema = json.loads(json.dumps(SCHEMA))
    city = schema["fields"].pop()["type"]
    schema["fields"] += [{"name": "birthplace", "type": city}, {"name": "city", "type": "City"}]

    package = pack(_model(), PackRequest("m", tmp_path / "m"), schema=json.dumps(schema)).package

    assert {**city, "namespace": "org.example"} == json.loads(package.features)["fields"][-1]["type"]


def test_given_schema_and_sample_golden_rows_are_the_samples(tmp_path: Path) -> None:
    """The schema counts, the sample gives the rows."""
    frame = FRAME.assign(noise=pd.Series([[]] * 30))

    package = pack(
        _model(), PackRequest("m", tmp_path / "m"), schema=json.dumps(SCHEMA), sample=frame
    ).package

    with (package.path / "golden.avro").open("rb") as file:
        rows: list[Any] = list(fastavro.reader(file))
    assert FRAME["age"].tolist() == [row["event"]["age"] for row in rows]


def test_sample_that_does_not_fit_the_schema_is_refused_at_its_cell(tmp_path: Path) -> None:
    """Row and column are named."""
    frame = FRAME.assign(city="Leeds", noise=pd.Series([[]] * 30))

    with pytest.raises(SampleError, match=r"the sample:1:city: expected one of Bath, York, found 'Leeds'"):
        pack(_model(), PackRequest("m", tmp_path / "m"), schema=json.dumps(SCHEMA), sample=frame)


def test_file_that_is_not_a_schema_is_refused(tmp_path: Path) -> None:
    """As such, not as a package."""
    with pytest.raises(SchemaError):
        pack(_model(), PackRequest("m", tmp_path / "m"), schema="{}")


def test_neither_schema_nor_sample_is_refused(tmp_path: Path) -> None:
    """Nobody could say what an event holds."""
    with pytest.raises(PackageError, match="neither"):
        pack(_model(), PackRequest("m", tmp_path / "m"))


def test_model_that_answers_by_chance_is_refused(tmp_path: Path) -> None:
    """No golden row could ever be checked."""
    estimator = DummyClassifier(strategy="uniform").fit(FRAME[["age"]], FRAME["age"].astype(str))

    with pytest.raises(PackageError, match="none the same way whatever the batch: .* or on chance") as caught:
        pack(estimator, PackRequest("m", tmp_path / "m"), sample=FRAME)

    assert "golden" == caught.value.step


class Centred:
    """Looks at the other rows of a batch, but for one of them."""

    n_features_in_ = 1

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The distance from the mean of the batch; 5 where the first column is 5."""
        return np.where(x[:, 0] == 5, 5.0, x[:, 0] - x[:, 0].mean())


BESIDE: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "index": lambda x: x.index.to_series(),
    "parity of the index": lambda x: x.index.to_series() % 2,
    "mean": lambda x: x["x"] > x["x"].mean(),
    "rank": lambda x: x["x"].rank(),
    "row before": lambda x: x["x"].diff().fillna(0),
    "filled from the row before": lambda x: x["x"].ffill().fillna(-1),
}


class Beside:
    """Answers with what is not of the row alone."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.feature_names_in_ = np.array(["x"], dtype=object)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Numbers."""
        return BESIDE[self.what](x).to_numpy().astype(float)


@pytest.mark.parametrize("what", [*BESIDE][:-1])
def test_model_whose_answers_are_mostly_not_of_the_row_is_refused_with_the_cause(
    what: str, tmp_path: Path
) -> None:
    """Not with the versions of libraries; packed if that is wanted, the package opens."""
    frame = pd.DataFrame({"x": np.random.default_rng(3).normal(size=60)})

    with pytest.raises(
        PackageError, match="depend on the rows beside a row, on its place among them"
    ) as caught:
        pack(Beside(what), PackRequest("m", tmp_path / "m"), sample=frame)
    allowed = pack(Beside(what), PackRequest("m", tmp_path / "m", allow_difference=True), sample=frame)

    assert "golden" == caught.value.step
    assert caught.value.hint.endswith("; --allow-difference packs it as it is")
    assert any("more are answered otherwise in another batch" in message for message in allowed.messages)


def test_golden_rows_that_need_their_neighbours_are_named_as_such(tmp_path: Path) -> None:
    """Of a package that has only some of those beside which they were answered: no library is to blame."""
    frame = pd.DataFrame({"x": np.random.default_rng(3).normal(size=60)})
    estimator = Beside("mean")
    model = pack(
        estimator, PackRequest("m", tmp_path / "m", allow_difference=True), sample=frame
    ).package.model
    events: list[dict[str, object]] = [{"x": x} for x in frame["x"].sort_values()]
    scored = model.score(columns_of(events, model.manifest.features), len(events))
    answers = [{"value": value} for value in scored.columns["value"].to_pylist()]

    with pytest.raises(PackageError, match="depend on the rows beside a row") as caught:
        check_golden(model, Golden(events[:30], answers[:30]))

    assert "librar" not in caught.value.hint


def test_row_filled_from_the_one_before_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """A gap at each ninth row: it is not compared, the others are."""
    frame = pd.DataFrame({"x": np.random.default_rng(3).normal(size=300)})
    frame.loc[::9, "x"] = np.nan
    packed = pack(Beside("filled from the row before"), PackRequest("m", tmp_path / "m"), sample=frame)

    assert Proof(300 - 34) == packed.package.manifest.proof


def test_rows_whose_answers_hang_on_the_batch_are_not_kept(tmp_path: Path) -> None:
    """Only those that any batch gives the same answer."""
    frame = pd.DataFrame({"x": [1.0, 5.0, 7.5, 5.0]})

    package = pack(Centred(), PackRequest("m", tmp_path / "m"), sample=frame).package

    with (package.path / "golden.avro").open("rb") as file:
        rows: list[Any] = list(fastavro.reader(file))
    assert [5.0, 5.0] == [row["event"]["x"] for row in rows]


def test_times_beyond_pythons_calendar_are_packed_and_published(tmp_path: Path) -> None:
    """Golden rows may have them too."""
    kind = {"type": "long", "logicalType": "timestamp-millis"}
    fields = [{"name": "x", "type": "double"}, {"name": "at", "type": kind}]
    schema = json.dumps({"type": "record", "name": "m", "fields": fields})
    frame = pd.DataFrame({"x": np.arange(8.0), "at": [253_402_300_800_000] * 4 + [0] * 4})
    request = PackRequest("m", tmp_path / "m", carry=("at",))
    packed = pack(Ridge().fit(frame[["x"]], frame["x"]), request, schema=schema, sample=frame)

    assert Proof(8) == packed.package.manifest.proof
    at = [event["at"] for event in golden_of(open_package(tmp_path / "m")).events]
    assert [253_402_300_800_000] * 4 + [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)] * 4 == at


class Picky:
    """Raises on what it doesn't like."""

    n_features_in_ = 1

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The first column, if none is negative."""
        if (x[:, 0] < 0).any():
            raise ValueError("negative")
        return np.asarray(x[:, 0])


def test_rows_that_the_model_raises_on_are_dropped(tmp_path: Path) -> None:
    """The others are its golden rows."""
    frame = pd.DataFrame({"x": [-1.0, 2.0, -3.0, 4.0]})

    package = pack(Picky(), PackRequest("m", tmp_path / "m"), sample=frame).package

    with (package.path / "golden.avro").open("rb") as file:
        rows: list[Any] = list(fastavro.reader(file))
    assert [2.0, 4.0] == [row["event"]["x"] for row in rows]


def test_model_that_raises_on_every_row_is_refused_with_what_it_said(tmp_path: Path) -> None:
    """The user learns why."""
    with pytest.raises(PackageError, match="every one of 2 rows; on the first, ValueError: negative"):
        pack(Picky(), PackRequest("m", tmp_path / "m"), sample=pd.DataFrame({"x": [-1.0, -2.0]}))


def test_estimator_without_predict_is_refused(tmp_path: Path) -> None:
    """An estimator without `predict` is refused."""
    with pytest.raises(PackageError, match="OneHotEncoder, which has no `predict`"):
        pack(OneHotEncoder().fit(FRAME[["city"]]), PackRequest("m", tmp_path / "m"), sample=FRAME)


def test_estimator_that_can_not_be_pickled_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    estimator = make_pipeline(FunctionTransformer(lambda x: x), Ridge()).fit(FRAME[["age"]], FRAME["income"])

    with pytest.raises(PackageError, match="can't be pickled"):
        pack(estimator, PackRequest("m", tmp_path / "m"), sample=FRAME)
    assert not (tmp_path / "m").exists()


def test_float_labels_that_are_no_whole_numbers_are_refused(tmp_path: Path) -> None:
    """Avro's labels are whole numbers, texts and booleans."""

    class Halves:
        classes_ = np.array([0.5, 1.5])
        n_features_in_ = 1

        def predict(self, x: np.ndarray) -> np.ndarray:
            return np.full(len(x), 0.5)

    globals()["Halves"] = Halves
    Halves.__qualname__ = "Halves"
    with pytest.raises(PackageError, match=r"can't be published: \[0\.5, 1\.5\]"):
        pack(Halves(), PackRequest("m", tmp_path / "m"), sample=FRAME[["age"]])


def test_probabilities_of_a_regressor_are_refused(tmp_path: Path) -> None:
    """It has none."""
    with pytest.raises(PackageError, match="gives no probabilities"):
        pack(
            Ridge().fit(FRAME[["age"]], FRAME["income"]),
            PackRequest("m", tmp_path / "m", probabilities=True),
            sample=FRAME,
        )


def test_width_that_fits_no_fields_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """An array model has nothing but the number of its columns."""
    with pytest.raises(PackageError, match="takes 5 columns without names; .* has 3 numeric fields: age"):
        pack(Ridge().fit(RNG.normal(size=(9, 5)), range(9)), PackRequest("m", tmp_path / "m"), sample=FRAME)


def test_carried_numbers_are_no_columns_of_an_array_model(tmp_path: Path) -> None:
    """Where the count says so."""
    estimator = Ridge().fit(FRAME[["age", "income"]].to_numpy(), FRAME["late"])

    package = pack(estimator, PackRequest("m", tmp_path / "m", carry=("late",)), sample=FRAME).package

    assert ("age", "income") == tuple(feature.path for feature in package.manifest.features)


@pytest.mark.parametrize(("vector", "message"), [("nowhere", "no field"), ("city", "array of numbers")])
def test_field_that_is_not_a_vector_is_refused(tmp_path: Path, vector: str, message: str) -> None:
    """By its name."""
    with pytest.raises(PackageError, match=f"--vector.*{message}"):
        pack(
            Ridge().fit(np.eye(3), range(3)),
            PackRequest("m", tmp_path / "m", vector=vector),
            schema=json.dumps(SCHEMA),
        )


class Parity:
    """Tells whole numbers from others, as functions of users do."""

    feature_names_in_ = np.array(["age"], dtype=object)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """By the column's type."""
        return np.where(x["age"].map(lambda value: isinstance(value, int)), 1.0, 0.0)


def test_model_that_tells_int_from_float_is_given_integers(tmp_path: Path) -> None:
    """A worker will give it what pandas does."""
    package = pack(Parity(), PackRequest("m", tmp_path / "m"), sample=FRAME).package
    events: Any = FRAME.to_dict("records")
    rows = package.model.score(columns_of(events, package.manifest.features), len(FRAME))

    assert ["int64"] == [feature.dtype for feature in package.manifest.features]
    assert [1.0] * len(FRAME) == rows.columns["value"].to_pylist()


def test_answers_in_one_column_are_compared(tmp_path: Path) -> None:
    """A regressor that was fitted on a table of one target answers with a table of one column."""
    estimator = Ridge().fit(FRAME[["age"]], FRAME[["income"]])
    packed = pack(estimator, PackRequest("m", tmp_path / "m"), sample=FRAME)

    assert "regressor" == packed.package.manifest.task
    assert Proof(len(FRAME)) == packed.package.manifest.proof


def test_libraries_of_nested_parts_are_found() -> None:
    """A search holds a pipeline, which holds an estimator of another library: ours, here."""
    search = GridSearchCV(make_pipeline(StandardScaler(), Picky()), {"standardscaler__with_mean": [True]})
    search.best_estimator_ = search.estimator

    assert "tests" in modules_of(search)


def test_float32_answers_have_the_loose_tolerance(tmp_path: Path) -> None:
    """Floats of 32 bits have seven digits, so the tolerance is wider."""

    class Narrow(Ridge):  # type: ignore[misc]  # scikit-learn ships no types
        def predict(self, x: Any) -> Any:
            return super().predict(x).astype(np.float32)

    globals()["Narrow"] = Narrow
    Narrow.__qualname__ = "Narrow"
    estimator = Narrow().fit(FRAME[["age"]], FRAME["income"])

    assert 1e-5 == pack(estimator, PackRequest("m", tmp_path / "m"), sample=FRAME).package.manifest.tolerance


def test_estimator_file_goes_in_as_it_is(tmp_path: Path) -> None:
    """Byte for byte."""
    joblib.dump(_model(), tmp_path / "model.joblib", compress=3)
    FRAME.to_parquet(tmp_path / "sample.parquet")

    package = pack_estimator_file(
        tmp_path / "model.joblib",
        PackRequest("m", tmp_path / "m"),
        sample=read_sample(tmp_path / "sample.parquet"),
    ).package

    assert (tmp_path / "model.joblib").read_bytes() == (package.path / "model.joblib").read_bytes()


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), HistGradientBoostingClassifier(max_iter=2), RandomForestClassifier(2)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_skops_file_is_packed_and_opened_without_pickle(tmp_path: Path, estimator: Any) -> None:
    """scikit-learn's own types are trusted."""
    skops.io.dump(estimator.fit(FRAME[["age", "income"]], FRAME["late"]), tmp_path / "model.skops")
    FRAME.to_csv(tmp_path / "sample.csv", index=False)

    package = pack_estimator_file(
        tmp_path / "model.skops",
        PackRequest("m", tmp_path / "m"),
        sample=read_sample(tmp_path / "sample.csv"),
    ).package

    assert (package.path / "model.skops").is_file()
    assert not (package.path / "model.joblib").exists()


def test_skops_file_with_a_strangers_type_is_refused_by_name(tmp_path: Path) -> None:
    """It is not loaded to find out."""
    skops.io.dump(Picky(), tmp_path / "model.skops")

    with pytest.raises(PackageError, match=r"not trusted: .*Picky"):
        pack_estimator_file(
            tmp_path / "model.skops", PackRequest("m", tmp_path / "m"), schema=json.dumps(SCHEMA)
        )


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x04."])
def test_file_that_is_not_an_estimator_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever it is instead."""
    (tmp_path / "model.joblib").write_bytes(content)

    with pytest.raises(PackageError) as caught:
        pack_estimator_file(
            tmp_path / "model.joblib", PackRequest("m", tmp_path / "m"), schema=json.dumps(SCHEMA)
        )

    assert "load" == caught.value.step


def test_file_that_is_not_an_estimator_is_named_as_it_was_given(tmp_path: Path) -> None:
    """A text in the place of the model: its own path, and what is expected there."""
    wrong = tmp_path / "stream.toml"
    wrong.write_text("# settings\n[kafka]\n")

    with pytest.raises(PackageError) as caught:
        pack_estimator_file(wrong, PackRequest("m", tmp_path / "m"))

    assert caught.value.message.startswith(f"{wrong}: loading it raised KeyError")
    assert "not a joblib or pickle file" in caught.value.hint


def test_field_that_is_always_null_is_carried(tmp_path: Path) -> None:
    """As null."""
    schema = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "nothing", "type": "null"}]}

    package = pack(
        _model(), PackRequest("m", tmp_path / "m", carry=("nothing",)), schema=json.dumps(schema)
    ).package

    assert {"name": "nothing", "type": "null"} == json.loads(package.prediction)["fields"][0]
