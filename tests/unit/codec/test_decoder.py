"""Every value is a row or a dead letter, whichever path it takes and whoever stands beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyruhvro
import pytest

from stream.codec import Decoded, Decoder, RecordSchema
from stream.codec.arrow import FAST_FROM_ROWS
from stream.codec.fallback import SlowReader
from stream.codec.parts import Part
from stream.errors import SchemaError
from stream.records import DeadLetter
from tests.unit.codec.samples import DATE, ENUM, FLIGHT, MICROS, MILLIS, flight, schema, written

LOCAL_MILLIS = {"type": "long", "logicalType": "local-timestamp-millis"}
TIME_MILLIS = {"type": "int", "logicalType": "time-millis"}
TIME_MICROS = {"type": "long", "logicalType": "time-micros"}
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 as Arrow gives it


def decimal(precision: int, scale: int, size: int | None = None) -> dict[str, Any]:
    """A decimal on bytes, or on a fixed of so many bytes."""
    bare = {"type": "bytes"} if size is None else {"type": "fixed", "name": "F", "size": size}
    return {**bare, "logicalType": "decimal", "precision": precision, "scale": scale}


MANY = 4 * FAST_FROM_ROWS

INNER = {
    "type": "record",
    "name": "I",
    "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]}],
}


def _decode(
    writer: RecordSchema, values: list[Mapping[str, object]], reader: RecordSchema | None = None, *paths: str
) -> Decoded:
    """The values as written by `writer`, decoded bare."""
    reader = reader or writer
    decoder = Decoder(reader, paths or reader.fields, "bare", writer)
    return decoder.decode([written(writer, value) for value in values])


def _column(writer: object, values: list[object], reader: object = None) -> pa.Array:
    """The column of a field `a`, of values that must all decode."""
    of = schema(a=reader) if reader else None
    decoded = _decode(schema(a=writer), [{"a": value} for value in values], of)

    assert {} == decoded.faults
    return decoded.columns["a"]


class TestColumns:
    """The columns' types and values."""

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("kind", "values", "arrow"),
        [
            ("int", [-(2**31), 2**31 - 1], pa.int32()),
            ("long", [-(2**63), 2**63 - 1], pa.int64()),
            ("float", [0.5, float("inf")], pa.float32()),
            ("double", [0.1, -0.0], pa.float64()),
            ("boolean", [True, False], pa.bool_()),
            ("string", ["", "Zürich 😀"], pa.string()),
            (ENUM, ["RED", "BLUE"], pa.string()),
            ("bytes", [b"", b"\xff\xfe"], pa.binary()),
            ({"type": "fixed", "name": "F", "size": 2}, [b"ab", b"\xff\xfe"], pa.binary()),
            (["null", "double"], [None, 1.5], pa.float64()),
            (["null", ENUM], [None, "GREEN"], pa.string()),
            ({"type": "array", "items": "double"}, [[], [1.0, 2.0]], pa.list_(pa.float64())),
            (["null", {"type": "array", "items": ["null", "int"]}], [None, [1, None]], pa.list_(pa.int32())),
        ],
    )
    def test_values_come_back_in_the_leafs_type(
        self, kind: object, values: list[object], arrow: pa.DataType, times: int
    ) -> None:
        """One by one and in batches, a column has the same type and values."""
        column = _column(kind, values * times)

        assert arrow == column.type
        assert values * times == column.to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("kind", "stored", "arrow"),
        [
            (DATE, [-(2**31), 2**31 - 1], pa.int32()),
            (MILLIS, [-(2**63), 2**63 - 1], pa.int64()),
            (["null", MICROS], [None, 2**63 - 1], pa.int64()),
        ],
    )
    def test_dates_beyond_pythons_are_kept(
        self, kind: object, stored: list[object], arrow: pa.DataType, times: int
    ) -> None:
        """A date or time that datetime can't hold is still a row: nothing goes through datetime."""
        assert stored * times == _column(kind, stored * times).view(arrow).to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    def test_nested_fields_are_reached_by_dotted_paths(self, times: int) -> None:
        """A null record makes its leaves null."""
        of = schema(pos=["null", INNER], n="int")
        values: list[Mapping[str, object]] = [{"pos": {"x": 7, "y": None}, "n": 1}, {"pos": None, "n": 2}]
        decoded = _decode(of, values * times, of, "pos.x", "pos.y")

        assert [7, None] * times == decoded.columns["pos.x"].to_pylist()
        assert {"pos.x", "pos.y"} == set(decoded.columns)

    @pytest.mark.parametrize("times", [1, MANY])
    def test_type_used_twice_is_read_at_each_place(self, times: int) -> None:
        """A named type is written out for the Rust codec wherever it stands."""
        of = schema(a=ENUM, b=["null", "Colour"], p=INNER, q={"type": "array", "items": "I"}, r=["I", "null"])
        at = {"x": 1, "y": "q"}
        values: list[Mapping[str, object]] = [{"a": "RED", "b": "BLUE", "p": at, "q": [at, at], "r": at}]
        decoded = _decode(of, values * times, of, "a", "b", "p.x", "r.y")

        assert of.rust
        assert [["RED"] * times, ["BLUE"] * times, [1] * times, ["q"] * times] == [
            column.to_pylist() for column in decoded.columns.values()
        ]

    def test_record_that_contains_itself_is_read(self) -> None:
        """A recursive schema takes the strict path; its plain fields are columns."""
        of = schema(n="int", next=["null", "Event"])
        decoded = _decode(of, [{"n": 1, "next": {"n": 2, "next": None}}] * MANY, of, "n", "next.n")

        assert [1] * MANY == decoded.columns["n"].to_pylist()
        assert [2] * MANY == decoded.columns["next.n"].to_pylist()

    def test_empty_batch_has_typed_empty_columns(self) -> None:
        """No values, no rows, and the columns are there."""
        decoded = _decode(FLIGHT, [])

        assert 0 == len(decoded.rows)
        assert pa.date32() == decoded.columns["day"].type


