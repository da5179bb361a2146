"""Tables in, predictions and faults out: the same as on the stream."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pytest

from stream.codec import Decoder, Encoder, RecordSchema
from stream.codec.dict_records import write_row
from stream.files import read_rows
from stream.manifest import Feature, Manifest
from stream.pipeline import Pipeline
from stream.records import Batch, DeadLetter
from stream.scoring import Model, carried_names
from stream.store import Package, open_package
from stream.table import TableScorer

FLIGHTS = Path("models/flights")


@pytest.fixture(scope="module")
def flights() -> Package:
    """The demo's model."""
    return open_package(FLIGHTS)


def events(package: Package) -> list[dict[str, Any]]:
    """Its golden rows, unseen texts and extreme numbers among them."""
    rows = [dict(row.values["event"]) for row in read_rows(package.path / "golden.avro")]
    for row, (name, value) in zip(
        rows, [("carrier", "??"), ("dest", ""), ("dep_delay", 1e300)], strict=False
    ):
        row[name] = value
    return rows


def on_the_stream(package: Package, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the worker's pipeline publishes for the rows, without where they came from."""
    features, prediction = RecordSchema(package.features), RecordSchema(package.prediction)
    carry = carried_names(package.manifest.carry)
    paths = list(dict.fromkeys([*(f.path for f in package.manifest.features), *carry]))
    pipeline = Pipeline(
        Decoder(features, paths, "bare", features),
        package.model,
        Encoder(prediction),
        package.manifest.model,
        carry,
    )
    values: list[bytes | None] = [write_row(features, row) for row in rows]
    n = len(rows)
    outcomes = pipeline.process(Batch("t", [0] * n, list(range(n)), [0] * n, [None] * n, values, [None] * n))
    found = []
    for outcome in outcomes:
        assert isinstance(outcome, bytes)
        record: Any = fastavro.schemaless_reader(io.BytesIO(outcome), prediction.parsed, None)
        found.append({k: v for k, v in record.items() if not k.startswith("source_")})
    return found


def test_a_table_scores_as_the_stream_does(flights: Package) -> None:
    """The golden rows, with unseen texts and extremes: the same fields, values and order."""
    rows = events(flights)
    table = pa.Table.from_pylist(rows)

    scored = TableScorer(flights.model, flights.features).score(table)

    assert ({}, range(len(rows))) == (scored.faults, scored.rows)
    assert on_the_stream(flights, rows) == scored.predictions.to_pylist()


def test_rows_score_as_a_table_does(flights: Package) -> None:
    """JSON's objects need not become a table first."""
    rows = events(flights)
    scorer = TableScorer(flights.model, flights.features)

    assert scorer.score(pa.Table.from_pylist(rows)).predictions == scorer.score_rows(rows).predictions


def test_texts_of_a_csv_score_as_typed_columns_do(flights: Package) -> None:
    """All texts, or those of named columns only (partitions in a folder's name)."""
    rows = events(flights)
    scorer = TableScorer(flights.model, flights.features)
    table = pa.Table.from_pylist(rows)
    texts = pa.table(
        {name: pa.array([None if row[name] is None else str(row[name]) for row in rows]) for name in rows[0]}
    )
    mixed = table.set_column(table.schema.get_field_index("hour"), "hour", texts["hour"])

    assert scorer.score(table).predictions == scorer.score(texts, text=True).predictions
    assert scorer.score(table).predictions == scorer.score(mixed, text=["hour"]).predictions
    assert scorer.score(table).predictions == scorer.score_rows(mixed.to_pylist(), text=["hour"]).predictions


def test_every_field_that_does_not_fit_is_named(flights: Package) -> None:
    """One dead letter a row, of stage contract; its neighbours are scored."""
    good = events(flights)[0]
    bad = {**good, "hour": 2**31, "weekday": "Monday", "carrier": None}
    del bad["distance"]

    scored = TableScorer(flights.model, flights.features).score_rows([good, bad, good])

    assert [0, 2] == scored.rows
    assert [
        ("carrier", "wrong_type", "expected string, found no value"),
        ("distance", "missing_field", "there is no such column, and the field has no default"),
        ("weekday", "wrong_type", "expected int, found 'Monday'"),
        ("hour", "value_out_of_range", "2147483648 is out of range for int"),
    ] == sorted(
        ((misfit.field, misfit.reason, misfit.message) for misfit in scored.fields[1]),
        key=lambda found: list(TYPES).index(found[0]),
    )
    fault = scored.faults[1]
    assert ("contract", "stream.errors.RecordError", scored.fields[1][0].field) == (
        fault.stage,
        fault.exception,
        fault.field,
    )
    assert all(f"field {name!r}" in fault.message for name in ("carrier", "distance", "weekday", "hour"))
    assert [True, False, True] == [row["model"] is not None for row in scored.aligned().to_pylist()]


TYPES = dict.fromkeys(("carrier", "distance", "weekday", "hour"))


class Touchy:
    """Raises on negative numbers, answers NaN for zero."""

    def predict(self, x: Any) -> Any:
        """The number itself."""
        values = np.asarray(x)[:, 0]
        if (values < 0).any():
            raise ValueError("negative")
        return np.where(values == 0, np.nan, values)


def touchy(carry: tuple[str, ...] = ("id",)) -> Model:
    """A regressor of one number, called `x (cm)`."""
    feature = Feature("x (cm)", "x__cm_", "long", "number", True)
    return Model(Touchy(), Manifest("touchy", 3, "", "regressor", "matrix", (feature,), 1, carry=carry))


TOUCHY = json.dumps(
    {"type": "record", "name": "E", "fields": [
        {"name": "id", "type": ["null", "string"], "default": None},
        {"name": "x__cm_", "type": ["null", "long"], "feature": "x (cm)"},
        {"name": "other", "type": "string"},
    ]}
)  # fmt: skip


def test_a_fault_of_the_model_is_its_rows_own() -> None:
    """Raised, not finite, not exact as float64, null: each row's own fate, in whatever order they come."""
    table = pa.table({"id": list("abcdef"), "x (cm)": [1, -1, 0, 2**53 + 1, None, 2]})

    scored = TableScorer(touchy(), TOUCHY).score(table)

    assert [0, 5] == list(scored.rows)
    assert [
        {"id": "a", "value": 1.0, "model": "touchy@3"},
        {"id": "f", "value": 2.0, "model": "touchy@3"},
    ] == scored.predictions.to_pylist()
    assert {
        1: ("score", "model_raised"),
        2: ("score", "not_finite"),
        3: ("contract", "value_out_of_range"),
        4: ("score", "not_finite"),
    } == {i: (fault.stage, fault.reason) for i, fault in sorted(scored.faults.items())}
    assert ["x (cm)"] == [misfit.field for misfit in scored.fields.pop(3)]
    assert {} == scored.fields
    assert ("x (cm)", "field 'x (cm)': 9007199254740993 is not exact as float64") == (
        scored.faults[3].field,
        scored.faults[3].message,
    )


def test_faults_before_and_in_the_model_keep_their_rows() -> None:
    """A row that never reaches the model shifts the places of those that do."""
    scored = TableScorer(touchy(), TOUCHY).score_rows(
        [{"x__cm_": "no"}, {"x__cm_": -1}, {"x__cm_": 3}, {"id": 5, "x__cm_": 1}, {"x (cm)": 4}]
    )

    assert [2, 4] == list(scored.rows)
    assert [3.0, 4.0] == scored.predictions.column("value").to_pylist()
    assert ["contract", "contract", "score"] == [scored.faults[i].stage for i in (0, 3, 1)]


def test_carried_fields_can_be_left_out() -> None:
    """A query that needs the answer only need not have them."""
    scorer = TableScorer(touchy(("other",)), TOUCHY, carry=False)

    assert ["value", "model"] == scorer.schema.names
    assert [5.0] == scorer.score_rows([{"x (cm)": 5}]).predictions.column("value").to_pylist()
    assert {0} == set(TableScorer(touchy(("other",)), TOUCHY).score_rows([{"x (cm)": 5}]).faults)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x (cm)": pa.array([], pa.int64())}),
        pa.table({}),
        pa.RecordBatch.from_pylist([], pa.schema([])),
    ],
    ids=["no-rows", "no-columns", "batch"],
)
def test_no_rows_have_no_predictions(table: pa.Table | pa.RecordBatch) -> None:
    """The schema is there all the same."""
    scorer = TableScorer(touchy(), TOUCHY)

    scored = scorer.score(table)

    assert (0, 0, scorer.schema) == (scored.count, len(scored.predictions), scored.aligned().schema)


def test_a_table_in_chunks_is_one_table() -> None:
    """DuckDB and pyarrow give columns in pieces."""
    one: Callable[[list[int]], pa.Table] = lambda values: pa.table({"x (cm)": values})  # noqa: E731

    scored = TableScorer(touchy(), TOUCHY).score(pa.concat_tables([one([1]), one([2, -1]), one([3])]))

    assert ([0, 1, 3], [1.0, 2.0, 3.0]) == (scored.rows, scored.predictions.column("value").to_pylist())
    assert isinstance(scored.faults[2], DeadLetter)
