"""Columns at once and values one by one come to the same: the same columns, the same refusals."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from stream.codec import Decoder, RecordSchema
from stream.codec.dict_records import write_row
from stream.errors import RecordError
from stream.table.column_reader import ColumnReader
from stream.table.row_reader import record_reader
from stream.types import Misfit
from stream.types import shown as said

INT, LONG, FLOAT, DOUBLE = "int", "long", "float", "double"
DATE = {"type": "int", "logicalType": "date"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-millis"}
ENUM = {"type": "enum", "name": "Colour", "symbols": ["red", "green"]}
DOUBLES = {"type": "array", "items": "double"}
INTS = {"type": "array", "items": "int"}
GAPS = {"type": "array", "items": ["null", "double"]}
TYPES: list[Any] = [
    INT, LONG, FLOAT, DOUBLE, "boolean", "string", "bytes", ENUM, DATE, MILLIS, MICROS, LOCAL, DOUBLES, INTS, GAPS,
]  # fmt: skip

COLUMNS: list[pa.Array] = [
    pa.array([1, -1, None, 2**31 - 1, 2**31, -(2**31) - 1], pa.int64()),
    pa.array([2**53, 2**53 + 1, 2**63 - 1, -(2**63), None], pa.int64()),
    pa.array([2**64 - 1, 2**63, 0], pa.uint64()),
    pa.array([1, None, 127], pa.int8()),
    pa.array([1.0, 2.5, None, float("nan"), float("inf"), -0.0], pa.float64()),
    pa.array([1.0, None, float("nan")], pa.float64()),
    pa.array([1e300, 1e-300, 1e16, 2.0**53], pa.float64()),
    pa.array([1.5, None], pa.float32()),
    pa.array([True, False, None]),
    pa.array(["a", "", None, "red", "1", "2.5", "true", "2024-02-29", "NA"]),
    pa.array(["red", "green", None]),
    pa.array(["red", "blue"]).dictionary_encode(),
    pa.array(["x", None], pa.large_string()),
    pa.array(["x"], pa.string_view()),
    pa.array([b"\x00\xff", None]),
    pa.array([dt.date(2024, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    pa.array([1_709_209_815_250_999, -1], pa.timestamp("us")),
    pa.array([dt.datetime(2024, 7, 1, 23, tzinfo=dt.UTC), None], pa.timestamp("ms", "Europe/Berlin")),
    pa.array([pd.Timestamp("1969-12-31T23:59:59.999999999"), None], pa.timestamp("ns")),
    pa.array([0, None, -1, 253_402_300_799], pa.timestamp("s")),
    pa.array([[1.0, 2.0], [], None]),
    pa.array([[1.0, None], [float("nan")]]),
    pa.array([[1, 2**31], [3]]),
    pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2)),
    pa.array([[0.0], [1.0, 2.0], None, [3.0]]).slice(1),
    pa.array([decimal.Decimal("1.10"), decimal.Decimal("2.00"), None]),
    pa.nulls(3),
    pa.array([dt.time(1), None]),
    pa.array([{"a": 1}, None]),
    pa.array([1.0, 2.0, None, 4.0]).slice(1, 2),
]

CELLS = [
    None, "1", "-1", "+7", "007", "1.0", "2.5", "1e3", "0x1F", "0x1p3", ".5", "1.", "1_0", " 1", "1 ", "inf",
    "-Infinity", "nan", "NaN", "-nan", "NAN", "NA", "null", "None", "1e400", "9223372036854775807",
    "9223372036854775808", "2147483648", "٣", "true", "True", "FALSE", "0", "yes", "red", "blue", "2024-02-29",
    "2023-02-29", "0000-01-01", "0001-01-01", "2024-02-29T12", "2024-02-29 12:30", "2024-02-29T12:30:15.250999",
    "2024-02-29T12:30:15.250999999", "2024-02-29T12:30:15Z", "2024-02-29T12:30:15+02:00", "0000-01-01 00:00",
    "20240229", "[1.5, 2]", "[1, null]", "[", "naïve", "1,5", "--1", "12345678901234567890123", "0.1",
]  # fmt: skip


def schema(*fields: dict[str, Any]) -> RecordSchema:
    """A record of these fields."""
    return RecordSchema(json.dumps({"type": "record", "name": "E", "fields": list(fields)}))


def either(types: Sequence[Any]) -> list[Any]:
    """Each type, and each with null."""
    return [*types, *(["null", kind] for kind in types)]


def shown(columns: dict[str, pa.Array], wrong: dict[int, Any], n: int) -> list[object]:
    """Per row: the values as stored (so that NaN equals NaN), or the misfits in words."""
    rows: list[object] = []
    for i in range(n):
        if i in wrong:
            rows.append([(misfit.field, misfit.reason, str(misfit)) for misfit in wrong[i]])
        else:
            rows.append({path: (str(a.type), repr(_bare(a)[i].as_py())) for path, a in columns.items()})
    return rows


def _bare(array: pa.Array) -> pa.Array:
    """No Python datetime: Avro holds times that it can't."""
    if pa.types.is_timestamp(array.type):
        return array.view(pa.int64())
    return array.view(pa.int32()) if pa.types.is_date32(array.type) else array