class TestResolution:
    """Writers whose schema is not the reader's."""

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("writer", "reader", "values", "expected"),
        [
            ("int", "long", [7], [7]),
            ("int", "double", [7], [7.0]),
            ("int", "float", [2**24, 2**24 + 2, -(2**31)], [2.0**24, 2.0**24 + 2, -(2.0**31)]),
            ("long", "float", [2**60 + 2**37], [float(2**60 + 2**37)]),
            ("long", "double", [2**53 + 2, -(2**63)], [float(2**53 + 2), -(2.0**63)]),
            (MILLIS, MICROS, [7], [EPOCH + dt.timedelta(milliseconds=7)]),
            (MICROS, MILLIS, [7_000], [EPOCH + dt.timedelta(milliseconds=7)]),
            (TIME_MILLIS, TIME_MICROS, [86_399_999], [dt.time(23, 59, 59, 999_000)]),
            (decimal(4, 1), decimal(9, 1), [b"\xff\x7f"], [Decimal("-12.9")]),
            (decimal(4, 1, 3), decimal(6, 1, 3), [b"\xff\xff\x7f"], [Decimal("-12.9")]),
            ("float", "double", [0.5], [0.5]),
            ("string", "bytes", ["é"], ["é".encode()]),
            ("bytes", "string", ["é".encode()], ["é"]),
            ("int", ["null", "long"], [7], [7]),
            (["null", "int"], ["null", "double"], [None, 7], [None, 7.0]),
            (["null", "int"], "int", [7], [7]),
            (["int", "string"], "double", [7], [7.0]),
            (["null", "int", "float"], ["null", "double"], [None, 7, 0.5], [None, 7.0, 0.5]),
            (["int", "long", "null"], ["null", "int"], [None, 7], [None, 7]),
            (
                {"type": "array", "items": ["int", "double", "null"]},
                {"type": "array", "items": "double"},
                [[1, 0.5]],
                [[1.0, 0.5]],
            ),
            ({"type": "array", "items": "int"}, {"type": "array", "items": "double"}, [[1]], [[1.0]]),
            (
                {"type": "array", "items": ["null", "int"]},
                {"type": "array", "items": "long"},
                [[1, 2], []],
                [[1, 2], []],
            ),
            (ENUM, {**ENUM, "symbols": ["BLUE", "GREEN", "RED", "GREY"]}, ["RED", "BLUE"], ["RED", "BLUE"]),
            (ENUM, {**ENUM, "symbols": ["RED", "GREY"], "default": "GREY"}, ["RED", "BLUE"], ["RED", "GREY"]),
        ],
    )
    def test_what_avro_allows_is_read(
        self, writer: object, reader: object, values: list[object], expected: list[object], times: int
    ) -> None:
        """A writer's type that the reader may take is taken, alike one by one and in batches."""
        assert expected * times == _column(writer, values * times, reader).to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("writer", "reader", "wrong", "right"),
        [
            ("string", "int", "x", None),
            ("double", "float", 0.5, None),
            ("long", "int", 1, None),
            (MILLIS, LOCAL_MILLIS, 1, None),
            (decimal(4, 1), decimal(4, 2), b"\x01", None),
            (decimal(4, 1, 3), decimal(4, 2, 3), b"\x00\x00\x01", None),
            (["null", "int"], "int", None, 7),
            (["int", "string"], "double", "x", 7),
            (["int", "long"], "int", 2**31, 7),
            (
                [{"type": "fixed", "name": "F", "size": 1}, "bytes"],
                {"type": "fixed", "name": "F", "size": 1},
                b"xy",
                b"x",
            ),
            (ENUM, {**ENUM, "symbols": ["RED"]}, "BLUE", "RED"),
            ({"type": "array", "items": ["null", "int"]}, {"type": "array", "items": "int"}, [1, None], [1]),
            ({"type": "map", "values": "int"}, "int", {}, None),
        ],
    )
    def test_what_avro_does_not_allow_is_a_contract_fault(
        self, writer: object, reader: object, wrong: object, right: object, times: int
    ) -> None:
        """A type that the reader can't take is a dead letter that names the field; its neighbours are rows."""
        neighbours = [{"a": right}] * times if right is not None else []
        decoded = _decode(schema(a=writer), [*neighbours, {"a": wrong}, *neighbours], schema(a=reader))

        assert [times if right is not None else 0] == list(decoded.faults)
        fault = next(iter(decoded.faults.values()))
        assert ("contract", "wrong_type") == (fault.stage, fault.reason)
        place = f"a[{len(wrong) - 1}]" if isinstance(wrong, list) else "a"
        assert place == fault.field
        assert f"field {place!r}" in fault.message
        assert len(neighbours) * 2 == len(decoded.rows)

    @pytest.mark.parametrize("times", [1, MANY])
    def test_bytes_that_are_no_text_are_a_fault_of_the_value(self, times: int) -> None:
        """What is not UTF-8 is stage `decode` as in a string, with its place."""
        of, reader = schema(b="int", a="bytes"), schema(a="string")
        decoded = _decode(of, [*[{"b": 1, "a": b"x"}] * times, {"b": 1, "a": b"x\xff"}], reader)

        assert ["x"] * times == decoded.columns["a"].to_pylist()
        fault = decoded.faults[times]
        assert ("decode", "invalid_utf8", "a") == (fault.stage, fault.reason, fault.field)
        assert "byte 3" in fault.message

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("writer", "reader", "wrong", "right"),
        [
            ("int", "float", 2**24 + 1, 7),
            ("long", "float", -(2**24) - 1, 7),
            ("long", "double", 2**53 + 1, 7),
            ({"type": "array", "items": "long"}, {"type": "array", "items": "double"}, [1, 2**53 + 1], [1]),
            (["long", "string"], "double", 2**53 + 1, 7),
            (MICROS, MILLIS, 1, 1000),
            (MILLIS, MICROS, 2**60, 1),
            (TIME_MICROS, TIME_MICROS, 86_400_000_000, 0),
            (TIME_MILLIS, TIME_MILLIS, -1, 0),
            (decimal(2, 1), decimal(2, 1), b"\x64", b"\x63"),
            (decimal(2, 1), decimal(2, 1), b"", b"\x63"),
            (decimal(2, 1), decimal(2, 1), b"\x01" + b"\x00" * 5000, b"\x00" * 5000),
            (
                {"type": "array", "items": decimal(2, 1)},
                {"type": "array", "items": decimal(2, 1)},
                [b"\x64"],
                [],
            ),
        ],
    )
    def test_what_the_readers_type_cannot_hold_is_out_of_range(
        self, writer: object, reader: object, wrong: object, right: object, times: int
    ) -> None:
        """Never another number: a whole one that would be rounded, another instant, digits too many."""
        neighbours = [{"a": right}] * times
        decoded = _decode(schema(a=writer), [*neighbours, {"a": wrong}, *neighbours], schema(a=reader))

        assert [times] == list(decoded.faults)
        fault = decoded.faults[times]
        place = f"a[{len(wrong) - 1}]" if isinstance(wrong, list) else "a"
        assert ("contract", "value_out_of_range", place) == (fault.stage, fault.reason, fault.field)
        assert 2 * times == len(decoded.rows)

    @pytest.mark.parametrize("times", [1, MANY])
    def test_missing_field_takes_the_readers_default(self, times: int) -> None:
        """Defaults of each kind, nested ones too, for a writer that hasn't got the fields."""
        reader = schema(
            {"name": "x", "type": "double", "default": 3},
            {"name": "day", "type": DATE, "default": 5},
            {"name": "text", "type": ["null", "string"], "default": None},
            {"name": "raw", "type": "bytes", "default": "\xff"},
            {"name": "list", "type": {"type": "array", "items": "long"}, "default": [1]},
            {"name": "pos", "type": INNER, "default": {"x": 9, "y": None}},
            n="int",
        )
        paths = ("x", "day", "text", "raw", "list", "pos.x", "pos.y", "n")
        decoded = _decode(schema(n="int"), [{"n": 1}] * times, reader, *paths)
        found = {
            path: column.cast(pa.int32()) if path == "day" else column
            for path, column in decoded.columns.items()
        }

        expected = [3.0, 5, None, b"\xff", [1], 9, None, 1]
        assert [[value] * times for value in expected] == [found[path].to_pylist() for path in paths]

    @pytest.mark.parametrize("times", [1, MANY])
    def test_missing_field_without_default_is_a_contract_fault(self, times: int) -> None:
        """Each record says which field is missing; a record that is not valid Avro says that instead."""
        reader, writer = schema(n="int", x="double"), schema(n="int")
        values = [written(writer, {"n": 1})] * times + [b""]
        decoded = Decoder(reader, reader.fields, "bare", writer).decode(values)

        assert 0 == len(decoded.rows)
        assert {("contract", "missing_field")} == {
            (f.stage, f.reason) for f in list(decoded.faults.values())[:-1]
        }
        assert "field 'x' is missing" in decoded.faults[0].message
        assert "x" == decoded.faults[0].field
        assert ("truncated", "n") == (decoded.faults[times].reason, decoded.faults[times].field)

    def test_field_that_nobody_asked_for_may_be_missing(self) -> None:
        """Only the wanted paths must be there, so that a model is not tied to what it doesn't use."""
        reader = schema(n="int", x="double")

        assert [1] == _decode(schema(n="int"), [{"n": 1}], reader, "n").columns["n"].to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    def test_alias_finds_a_renamed_field(self, times: int) -> None:
        """The reader's alias is the writer's name."""
        reader = schema({"name": "new", "type": "int", "aliases": ["old"]})

        assert [4] * times == _decode(schema(old="int"), [{"old": 4}] * times, reader).columns[
            "new"
        ].to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    def test_null_record_around_a_wanted_leaf_is_a_contract_fault(self, times: int) -> None:
        """A record that the reader wants there and that is null is named."""
        reader = schema(pos=INNER)
        values: list[Mapping[str, object]] = [{"pos": {"x": 1, "y": "q"}}] * times
        decoded = _decode(schema(pos=["null", INNER]), [*values, {"pos": None}], reader, "pos.y")

        assert ["q"] * times == decoded.columns["pos.y"].to_pylist()
        assert "field 'pos' is null" in decoded.faults[times].message


