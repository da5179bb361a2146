"""`predict` in DuckDB: the stream's own answers, whatever the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

import stream.sql
from stream.codec import Decoder, Encoder, RecordSchema
from stream.codec.dict_records import read_row, write_row
from stream.errors import QueryError, SettingsError
from stream.pipeline import Pipeline
from stream.records import Batch
from stream.scoring import carried_names
from stream.sql import FaultCount, Registered
from stream.store import Package, PackRequest, open_package, pack

FLIGHT = {
    "flight_id": "f1", "carrier": "UA", "origin": "EWR", "dest": "ORD", "distance": 719.0, "dep_delay": 12.0,
    "weekday": 2, "hour": 17, "temp": 50.0, "humid": None, "wind_speed": 9.0, "precip": 0.0,
    "pressure": None, "visib": 10.0,
}  # fmt: skip

NASTY: list[dict[str, Any]] = [
    {},
    {"carrier": "??", "dest": "never seen"},
    {"carrier": ""},
    {"dep_delay": 1e300},
    {"dep_delay": -1e300, "distance": 5e-324},
    {"dep_delay": float("inf")},
    {"dep_delay": float("nan")},
    {"temp": None, "visib": None, "precip": None, "wind_speed": None},
    {"temp": float("nan")},
    {"weekday": 2**31 - 1, "hour": -(2**31)},
    {"carrier": "ÜØ\u0000漢"},
]
"""Changes to a flight: each is a sound Avro event."""


@pytest.fixture(scope="module")
def flights() -> Package:
    """The demo's model."""
    return open_package("models/flights")


@pytest.fixture
def registered(flights: Package) -> Iterator[Registered]:
    """Its functions on a connection of eight threads."""
    connection = duckdb.connect()
    connection.execute("SET threads = 8")
    yield stream.sql.register(connection, flights, listener=lambda _: None)
    connection.close()


def rows_of(registered: Registered, query: str, rows: pa.Table | list[dict[str, Any]] = ()) -> list[Any]:
    """A query's rows; `rows` is a table of that name in it."""
    if len(rows):
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows))
        registered.connection.register("rows", table)
    return registered.connection.sql(query).fetchall()


def packed(folder: Path, estimator: object, sample: pd.DataFrame) -> Package:
    """A small model."""
    return pack(estimator, PackRequest("small", folder / "small"), sample=sample).package