def on_the_stream(event: RecordSchema, rows: list[dict[str, Any]], *, text: bool) -> list[object]:
    """Per row: the columns after Avro bytes and back, as `stream produce` and a worker do; None = refused."""
    read, decoder = record_reader(event.root, text=text), Decoder(event, event.fields, "bare", event)
    found: list[object] = []
    for row in rows:
        try:
            values = [write_row(event, read(row))]
        except (Misfit, RecordError):
            found.append(None)
            continue
        decoded = decoder.decode(values)
        columns = {path: (str(a.type), _bare(a)) for path, a in decoded.columns.items()}
        found += [{path: (kind, repr(a[i].as_py())) for path, (kind, a) in columns.items()}
                  for i in range(len(decoded.rows))] or [None]  # fmt: skip
    return found


@pytest.mark.parametrize("kind", either(TYPES), ids=str)
def test_typed_columns_are_what_their_values_are_one_by_one(kind: Any) -> None:
    """Every Arrow type into every Avro type: the column's cast, its values' reader and Avro's bytes agree."""
    event = schema({"name": "x", "type": kind})
    needed = ColumnReader(event, ["x"])
    for column in COLUMNS:
        rows = column.to_pylist()

        at_once = needed.from_table(pa.RecordBatch.from_pydict({"x": column}), False)
        by_row = needed.from_rows([{"x": value} for value in rows], text=False)

        assert shown(*by_row, len(column)) == shown(*at_once, len(column)), column
        streamed = on_the_stream(event, [{"x": value} for value in rows], text=False)
        assert streamed == [row if isinstance(row, dict) else None for row in shown(*at_once, len(column))]


@pytest.mark.parametrize("kind", either(TYPES), ids=str)
def test_cells_are_what_they_are_one_by_one(kind: Any) -> None:
    """A csv's texts, each alone and all in one column: cast, reader and Avro's bytes agree."""
    event = schema({"name": "x", "type": kind})
    needed = ColumnReader(event, ["x"])
    streamed = on_the_stream(event, [{"x": cell} for cell in CELLS], text=True)
    for cell, bytes_say in zip(CELLS, streamed, strict=True):
        at_once = needed.from_table(pa.RecordBatch.from_pydict({"x": pa.array([cell], pa.string())}), True)
        by_row = needed.from_rows([{"x": cell}], text=True)

        (found,) = shown(*at_once, 1)
        assert shown(*by_row, 1) == [found], cell
        assert bytes_say == (found if isinstance(found, dict) else None), cell
    together = needed.from_table(pa.RecordBatch.from_pydict({"x": pa.array(CELLS, pa.string())}), True)
    apart = needed.from_rows([{"x": cell} for cell in CELLS], text=True)
    assert shown(*apart, len(CELLS)) == shown(*together, len(CELLS))