def _branch(index: int, kind: object, value: object) -> bytes:
    """The bytes of a union's branch."""
    return bytes([2 * index]) + written(schema(a=kind), {"a": value})


ONE = {
    "type": "record",
    "name": "One",
    "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string"}],
}
TWO = {
    "type": "record",
    "name": "Two",
    "fields": [{"name": "y", "type": "bytes"}, {"name": "x", "type": "long"}],
}
POOR = {"type": "record", "name": "Poor", "fields": [{"name": "y", "type": "string"}]}
F1, F2 = ({"type": "fixed", "name": name, "size": 1} for name in ("F1", "a.F2"))
E1, E2 = ({"type": "enum", "name": name, "symbols": ["RED", "BLUE"]} for name in ("E1", "a.E2"))


class TestBranch:
    """A union's branch is told by its index, not by what the value looks like."""

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("writer", "index", "value", "reader", "expected"),
        [
            (["float", "double"], 0, 0.5, "float", 0.5),
            (["float", "double"], 1, 1e300, "float", "double was written; float is expected"),
            (["float", "double"], 1, 0.5, "float", "double was written; float is expected"),
            (["float", "double"], 0, 0.5, "double", 0.5),
            (["int", "long"], 1, 7, "int", "long was written; int is expected"),
            (["int", "long"], 1, 7, ["null", "int"], "long was written; null or int is expected"),
            (["null", ENUM, "string"], 1, "RED", "string", "enum Colour was written; string is expected"),
            (["null", ENUM, "string"], 2, "RED", "string", "RED"),
            (["null", ENUM, "string"], 2, "RED", ENUM, "string was written; enum Colour is expected"),
            (["string", "bytes"], 1, b"x", "string", "x"),
            (["string", "bytes"], 0, "x", "bytes", b"x"),
            (["boolean", "int"], 0, True, "int", "boolean was written; int is expected"),
            (["null", "int", "string"], 0, None, ["null", "int"], None),
            (["null", "int", "string"], 0, None, "int", "null was written; int is expected"),
            (["int"], 0, 7, "double", 7.0),
            (["int"], 0, 7, ["null", "long"], 7),
            ("null", None, None, ["null", "double"], None),
            (["null"], 0, None, ["null", "double"], None),
            (["null", "string"], 0, None, ["null", "double"], None),
            ("null", None, None, "double", "field 'a' is null; double is expected"),
            (["null"], 0, None, "double", "field 'a' is null; double is expected"),
            ([F1, F2], 0, b"x", F1, b"x"),
            ([F1, F2], 1, b"x", F1, "fixed a.F2 was written; fixed F1 is expected"),
            ([E1, E2], 0, "RED", {**E2, "name": "b.E2"}, "enum E1 was written; enum b.E2 is expected"),
            ([E1, E2], 1, "RED", {**E2, "name": "b.E2"}, "RED"),
        ],
    )
    def test_branch_is_read_as_the_one_that_was_written(
        self, writer: Any, index: int | None, value: object, reader: object, expected: object, times: int
    ) -> None:
        """What the reader can't take of it is a dead letter, as with Avro Java; its neighbours are rows."""
        body = b"" if index is None else _branch(index, writer[index], value)
        of, wanted = schema(a=writer), schema(a=reader)
        decoded = Decoder(wanted, ["a"], "bare", of).decode([body] * times)

        if isinstance(expected, str) and " " in expected:
            assert set(range(times)) == set(decoded.faults)
            fault = decoded.faults[0]
            assert ("contract", "wrong_type", "a") == (fault.stage, fault.reason, fault.field)
            assert expected in fault.message
        else:
            assert [expected] * times == decoded.columns["a"].to_pylist()

    @pytest.mark.parametrize("times", [1, MANY])
    def test_branch_of_another_unit_is_not_taken_for_its_number(self, times: int) -> None:
        """1.7e15 microseconds are not the same number of milliseconds."""
        of, reader = schema(a=["null", "int", MICROS]), schema(a=MILLIS)
        bodies = [_branch(2, "long", 1_700_000_000_000_001)] * times
        decoded = Decoder(reader, ["a"], "bare", of).decode(bodies)

        assert 0 == len(decoded.rows)
        assert times == len(decoded.faults)

    @pytest.mark.parametrize("times", [1, MANY])
    def test_each_record_of_a_union_is_read_by_its_own_fields(self, times: int) -> None:
        """As with Avro Java: what is called alike is the same field, wherever it stands in the record."""
        of = schema(n="int", pos=["null", ONE, TWO, POOR, "string"])
        reader = schema(n="int", pos=["null", {**INNER, "name": "Any"}])
        bodies = [
            b"\x02\x00",
            b"\x02" + _branch(1, ONE, {"x": 1, "y": "q"}),
            b"\x02" + _branch(2, TWO, {"y": b"r", "x": 2}),
        ] * times
        decoded = Decoder(reader, ["pos.y", "n"], "bare", of).decode(bodies)

        assert {} == decoded.faults
        assert [None, "q", "r"] * times == decoded.columns["pos.y"].to_pylist()

    @pytest.mark.parametrize(
        ("index", "kind", "value", "says"),
        [
            (2, TWO, {"y": b"r", "x": 2}, "long was written; int is expected"),
            (3, POOR, {"y": "r"}, "field 'pos.x' is missing"),
            (4, "string", "q", "field 'pos' is string; a record is expected"),
            (0, "null", None, "field 'pos' is null; a record is expected"),
        ],
    )
    def test_record_of_a_union_that_can_not_be_read_leaves_the_others(
        self, index: int, kind: object, value: object, says: str
    ) -> None:
        """Only the values of that branch are dead letters."""
        of, reader = schema(pos=["null", ONE, TWO, POOR, "string"]), schema(pos={**INNER, "name": "Any"})
        good = _branch(1, ONE, {"x": 1, "y": "q"})
        decoded = Decoder(reader, ["pos.x"], "bare", of).decode([good, _branch(index, kind, value), good])

        assert [1, 1] == decoded.columns["pos.x"].to_pylist()
        assert [1] == list(decoded.faults)
        assert says in decoded.faults[1].message

    def test_bad_bytes_behind_a_branch_that_can_not_be_read_are_the_fault(self) -> None:
        """Bytes that are no value of the schema say nothing about its fields."""
        of = schema(a=["int", "string"], b="string")
        body = _branch(1, "string", "q")
        decoded = Decoder(schema(a="int"), ["a"], "bare", of).decode([body + b"\x02z", body + b"\x02\xff"])

        assert ["contract", "decode"] == [fault.stage for fault in decoded.faults.values()]


