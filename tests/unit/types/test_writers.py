"""One spelling: a value of any type is the same text or JSON value whoever writes it, and is read back from it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from typing import Any

import fastavro
import pandas as pd
import pyarrow as pa
import pytest

from stream.batch.output import output_schema
from stream.codec import RecordSchema
from stream.codec.dict_records import plain_row, read_row, write_row
from stream.files import OUTPUT_FORMATS
from stream.types import AvroType, json_text, type_of
from tests.unit.codec.samples import told
from tests.unit.types.kinds import EVERY, schema_of, title


def values_of(kind: AvroType) -> list[Any]:
    """Some values as an Avro record holds them, and a gap."""
    chance = random.Random(7)
    return [*(kind.sample(chance) for _ in range(20)), None]


def written(name: str, kind: AvroType, column: pa.Array) -> bytes:
    """What a format writes of one column."""
    schema = schema_of(kind)
    file = io.BytesIO()
    of_files = output_schema(pa.schema([("x", kind.arrow)]), schema.text)
    zoned = pa.schema([of_files.field("x")])
    writer = OUTPUT_FORMATS[name].writer(file, zoned, schema.text)
    writer.write_batch(pa.RecordBatch.from_arrays([column.cast(zoned.field("x").type)], schema=zoned))
    writer.close()
    return file.getvalue()


def bare_rows(content: bytes) -> list[Any]:
    """The rows of an Avro file without what their types mean, of which Python can't hold all."""
    blocks: Any = fastavro.block_reader(io.BytesIO(content))
    schema = fastavro.parse_schema(told(without_meaning(json.loads(blocks.metadata["avro.schema"]))))
    return [
        fastavro.schemaless_reader(block.bytes_, schema, None)
        for block in blocks
        for _ in range(block.num_records)
    ]


def without_meaning(schema: Any) -> Any:
    """An Avro schema without logical types."""
    if isinstance(schema, dict):
        return {key: without_meaning(value) for key, value in schema.items() if key != "logicalType"}
    return [without_meaning(item) for item in schema] if isinstance(schema, list) else schema


def parsed(line: str) -> Any:
    """JSON as RFC 8259 has it: a reader may refuse NaN, and this one does."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    return json.loads(line, parse_constant=refuse)


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_every_writer_of_json_has_the_same_value(kind: AvroType) -> None:
    """Lines of a batch, an answer of REST and a line of `stream watch`."""
    values = values_of(kind)
    column, wrong = kind.from_values(values)
    schema = schema_of(kind)

    lines = written("jsonl", kind, column).decode().splitlines()

    assert {} == wrong
    rest = kind.json_values(column)
    assert rest == [parsed(line)["x"] for line in lines]
    watched = [plain_row(schema, read_row(schema, write_row(schema, {"x": value}))) for value in values]
    if kind.name != "decimal" and not kind.name.startswith("time-"):  # without a column of their own
        assert rest == [parsed(json_text(row))["x"] for row in watched]


@pytest.mark.parametrize("kind", EVERY, ids=title)
@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_what_was_written_is_read_as_it_was(kind: AvroType, name: str) -> None:
    """There and back through a file, value by value."""
    column, _ = kind.from_values(values_of(kind))

    text = written(name, kind, column).decode()

    if name == "csv":
        cells = [row[0] if row else None for row in csv.reader(io.StringIO(text, newline=""))][1:]
        again, wrong = kind.from_column(pa.array(cells, pa.string()), text=True)
    else:
        read = kind.reader(nullable=True, text=False)
        again, wrong = kind.from_values([read(json.loads(line)["x"]) for line in text.splitlines()])
    assert {} == wrong
    assert column.equals(again)


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_avro_holds_what_was_written(kind: AvroType) -> None:
    """The bare values, whatever Python's own class for the type can hold."""
    column, _ = kind.from_values(values_of(kind))

    content = written("avro", kind, column)

    assert kind.python_values(kind.to_storage(column)) == [row["x"] for row in bare_rows(content)]


@pytest.mark.parametrize(
    ("kind", "bare"),
    [
        (type_of("int", "date"), [-719_163, 2_932_897]),
        (type_of("long", "timestamp-millis"), [-62_135_596_800_001, 253_402_300_800_000]),
        (type_of("long", "timestamp-nanos"), [1, 1_382_169_600_123_456_789]),
    ],
    ids=["date", "timestamp-millis", "timestamp-nanos"],
)
def test_avro_is_written_beyond_pythons_calendar_and_clock(kind: AvroType, bare: list[int]) -> None:
    """Days and instants before year 1 and after 9999, and nanoseconds, none of which is a datetime."""
    column = kind.from_storage(pa.array(bare, kind.storage))

    content = written("avro", kind, column)

    assert bare == [row["x"] for row in bare_rows(content)]


@pytest.mark.parametrize(
    ("logical", "expected"),
    [
        ("timestamp-millis", "2013-10-19T08:00:00.000Z"),
        ("timestamp-micros", "2013-10-19T08:00:00.000000Z"),
        ("timestamp-nanos", "2013-10-19T08:00:00.000000000Z"),
        ("local-timestamp-millis", "2013-10-19T08:00:00.000"),
        ("local-timestamp-micros", "2013-10-19T08:00:00.000000"),
        ("local-timestamp-nanos", "2013-10-19T08:00:00.000000000"),
    ],
)
def test_an_instant_has_one_spelling(logical: str, expected: str) -> None:
    """Digits by the type's unit; Z unless it is a clock's time without a zone."""
    kind = type_of("long", logical)
    column, _ = kind.from_values([kind.read(dt.datetime(2013, 10, 19, 8, tzinfo=dt.UTC), text=False)])

    assert [expected] == kind.json_values(column)
    assert f'"x"\n"{expected}"\n' == written("csv", kind, column).decode()
    assert f'{{"x": "{expected}"}}\n' == written("jsonl", kind, column).decode()
    record = {"x": kind.read(expected, text=False)}
    schema = schema_of(kind)
    assert {"x": expected} == plain_row(schema, read_row(schema, write_row(schema, record)))