def on_the_stream(package: Package, events: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """What the worker's pipeline publishes, without where the records came from; None for a dead letter."""
    features, prediction = RecordSchema(package.features), RecordSchema(package.prediction)
    carry = carried_names(package.manifest.carry)
    paths = list(dict.fromkeys([*(feature.path for feature in package.manifest.features), *carry]))
    pipeline = Pipeline(
        Decoder(features, paths, "bare", features), package.model, Encoder(prediction),
        package.manifest.model, carry,
    )  # fmt: skip
    n = len(events)
    values: list[bytes | None] = [write_row(features, event) for event in events]
    outcomes = pipeline.process(Batch("t", [0] * n, list(range(n)), [0] * n, [None] * n, values, [None] * n))
    found: list[dict[str, Any] | None] = []
    for outcome in outcomes:
        value = outcome if isinstance(outcome, bytes) else None
        row = None if value is None else read_row(prediction, value)
        found.append(None if row is None else {k: v for k, v in row.items() if not k.startswith("source_")})
    return found


def test_answers_are_the_stream_s(registered: Registered, flights: Package) -> None:
    """Nasty rows have the label, score and carried fields that the worker publishes, over several calls."""
    events = [{**FLIGHT, **nasty, "flight_id": f"f{i}"} for i, nasty in enumerate(NASTY * 500)]
    expected = on_the_stream(flights, events[: len(NASTY)])

    found = rows_of(registered, "SELECT f.flight_id, predict(f) FROM rows f", events)

    assert len(events) == len(found)
    for i, (own, prediction) in enumerate(found):
        wanted = expected[i % len(NASTY)]
        assert f"f{i}" == own
        assert wanted is not None
        assert {**wanted, "flight_id": own} == prediction


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_files_give_the_same_answers(
    registered: Registered, flights: Package, tmp_path: Path, kind: str
) -> None:
    """A csv's and a JSON file's columns, of the types that DuckDB finds, are taken as parquet's."""
    events = [{**FLIGHT, **nasty, "flight_id": f"f{i}"} for i, nasty in enumerate(NASTY[1:2] + NASTY[3:5])]
    registered.connection.register("events", pa.Table.from_pylist(events))
    registered.connection.execute(f"COPY events TO '{tmp_path / 'rows'}.{kind}' (FORMAT {kind})")

    found = rows_of(registered, f"SELECT predict(f) FROM '{tmp_path / 'rows'}.{kind}' f")

    assert on_the_stream(flights, events) == [prediction for (prediction,) in found]


def test_table_of_an_attached_database_is_scored(registered: Registered, tmp_path: Path) -> None:
    """`predict` is there whichever database is in use, and is not written into it."""
    connection = registered.connection
    connection.register("event", pa.Table.from_pylist([FLIGHT]))
    connection.execute(f"ATTACH '{tmp_path / 'x.duckdb'}' AS x; CREATE TABLE x.t AS FROM event; USE x")

    [(label, score)] = connection.sql("SELECT predict_label(t), predict_score(t) FROM t").fetchall()
    connection.execute("USE memory; DETACH x")

    assert (False, True) == (label, 0 < score < 1)
    with duckdb.connect(str(tmp_path / "x.duckdb")) as other, pytest.raises(duckdb.CatalogException):
        other.sql("SELECT predict(t) FROM t")


def test_row_that_can_t_be_scored_is_null_and_counted(registered: Registered) -> None:
    """Its neighbours have their answers; `predict_error` says why, the tally how many."""
    query = "SELECT predict_score(f) > 0, predict_error(f).reason, predict(f) IS NULL FROM rows f"

    found = rows_of(registered, query, [FLIGHT, {**FLIGHT, "dep_delay": None}, FLIGHT])

    assert [(True, None, False), (None, "wrong_type", True), (True, None, False)] == found
    message = "field 'dep_delay': expected double, found no value"
    assert (3, 1) == (registered.tally.rows, registered.tally.failed)
    assert [FaultCount("contract", "wrong_type", message, 1)] == list(registered.tally.faults.values())


def test_listener_hears_a_reason_once(flights: Package) -> None:
    """Without a listener it is logged; with one, the listener is told once for each reason."""
    heard: list[str] = []
    with duckdb.connect() as connection:
        stream.sql.register(connection, flights, listener=lambda new: heard.extend(f.reason for f in new))
        connection.register("rows", pa.Table.from_pylist([{**FLIGHT, "dep_delay": None}] * 3))
        connection.sql("SELECT predict(f) FROM rows f").fetchall()
        connection.sql("SELECT predict(f) FROM rows f").fetchall()

    assert ["wrong_type"] == heard


def test_several_functions_ask_the_model_once(registered: Registered) -> None:
    """DuckDB sees one call where a query has four."""
    query = "SELECT predict(f), predict_label(f), predict_score(f), predict_error(f) FROM rows f"

    rows_of(registered, query, [FLIGHT] * 10)

    assert 10 == registered.tally.rows


def test_null_row_has_neither_prediction_nor_error(registered: Registered) -> None:
    """What is not a row is not asked about; the rows beside it keep their places."""
    kind = pa.struct(pa.Table.from_pylist([{**FLIGHT, "humid": 1.0, "pressure": 1.0}]).schema)
    rows = pa.table({"r": pa.array([None, FLIGHT, None], kind)})

    found = rows_of(registered, "SELECT predict_score(r) IS NULL, predict_error(r) FROM rows", rows)

    assert [(True, None), (False, None), (True, None)] == found
    assert [(None,)] == rows_of(registered, "SELECT predict(NULL)")
    assert 0 == registered.tally.failed


@pytest.mark.parametrize("column", ["more", "humid"])
def test_union_of_duckdb_among_the_columns_is_read(registered: Registered, column: str) -> None:
    """Arrow itself would end the process where it gives a union the nulls of a row."""
    row = {k: v for k, v in FLIGHT.items() if k != column}
    query = f"SELECT predict_error(f) FROM (SELECT *, union_value(a := 50.5) AS {column} FROM rows) f"

    assert [(None,)] == rows_of(registered, query, [row])


def test_further_and_missing_columns(registered: Registered) -> None:
    """Columns that the model doesn't know are ignored; a missing one with a default has it, a carried one is null."""
    plain = {k: v for k, v in FLIGHT.items() if k not in ("flight_id", "temp", "humid")}

    [(prediction,)] = rows_of(
        registered, "SELECT predict(f) FROM rows f", [{**plain, "more": 1, "other": "x"}]
    )

    assert (None, "UA", "flights@1") == (prediction["flight_id"], prediction["carrier"], prediction["model"])
    assert prediction["label"] is False


def test_absent_column_with_a_default_is_noted(registered: Registered) -> None:
    """Each query's tally says which columns were not there, and what was perhaps meant."""
    row = {("Temp" if k == "temp" else k): v for k, v in FLIGHT.items()}
    said = "predict(f): no column 'temp': its default null is taken in every row; did you mean 'Temp'?"

    rows_of(registered, "SELECT predict(f) FROM rows f", [row])
    assert [said] == registered.tally.absent
    registered.tally.clear()
    rows_of(registered, "SELECT predict(f) FROM rows f", [FLIGHT])
    assert [] == registered.tally.absent


def test_lacking_column_s_own_name_is_in_the_advice(registered: Registered) -> None:
    """With the column that was perhaps meant; what it says can be typed."""
    row = {("Carrier" if k == "carrier" else k): v for k, v in FLIGHT.items() if k != "dest"}

    with pytest.raises(duckdb.InvalidInputException):
        rows_of(registered, "SELECT predict(f) FROM rows f", [row])

    assert isinstance(registered.refusal, QueryError)
    assert 'SELECT * RENAME ("Carrier" AS carrier, your_column AS dest) FROM' in registered.refusal.hint
    row["your_column"] = "ORD"
    renamed = 'SELECT * RENAME ("Carrier" AS carrier, your_column AS dest) FROM rows'
    [(found,)] = rows_of(registered, f"SELECT predict(f).carrier FROM ({renamed}) f", [row])
    assert "UA" == found


def test_row_without_the_model_s_columns_ends_the_query(registered: Registered) -> None:
    """It is the query that is wrong, not its data: the missing columns are named, and those that are there."""
    with pytest.raises(duckdb.InvalidInputException, match="the rows lack 'carrier', .*they have 'a'"):
        rows_of(registered, "SELECT predict(f) FROM (SELECT 1 AS a) f")
    with pytest.raises(duckdb.InvalidInputException, match="expected a row"):
        rows_of(registered, "SELECT predict(1)")


def test_rows_without_any_column_of_the_model_end_the_query(tmp_path: Path) -> None:
    """Also where each has a default: an answer from defaults alone would be about nothing."""
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 4.0], "b": [None, 1.0, 2.0, 3.0]})
    small = packed(tmp_path, HistGradientBoostingRegressor().fit(frame, [1.0, 2.0, 3.0, 4.0]), frame)

    with stream.sql.connect(small) as connection:
        with pytest.raises(
            duckdb.InvalidInputException, match="lack 'a', 'b', one of which small@1 needs; they have 'x'"
        ):
            connection.sql("SELECT predict(f) FROM (SELECT 1.0 AS x) f").fetchall()
        [(value,)] = connection.sql("SELECT predict_value(f) FROM (SELECT 1.0 AS b) f").fetchall()

    assert 2.5 == value