def test_times_beyond_python_reach_the_column() -> None:
    """Avro's longs hold years that datetime can't; a unit that overflows is named, its neighbours stay."""
    needed = ColumnReader(schema({"name": "x", "type": MICROS}), ["x"])
    far = pa.array([2**62, 0], pa.timestamp("us"))
    overflow = pa.array([2**62, 0], pa.timestamp("s"))

    columns, wrong = needed.from_table(pa.RecordBatch.from_pydict({"x": far}), False)
    assert ([2**62, 0], {}) == (columns["x"].view(pa.int64()).to_pylist(), wrong)

    columns, wrong = needed.from_table(pa.RecordBatch.from_pydict({"x": overflow}), False)
    assert [(0, "value_out_of_range")] == [(i, misfits[0].reason) for i, misfits in wrong.items()]
    assert columns["x"].view(pa.int64()).to_pylist()[1] == 0


NESTED = schema(
    {"name": "id", "type": "string"},
    {
        "name": "weather",
        "type": ["null", {"type": "record", "name": "W", "fields": [
            {"name": "temp_c", "type": "double", "feature": "temp (C)"},
            {"name": "wind", "type": ["null", "double"], "default": None},
            {"name": "unused", "type": "string"},
        ]}],
    },
)  # fmt: skip
NESTED_ROWS: list[dict[str, Any]] = [
    {"id": "a", "weather": {"temp_c": 1.0, "wind": None}},
    {"id": "b", "weather": {"temp_c": 1, "wind": 2}},
    {"id": "c", "weather": None},
]


@pytest.mark.parametrize("rows", [NESTED_ROWS[:2], NESTED_ROWS], ids=["no-null-record", "null-record"])
def test_a_struct_is_a_nested_record(rows: list[dict[str, Any]]) -> None:
    """With or without a null record among them; fields that nobody needs may be missing."""
    needed = ColumnReader(NESTED, ["id", "weather.temp_c", "weather.wind"])
    batch = pa.Table.from_pylist(rows).to_batches()[0]

    at_once = needed.from_table(batch, False)

    assert {} == at_once[1]
    assert shown(*needed.from_rows(rows, text=False), len(rows)) == shown(*at_once, len(rows))


def test_dotted_columns_are_a_nested_record() -> None:
    """A flat table names nested fields with dots, by Avro's or the original name; all null is a null record."""
    needed = ColumnReader(NESTED, ["id", "weather.temp_c", "weather.wind"])
    batch = pa.RecordBatch.from_pydict(
        {"id": ["a", "b", "c"], "weather.temp (C)": [1.0, None, None], "weather.wind": [2.0, None, 3.0]}
    )

    columns, wrong = needed.from_table(batch, False)

    assert ["id", "weather.temp (C)", "weather.wind"] == needed.wanted([*batch.schema.names, "more"])
    assert [1.0, None] == columns["weather.temp_c"].to_pylist()[:2]
    assert [(2, "weather.temp (C)", "wrong_type")] == [
        (i, m.field, m.reason) for i, misfits in wrong.items() for m in misfits
    ]


@pytest.mark.parametrize("value", [[1], {"a": 1}, [], {}, [None]])
def test_list_or_object_under_a_dotted_name_is_refused_by_name(value: object) -> None:
    """Like any other value that is not of the type."""
    needed = ColumnReader(NESTED, ["id", "weather.temp_c", "weather.wind"])

    _, wrong = needed.from_rows([{"id": "a", "weather.temp_c": 1.0, "weather.wind": value}], text=False)

    assert [("weather.wind", "wrong_type")] == [(one.field, one.reason) for one in wrong[0]]


def test_the_original_name_comes_before_avros() -> None:
    """Either finds the column; with both, the original does."""
    needed = ColumnReader(
        schema({"name": "size__cm_", "type": DOUBLE, "feature": "size (cm)"}), ["size__cm_"]
    )
    for names, expected in ((["size (cm)"], 1.0), (["size__cm_"], 1.0), (["size__cm_", "size (cm)"], 2.0)):
        batch = pa.RecordBatch.from_pydict({name: [float(i)] for i, name in enumerate(names, 1)})

        columns, wrong = needed.from_table(batch, False)

        assert ({}, [expected]) == (wrong, columns["size__cm_"].to_pylist())


