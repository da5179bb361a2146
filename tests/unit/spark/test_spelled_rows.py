"""Rows of a Spark query in text: the one spelling of each type, without Spark."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

import pyarrow as pa
import pytest

from stream.spark.spelled_rows import csv_columns, csv_schema, json_lines, own_names
from stream.types import type_of

EIGHT = dt.datetime(2013, 10, 19, 8, tzinfo=dt.UTC)
SPELLED: list[tuple[pa.DataType, object, object, object]] = [
    (pa.timestamp("us", "Europe/Berlin"), EIGHT, "2013-10-19T08:00:00.000000Z", "2013-10-19T08:00:00.000000Z"),
    (pa.timestamp("us"), EIGHT.replace(tzinfo=None), "2013-10-19T08:00:00.000000", "2013-10-19T08:00:00.000000"),
    (pa.date32(), dt.date(2024, 2, 29), "2024-02-29", "2024-02-29"),
    (pa.time64("us"), dt.time(8, 0, 0, 500_000), "08:00:00.500000", "08:00:00.500000"),
    (pa.decimal128(9, 2), decimal.Decimal("-12.9"), "-12.90", "-12.90"),
    (pa.decimal128(38, 0), decimal.Decimal(10) ** 37, "1" + "0" * 37, "1" + "0" * 37),
    (pa.binary(), b"\x00ab\xff", "\x00abÿ", "\x00abÿ"),
    (pa.float64(), math.nan, None, "nan"),
    (pa.float32(), -math.inf, None, "-inf"),
    (pa.float64(), 0.5, 0.5, "0.5"),
    (pa.int8(), -7, -7, -7),
    (pa.int64(), 2**62, 2**62, 2**62),
    (pa.bool_(), True, True, True),
    (pa.string(), 'é "', 'é "', 'é "'),
    (pa.duration("us"), dt.timedelta(days=1), "1 day, 0:00:00", "1 day, 0:00:00"),
    (pa.list_(pa.decimal128(9, 2)), [decimal.Decimal("1.5"), None], ["1.50", None], '["1.50", null]'),
    (pa.struct([("a", pa.date32())]), {"a": dt.date(2024, 2, 29)}, {"a": "2024-02-29"}, '{"a": "2024-02-29"}'),
    (pa.map_(pa.date32(), pa.list_(pa.float64())), [(dt.date(2024, 2, 29), [math.nan])], {"2024-02-29": [None]},
     '{"2024-02-29": [null]}'),
    (pa.map_(pa.int32(), pa.int32()), [(7, 8)], {"7": 8}, '{"7": 8}'),
    (pa.list_(pa.struct([("x", pa.map_(pa.string(), pa.timestamp("us", "UTC")))])), [{"x": [("k", EIGHT)]}, None],
     [{"x": {"k": "2013-10-19T08:00:00.000000Z"}}, None],
     '[{"x": {"k": "2013-10-19T08:00:00.000000Z"}}, null]'),
]  # fmt: skip
"""A type, a value, its JSON, and what a csv's writer is given."""


def written(table: pa.RecordBatch) -> list[dict[str, Any]]:
    """JSON lines, parsed."""
    (batch,) = json_lines({}, iter([table]))
    return [json.loads(line) for line in batch.column(0).to_pylist()]


@pytest.mark.parametrize(("kind", "value", "told", "cell"), SPELLED, ids=str)
def test_values_are_spelled_as_by_every_door(
    kind: pa.DataType, value: object, told: object, cell: object
) -> None:
    """A null is null; a slice is read from where it begins."""
    column = pa.array([None, value, None, value], kind)
    batch = pa.RecordBatch.from_arrays([column], ["x"])

    assert [{"x": None}, {"x": told}, {"x": None}, {"x": told}] == written(batch)
    assert [{"x": told}, {"x": None}] == written(batch.slice(1, 2))
    (csv,) = csv_columns({}, iter([batch]))
    assert csv_schema(batch.schema) == csv.schema
    assert [repr(None), repr(cell)] == [repr(each) for each in csv.column(0).to_pylist()[:2]]


def test_a_prediction_has_the_units_of_its_own_types() -> None:
    """Spark's instants are microseconds, and its times texts."""
    types = {"at": type_of("long", "timestamp-millis"), "model": type_of("string")}
    prediction = pa.array(
        [{"at": EIGHT, "model": "m@1"}],
        pa.struct([("at", pa.timestamp("us", "UTC")), ("model", pa.string())]),
    )
    batch = pa.RecordBatch.from_arrays([prediction], ["p"])

    (found,) = json_lines(types, iter([batch]))

    assert [{"p": {"at": "2013-10-19T08:00:00.000Z", "model": "m@1"}}] == list(
        map(json.loads, found.column(0).to_pylist())
    )


def test_two_columns_of_one_name_are_both_there() -> None:
    """JSON can't hold a name twice: the second has a number that nobody else has."""
    assert ["a", "a_2", "a_1", "b"] == own_names(["a", "a", "a_1", "b"])