class TestConstruction:
    """What a decoder refuses to be."""

    def test_path_that_is_not_a_column_is_refused(self) -> None:
        """A record without fields is none."""
        of = schema(a={"type": "array", "items": {"type": "record", "name": "No", "fields": []}}, b="int")

        with pytest.raises(SchemaError, match="field 'a' can't be a column"):
            Decoder(of, ["a"], "bare", of)
        assert [3] == _decode(of, [{"a": [{}], "b": 3}], of, "b").columns["b"].to_pylist()


def _spoil(body: bytes, i: int) -> tuple[bytes, str]:
    """A wrong value made of a right one of `FLIGHT`, and the reason that must be given for it."""
    ways = [
        (body[:-1], "truncated"),
        (body + b"\0", "trailing_bytes"),
        (b"", "truncated"),
        (b"\x01" + body[1:], "bad_length"),
        (b"\x06\xff\xfe\xfd" + body[4:], "invalid_utf8"),
    ]
    return ways[i % len(ways)]


class TestIsolation:
    """Bad rows among good ones."""

    @pytest.mark.parametrize("rows", [1, FAST_FROM_ROWS, 2000])
    @pytest.mark.parametrize("way", range(5))
    def test_one_bad_row_leaves_the_others(self, rows: int, way: int) -> None:
        """The fault is the same as alone, and the other rows are the same as without it."""
        bodies = [written(FLIGHT, flight(i)) for i in range(rows)]
        decoder = Decoder(FLIGHT, FLIGHT.fields, "bare", FLIGHT)
        whole, at = decoder.decode(bodies), rows // 3
        bodies[at], reason = _spoil(bodies[at], way)
        decoded = decoder.decode(bodies)

        assert {at: reason} == {i: fault.reason for i, fault in decoded.faults.items()}
        assert decoder.decode([bodies[at]]).faults[0] == decoded.faults[at]
        assert [i for i in range(rows) if i != at] == list(decoded.rows)
        left = pa.array(decoded.rows, pa.int64())
        assert all(decoded.columns[path].equals(column.take(left)) for path, column in whole.columns.items())

    def test_ten_bad_rows_do_not_make_all_go_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of 2,000 rows with ten bad ones, fewer than a tenth are walked."""
        bodies = [written(FLIGHT, flight(i)) for i in range(2000)]
        for i in range(0, 2000, 200):
            bodies[i] = bodies[i][:-1]
        decoder = Decoder(FLIGHT, FLIGHT.fields, "bare", FLIGHT)
        walked: list[int] = []
        read = SlowReader.read

        def watched(
            reader: SlowReader, rows: Sequence[int], values: Sequence[bytes]
        ) -> tuple[Part, dict[int, DeadLetter]]:
            walked.extend(rows)
            return read(reader, rows, values)

        monkeypatch.setattr(SlowReader, "read", watched)
        decoded = decoder.decode(bodies)

        assert list(range(0, 2000, 200)) == sorted(decoded.faults)
        assert 1990 == len(decoded.rows)
        assert len(walked) < 200

    def test_valid_rows_written_in_an_unusual_way_are_rows(self) -> None:
        """Padded varints and block sizes don't come back the same, and are still right."""
        of = schema(n="int", a={"type": "array", "items": "int"})
        usual = written(of, {"n": 1, "a": [1, 2]})
        unusual = bytes.fromhex("8200" + "03040204" + "00")
        decoder = Decoder(of, of.fields, "bare", of)
        decoded = decoder.decode([usual, unusual] * MANY)

        assert {} == decoded.faults
        assert [1] * MANY * 2 == decoded.columns["n"].to_pylist()
        assert [[1, 2]] * MANY * 2 == decoded.columns["a"].to_pylist()