def test_regressor_has_predict_value_only(tmp_path: Path) -> None:
    """The functions are those of the model's answer."""
    frame = pd.DataFrame({"mean radius": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
    small = packed(tmp_path, LinearRegression().fit(frame[["mean radius"]], frame["y"]), frame)

    with stream.sql.connect(small) as connection:
        connection.register("frame", frame)
        found = connection.sql("SELECT predict_value(f), predict(f).value FROM frame f").fetchall()
        with pytest.raises(duckdb.CatalogException, match="predict_score does not exist"):
            connection.sql("SELECT predict_score(f) FROM frame f")

    assert [(2.0, 2.0), (4.0, 4.0), (6.0, 6.0)] == [(round(a, 9), round(b, 9)) for a, b in found]


def test_two_models_beside_each_other(registered: Registered, tmp_path: Path) -> None:
    """Each under a name of its own."""
    frame = pd.DataFrame({"x": [0.0, 1.0], "y": [1.0, 0.0]})
    tree = DecisionTreeClassifier(random_state=0).fit(frame, ["low", "high"])
    stream.sql.register(registered.connection, packed(tmp_path, tree, frame), "height")

    [found] = rows_of(
        registered, "SELECT height_label({'x': 1.0, 'y': 0.0}), predict_label(f) FROM rows f", [FLIGHT]
    )

    assert ("high", False) == found


def test_columns_that_differ_by_case_only_are_refused(tmp_path: Path) -> None:
    """DuckDB would rename the second one, and the model would take it for missing."""
    frame = pd.DataFrame({"ash": [1.0, 2.0, None], "Ash": [2.0, None, 6.0], "y": [2.0, 4.0, 6.0]})
    model = HistGradientBoostingRegressor().fit(frame[["ash", "Ash"]], frame["y"])
    small = packed(tmp_path, model, frame)

    with pytest.raises(SettingsError, match="'ash' and 'Ash', which are one name in SQL"):
        stream.sql.connect(small)


def test_text_that_is_not_a_name_is_refused(flights: Package) -> None:
    """A name goes into SQL; what can't be one is said."""
    with duckdb.connect() as connection, pytest.raises(SettingsError, match="letters, digits and _"):
        stream.sql.register(connection, flights, "x; DROP TABLE t")


def test_removed_functions_are_gone(registered: Registered) -> None:
    """Afterwards the model may be registered again."""
    registered.remove()
    registered.remove()

    with pytest.raises(duckdb.CatalogException):
        rows_of(registered, "SELECT predict(NULL)")


def test_types_of_the_struct_are_the_prediction_s(registered: Registered) -> None:
    """A struct of the fields of `prediction.avsc` but where the record came from, in its order."""
    registered.connection.register("rows", pa.Table.from_pylist([FLIGHT]))
    relation = registered.connection.sql("SELECT predict(f) AS p FROM rows f")
    fields = json.loads(open_package("models/flights").prediction)["fields"]

    names = [name for name, _ in relation.types[0].children]

    assert [field["name"] for field in fields if not field["name"].startswith("source_")] == names