def test_a_missing_column_is_its_default_or_a_fault_of_every_row() -> None:
    """Defaults come with their Avro types; without one, each row says what it lacks."""
    event = schema(
        {"name": "id", "type": "string"},
        {"name": "n", "type": DATE, "default": 3},
        {"name": "raw", "type": "bytes", "default": "\u00ff"},
        {"name": "v", "type": DOUBLES, "default": [1, 2]},
        {"name": "o", "type": ["null", "double"], "default": None},
        {"name": "in", "type": {"type": "record", "name": "In", "fields": [
            {"name": "k", "type": "int", "default": 7}]}, "default": {}},
        {"name": "must", "type": "long"},
    )  # fmt: skip
    needed = ColumnReader(event, ["id", "n", "raw", "v", "o", "in.k", "must"])
    rows = [{"id": "a", "must": 1}, {"id": "b", "must": 2}]

    columns, wrong = needed.from_table(pa.Table.from_pylist(rows).to_batches()[0], False)

    assert {} == wrong
    assert {
        "n": [dt.date(1970, 1, 4)] * 2, "raw": [b"\xff"] * 2, "v": [[1.0, 2.0]] * 2, "o": [None] * 2,
        "in.k": [7] * 2, "id": ["a", "b"], "must": [1, 2],
    } == {path: column.to_pylist() for path, column in columns.items()}  # fmt: skip
    assert shown(*needed.from_rows(rows, text=False), 2) == shown(columns, wrong, 2)

    _, wrong = needed.from_table(pa.RecordBatch.from_pydict({"x": [1, 2]}), False)
    assert {0: ["id", "must"], 1: ["id", "must"]} == {i: [m.field for m in each] for i, each in wrong.items()}
    assert {"missing_field"} == {m.reason for each in wrong.values() for m in each}


def test_optional_leaves_may_be_missing_or_null() -> None:
    """A carried field that a caller leaves out is null, whatever its type says; the others are needed as ever."""
    inner = {
        "type": "record",
        "name": "Inner",
        "fields": [{"name": "key", "type": "string"}, {"name": "x", "type": "double"}],
    }
    schema = RecordSchema(
        json.dumps(
            {
                "type": "record",
                "name": "E",
                "fields": [
                    {"name": "id", "type": "string"},
                    {"name": "y", "type": "double"},
                    {"name": "part", "type": inner},
                    {"name": "only", "type": {**inner, "name": "Only"}},
                ],
            }
        )
    )
    needed = ColumnReader(schema, ["y", "part.x"], ["id", "part.key", "only.key"])

    columns, wrong = needed.from_rows(
        [
            {"y": 1, "part": {"x": 2}},
            {"y": 1, "id": "i", "part": {"x": 2, "key": "k"}, "only": {"key": "o"}},
            {"id": None, "part": {}},
            {"y": 1, "id": 3, "part": {"x": 2}},
        ],
        text=False,
    )

    assert [None, "i", None, None] == columns["id"].to_pylist()
    assert [None, "k", None, None] == columns["part.key"].to_pylist()
    assert [None, "o", None, None] == columns["only.key"].to_pylist()
    assert {2: ["y", "part.x"], 3: ["id"]} == {row: [one.field for one in wrong[row]] for row in wrong}


def test_halves_of_reading_make_the_whole() -> None:
    """Rows of several callers, read apart, make the columns that they make together."""
    schema = RecordSchema('{"type": "record", "name": "E", "fields": [{"name": "y", "type": "double"}]}')
    needed = ColumnReader(schema, ["y"])
    first, _ = needed.events([{"y": 1}], text=False)
    second, wrong = needed.events([{"y": 10**400}, {"y": 2}], text=False)

    assert [1.0, None, 2.0] == needed.columns([*first, *second])[0]["y"].to_pylist()
    assert ["value_out_of_range"] == [misfit.reason for misfit in wrong[0]]


def test_values_in_messages_are_json() -> None:
    """A number is not a text that looks like one."""
    given = ["5", 5, None, True, [1, "a"], dt.date(2024, 2, 29)]

    assert ["'5'", "5", "null", "true", '[1, "a"]', '"2024-02-29"'] == [said(value) for value in given]