class _Panic(BaseException):
    """Looks like a panic of the Rust codec."""


_Panic.__module__ = "pyo3_runtime"


class TestPanic:
    """What is caught, and what is not."""

    def test_panic_of_the_rust_codec_leaves_the_strict_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When every call panics, every row is still read."""

        def panic(values: list[bytes], text: str) -> None:
            raise _Panic

        monkeypatch.setattr(pyruhvro, "deserialize_array", panic)
        decoded = _decode(FLIGHT, [flight(i) for i in range(50)])

        assert list(range(50)) == list(decoded.rows)

    def test_real_panic_is_recognised(self) -> None:
        """pyruhvro's own panic is what we take for one."""
        with pytest.raises(BaseException, match="not implemented") as caught:
            pyruhvro.deserialize_array([b"\0"], schema(a="bytes").text)

        assert "pyo3_runtime" == type(caught.value).__module__
        assert not isinstance(caught.value, Exception)

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError])
    def test_end_of_the_process_is_not_swallowed(
        self, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
    ) -> None:
        """Ctrl-C inside the codec is Ctrl-C."""

        def stop(values: list[bytes], text: str) -> None:
            raise kind

        monkeypatch.setattr(pyruhvro, "deserialize_array", stop)
        with pytest.raises(kind):
            _decode(FLIGHT, [flight(i) for i in range(50)])