def test_beyond_the_calendar_of_four_digits_is_the_bare_number() -> None:
    """The first and the last instant of it are spelled, their neighbours counted; a csv's reader takes both."""
    kind = type_of("long", "timestamp-millis")
    first, last = -62_135_596_800_000, 253_402_300_799_999
    column = pa.array([first - 1, first, last, last + 1, 2**63 - 1, -(2**63), None], kind.arrow)

    spelled = kind.json_values(column)

    assert [
        first - 1, "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", last + 1, 2**63 - 1, -(2**63), None
    ] == spelled  # fmt: skip
    again, wrong = kind.from_column(kind.csv_column(column), text=True)
    assert ({}, True) == (wrong, column.equals(again))
    days = type_of("int", "date")
    assert ["9999-12-31", 2_932_897, "0001-01-01", -719_163] == days.json_values(
        pa.array([2_932_896, 2_932_897, -719_162, -719_163], pa.int32()).cast(pa.date32())
    )


def test_json_has_no_nan() -> None:
    """Whatever is written, in whatever it is nested; what JSON has not is spelled."""
    moment = dt.datetime(2013, 10, 19, 8, tzinfo=dt.UTC)
    given = {
        "a": [float("nan"), float("-inf"), 0.5], "b": {"c": float("inf")}, "t": moment, "d": moment.date(),
        "n": moment.replace(tzinfo=None), "b2": b"\xff", "g": pd.NaT,
    }  # fmt: skip

    assert {
        "a": [None, None, 0.5], "b": {"c": None}, "t": "2013-10-19T08:00:00.000000Z", "d": "2013-10-19",
        "n": "2013-10-19T08:00:00.000000", "b2": "\u00ff", "g": None,
    } == parsed(json_text(given))  # fmt: skip


def test_a_record_of_any_shape_is_plain() -> None:
    """Nested records, arrays, maps and unions of several types are walked."""
    moment = {"type": "long", "logicalType": "timestamp-millis"}
    inner = {"type": "record", "name": "In", "fields": [{"name": "t", "type": ["null", moment]}]}
    fields = [
        {"name": "r", "type": inner},
        {"name": "l", "type": {"type": "array", "items": ["null", "string", moment]}},
        {"name": "m", "type": {"type": "map", "values": "double"}},
        {"name": "u", "type": [{"type": "int", "logicalType": "date"}, "boolean", "In", moment]},
    ]
    schema = RecordSchema(json.dumps({"type": "record", "name": "R", "fields": fields}))
    at = dt.datetime(2013, 10, 19, 8, tzinfo=dt.UTC)
    spelled = "2013-10-19T08:00:00.000Z"

    items = [{"string": "a"}, None, {"long": at}]
    record = {"r": {"t": at}, "l": items, "m": {"k": float("nan")}, "u": {"long": at}}

    read = read_row(schema, write_row(schema, record))
    assert {
        "r": {"t": spelled}, "l": [{"string": "a"}, None, {"long": spelled}], "m": {"k": None}, "u": {"long": spelled},
    } == plain_row(schema, read)  # fmt: skip
    for one in ({"boolean": True}, {"In": {"t": None}}, {"int": "2013-10-19"}):
        given = {"int": at.date()} if "int" in one else one
        assert one == plain_row(schema, read_row(schema, write_row(schema, {**record, "u": given})))["u"]


@pytest.mark.parametrize(
    ("kind", "bare", "shown"),
    [
        ({"type": "int", "logicalType": "date"}, 2_932_897, 2_932_897),
        ({"type": "int", "logicalType": "time-millis"}, 86_400_000, 86_400_000),
        ({"type": "long", "logicalType": "timestamp-millis"}, 253_402_300_800_000, 253_402_300_800_000),
        (
            {"type": "long", "logicalType": "timestamp-micros"},
            -62_135_596_800_000_001,
            -62_135_596_800_000_001,
        ),
        ({"type": "long", "logicalType": "timestamp-nanos"}, 1, "1970-01-01T00:00:00.000000001Z"),
        ({"type": "long", "logicalType": "local-timestamp-micros"}, 2**62, 2**62),
    ],
    ids=lambda case: case["logicalType"] if isinstance(case, dict) else "",
)
def test_value_that_python_has_no_class_for_is_shown_as_files_have_it(
    kind: dict[str, str], bare: int, shown: object
) -> None:
    """In a field, an array, a map, and a union, whose branch is the one that was written."""
    other = "long" if kind["type"] == "int" else {"type": "int", "logicalType": "date"}
    union = ["null", "string", other, kind]
    fields = [
        {"name": "f", "type": kind},
        {"name": "a", "type": {"type": "array", "items": ["null", kind]}},
        {"name": "m", "type": {"type": "map", "values": kind}},
        {"name": "u", "type": union},
    ]
    schema = RecordSchema(json.dumps({"type": "record", "name": "R", "fields": fields}))
    number = _zigzag(bare)
    value = b"".join(
        [
            number,
            b"\x04\x00",
            bytes([2]),
            number,
            b"\x00",
            b"\x02\x02k",
            number,
            b"\x00",
            bytes([len(union) * 2 - 2]),
            number,
        ]
    )

    assert {"f": shown, "a": [None, shown], "m": {"k": shown}, "u": {kind["type"]: shown}} == plain_row(
        schema, read_row(schema, value)
    )


def _zigzag(number: int) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, "long", number)
    return stream.getvalue()
