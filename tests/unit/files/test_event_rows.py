"""Rows of data files as Avro records: the same event from every format, and errors that name the cell."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.codec import RecordSchema
from stream.errors import SampleError
from stream.files import events_of, read_events, sample_of

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "count", "type": "int"},
    {"name": "size", "type": ["null", "double"], "default": None},
    {"name": "flag", "type": "boolean"},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "mean_radius__cm_", "type": "double", "feature": "mean radius (cm)"},
    {"name": "tags", "type": {"type": "array", "items": "double"}},
]
EVENTS: list[dict[str, Any]] = [
    {
        "id": "007", "count": 3, "size": 1.5, "flag": True, "day": dt.date(2024, 2, 29),
        "at": dt.datetime(2024, 2, 29, 12, 30, 15, 250_000, tzinfo=dt.UTC), "mean_radius__cm_": 2.0,
        "tags": [1.0, 2.5],
    },
    {
        "id": "naïve, \"x\"", "count": -1, "size": None, "flag": False, "day": dt.date(1969, 12, 31),
        "at": dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "mean_radius__cm_": 1e-9, "tags": [],
    },
]  # fmt: skip


def schema(*fields: dict[str, Any]) -> RecordSchema:
    """A record of these fields."""
    return RecordSchema(json.dumps({"type": "record", "name": "E", "fields": list(fields)}))


def _original(event: dict[str, Any]) -> dict[str, Any]:
    return {"mean radius (cm)" if key == "mean_radius__cm_" else key: value for key, value in event.items()}


def _csv(path: Path) -> None:
    rows = [{**_original(event), "tags": json.dumps(event["tags"]), "unused": 1} for event in EVENTS]
    pd.DataFrame(rows).to_csv(path, index=False)


def _jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(_original(event), default=str) for event in EVENTS) + "\n\n")


def _parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([_original(event) for event in EVENTS]), path)


def _avro(path: Path) -> None:
    with path.open("wb") as file:
        fastavro.writer(file, schema(*FIELDS).parsed, EVENTS)


@pytest.mark.parametrize(
    ("name", "write"), [("e.csv", _csv), ("e.jsonl", _jsonl), ("e.parquet", _parquet), ("e.avro", _avro)]
)
def test_every_format_gives_the_same_events(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    """Columns are found by their original or their Avro name; an empty csv cell is null."""
    write(tmp_path / name)

    events = list(read_events(tmp_path / name, schema(*FIELDS)))

    assert EVENTS == events
    fastavro.writer(io.BytesIO(), schema(*FIELDS).parsed, events)


def test_frame_gives_the_same_events() -> None:
    """pandas' NaN and NaT are nulls; its whole numbers with gaps are floats."""
    frame = pd.DataFrame({"n": [1.0, None], "t": [pd.Timestamp("2024-01-01"), None], "s": ["a", None]})
    fields: list[dict[str, Any]] = [
        {"name": "n", "type": ["null", "long"]},
        {"name": "t", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
        {"name": "s", "type": ["null", "string"]},
    ]

    events = list(events_of(sample_of(frame), schema(*fields)))

    assert [
        {"n": 1, "t": dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "s": "a"},
        {"n": None, "t": None, "s": None},
    ] == events


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        ("int", "2147483647", 2**31 - 1), ("long", "-9223372036854775808", -(2**63)), ("int", "3.0", 3),
        ("double", "1e-3", 0.001), ("double", "-inf", float("-inf")), ("double", ".5", 0.5),
        ("boolean", "TRUE", True), ("boolean", "0", False), ("string", "NA", "NA"), ("string", " x ", " x "),
        (["null", "double"], "NA", None), (["null", "int"], "", None), (["null", "string"], "", None),
        (["null", "string"], "null", "null"), (["double", "string"], "x", {"string": "x"}),
        ({"type": "long", "logicalType": "timestamp-micros"}, "2024-03-31T01:30:00+02:00",
         dt.datetime(2024, 3, 30, 23, 30, tzinfo=dt.UTC)),
        ({"type": "long", "logicalType": "timestamp-millis"}, "1700000000000", 1_700_000_000_000),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, "2024-01-01 00:00",
         dt.datetime(2024, 1, 1)),  # noqa: DTZ001  # local times have no zone
        ({"type": "enum", "name": "X", "symbols": ["a"]}, "a", "a"),
    ],
)  # fmt: skip
def test_csv_cell_is_read_as_the_fields_type(tmp_path: Path, kind: Any, cell: str, expected: object) -> None:
    """`NA` and its like are nulls where a text can't stand."""
    (tmp_path / "e.csv").write_text(f"other,x\n1,{cell}\n")

    assert [{"x": expected}] == list(read_events(tmp_path / "e.csv", schema({"name": "x", "type": kind})))


