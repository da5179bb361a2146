"""A caller's rows as columns, and every field of every row that does not fit."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa

from stream.codec import ABSENT, RecordSchema
from stream.files import LeafReader, WrongField

SCHEMA = RecordSchema(
    json.dumps(
        {
            "type": "record",
            "name": "E",
            "fields": [
                {"name": "id", "type": "string"},
                {"name": "mean_radius__cm_", "type": "double", "feature": "mean radius (cm)"},
                {"name": "small", "type": "float"},
                {"name": "count", "type": ["null", "long"], "default": None},
                {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                {"name": "day", "type": {"type": "int", "logicalType": "date"}},
                {
                    "name": "air",
                    "type": {
                        "type": "record",
                        "name": "Air",
                        "fields": [
                            {"name": "temp", "type": "double"},
                            {"name": "wind", "type": "int", "default": 7},
                        ],
                    },
                },
                {"name": "unused", "type": "string"},
            ],
        }
    )
)
NEEDED = ["mean_radius__cm_", "small", "count", "at", "day", "air.temp", "air.wind"]
ROW: dict[str, Any] = {
    "mean radius (cm)": 1,
    "small": 0.5,
    "at": "2024-02-29T12:30:15.2509",
    "day": "2024-02-29",
    "air": {"temp": -1.5},
}


def read(*rows: dict[str, Any], text: bool = False) -> tuple[dict[str, list[object]], list[WrongField]]:
    """The rows' values and misfits."""
    return LeafReader(SCHEMA, NEEDED, ["id"], text=text).read(rows)


def wrong_fields(**changes: object) -> list[tuple[str, str]]:
    """Which fields of the row do not fit after these changes, and why."""
    return [(one.field, one.reason) for one in read({**ROW, **changes})[1]]


def test_row_by_original_names_becomes_columns() -> None:
    """Times are cut to the type's unit, defaults filled in, an optional field that was left out is null."""
    reader = LeafReader(SCHEMA, NEEDED, ["id"])
    values, wrong = reader.read([ROW])

    columns = reader.columns(values)

    assert [] == wrong
    assert ABSENT is values["id"][0]
    assert {
        "mean_radius__cm_": pa.array([1.0]),
        "small": pa.array([0.5], pa.float32()),
        "count": pa.array([None], pa.int64()),
        "at": pa.array([dt.datetime(2024, 2, 29, 12, 30, 15, 250_000)], pa.timestamp("ms")),  # noqa: DTZ001
        "day": pa.array([dt.date(2024, 2, 29)]),
        "air.temp": pa.array([-1.5]),
        "air.wind": pa.array([7], pa.int32()),
        "id": pa.array([None], pa.string()),
    } == columns


def test_avro_names_and_dotted_names_are_taken_too() -> None:
    """A flat row has its nested fields by dotted names, with the record's own defaults."""
    flat = {key: value for key, value in ROW.items() if key not in ("air", "mean radius (cm)")}
    expected = read(ROW)

    assert expected == read({**flat, "mean_radius__cm_": 1, "air.temp": -1.5})


def test_texts_of_a_csv_stand_for_values() -> None:
    """Every cell is a text, and no value where there is none."""
    cells = {"mean radius (cm)": "1.0", "small": "0.5", "count": None, "at": ROW["at"], "day": ROW["day"]}
    expected = read(ROW)

    assert expected == read({**cells, "air.temp": "-1.5"}, text=True)
    assert [] != read({**ROW, "small": "0.5"})[1]


def test_every_missing_field_is_named_in_every_row() -> None:
    """Nothing is found out one request at a time."""
    wrong = read(ROW, {})[1]

    assert [
        (1, "mean radius (cm)"),
        (1, "small"),
        (1, "at"),
        (1, "day"),
        (1, "air.temp"),
        (1, "air.wind"),
    ] == [(one.row, one.field) for one in wrong]
    assert {"missing_field"} == {one.reason for one in wrong}


def test_values_of_other_types_are_named() -> None:
    """What does not fit is said with what was expected."""
    assert [("small", "wrong_type"), ("day", "wrong_type")] == wrong_fields(small="x", day="tomorrow")
    assert [("air.temp", "wrong_type"), ("air.wind", "wrong_type")] == wrong_fields(air=3)
    assert [("at", "wrong_type")] == wrong_fields(at=None)
    assert [("id", "wrong_type")] == wrong_fields(id="\ud800")


def test_values_beyond_their_types_are_named() -> None:
    """A value is never rounded to infinity or wrapped around."""
    assert [("mean radius (cm)", "value_out_of_range")] == wrong_fields(**{"mean radius (cm)": 10**400})
    assert [("small", "value_out_of_range")] == wrong_fields(small=1e300)
    assert [("day", "value_out_of_range")] == wrong_fields(day=2**40)
    assert [] == wrong_fields(small=float("inf"))