@pytest.mark.parametrize(
    ("kind", "cell", "message"),
    [
        ("int", "x", "expected int, found 'x'"), ("int", "2147483648", "out of range for int"),
        ("int", "1.5", "expected int, found 1.5"), ("double", "1,5", "expected 2 cells"),
        ("int", "", "expected int, found no value"), ("double", "NA", "expected double, found no value"),
        ("string", "", "expected string, found no value"), ("boolean", "yes", "expected boolean"),
        ({"type": "int", "logicalType": "date"}, "2024-02-30", "expected date"),
        ({"type": "enum", "name": "X", "symbols": ["a", "b"]}, "c", "expected one of a, b, found 'c'"),
        ({"type": "array", "items": "int"}, "[1", "JSON list"), ("int", "1_000", "expected int"),
    ],
)  # fmt: skip
def test_cell_that_does_not_fit_is_named(tmp_path: Path, kind: Any, cell: str, message: str) -> None:
    """File, line and column."""
    path = tmp_path / "e.csv"
    path.write_text(f"id,x\nb,{cell}\n")

    with pytest.raises(SampleError, match=message) as caught:
        list(read_events(path, schema({"name": "x", "type": kind})))

    assert caught.value.message.startswith(f"{path}:2:")


def test_error_names_line_and_column(tmp_path: Path) -> None:
    """A text over two lines counts as two."""
    path = tmp_path / "e.csv"
    path.write_text('id,x\n"two\nlines",1\nb,oops\n')

    events = read_events(path, schema({"name": "x", "type": "int"}))

    assert {"x": 1} == next(events)
    with pytest.raises(SampleError, match=r"e\.csv:4:x: expected int, found 'oops'"):
        next(events)


def test_nested_error_names_the_path(tmp_path: Path) -> None:
    """Down to the field within."""
    (tmp_path / "e.jsonl").write_text('{"home": {"size": "big"}}\n')
    inner = {"type": "record", "name": "H", "fields": [{"name": "size", "type": "int"}]}

    with pytest.raises(SampleError, match=r"e\.jsonl:1:home\.size: expected int, found 'big'"):
        list(read_events(tmp_path / "e.jsonl", schema({"name": "home", "type": inner})))


def test_dotted_columns_make_a_nested_record(tmp_path: Path) -> None:
    """A flat file can hold nested events; a record that may be null is, where all its cells are empty."""
    (tmp_path / "e.csv").write_text("home.size,home.city,x\n3,York,1\n,,2\n")
    inner = {
        "type": "record",
        "name": "H",
        "fields": [{"name": "size", "type": "int"}, {"name": "city", "type": "string"}],
    }

    events = read_events(
        tmp_path / "e.csv", schema({"name": "home", "type": ["null", inner]}, {"name": "x", "type": "int"})
    )

    assert [{"home": {"size": 3, "city": "York"}, "x": 1}, {"home": None, "x": 2}] == list(events)


def test_missing_column_takes_the_default_or_is_named(tmp_path: Path) -> None:
    """Never a silent null."""
    (tmp_path / "e.jsonl").write_text('{"x": 1}\n')
    with_default = schema({"name": "x", "type": "int"}, {"name": "y", "type": "string", "default": "-"})
    without = schema({"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]})

    assert [{"x": 1, "y": "-"}] == list(read_events(tmp_path / "e.jsonl", with_default))
    with pytest.raises(SampleError, match=r"e\.jsonl:1:y: there is no such column"):
        list(read_events(tmp_path / "e.jsonl", without))


def test_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    """Spreadsheets write one."""
    (tmp_path / "e.csv").write_bytes("\ufeffx\n1\n".encode())

    assert [{"x": 1}] == list(read_events(tmp_path / "e.csv", schema({"name": "x", "type": "int"})))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", b"x,x\n1,2\n", "two columns are called x"),
        ("e.csv", b"x,y\n1\n", r"e\.csv:2: expected 2 cells"),
        ("e.csv", b"x\n\xff\n", r"e\.csv:2: a cell is not UTF-8"),
        ("e.csv", b'x\n"open\n', r"e\.csv:2: is not csv: unexpected end of data"),
        ("e.jsonl", b'{"x": 1}\n{"x"\n', r"e\.jsonl:2: is not JSON"),
        ("e.jsonl", b"[1]\n", r"e\.jsonl:1: expected an object"),
        ("e.parquet", b"PAR1 not really", "can't be read"),
        ("e.parquet", b"", "can't be read"),
        ("e.avro", b"Obj\x01", "can't be read"),
        ("e.avro", b"", "can't be read"),
        ("e.xlsx", b"", r"expected a file called \.parquet, \.csv, \.jsonl, \.avro"),
    ],
)
def test_broken_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """With the place, where the format knows it."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SampleError, match=message) as caught:
        list(read_events(tmp_path / name, schema({"name": "x", "type": "int"})))

    assert name in caught.value.message


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """Before a schema is looked at."""
    with pytest.raises(SampleError, match="no such file"):
        read_events(tmp_path / "gone.csv", schema({"name": "x", "type": "int"}))


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    """A broken end does not hinder the beginning."""
    (tmp_path / "e.jsonl").write_text('{"x": 1}\n{"x": 2}\nbroken\n')

    events = read_events(tmp_path / "e.jsonl", schema({"name": "x", "type": "int"}))

    assert [{"x": 1}, {"x": 2}] == [next(events), next(events)]


def test_record_that_contains_itself_is_read(tmp_path: Path) -> None:
    """As deep as the row goes."""
    (tmp_path / "e.jsonl").write_text('{"v": 1, "next": {"v": 2, "next": null}}\n')
    fields: list[dict[str, Any]] = [{"name": "v", "type": "int"}, {"name": "next", "type": ["null", "E"]}]

    assert [{"v": 1, "next": {"v": 2, "next": None}}] == list(
        read_events(tmp_path / "e.jsonl", schema(*fields))
    )
