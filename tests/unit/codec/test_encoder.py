"""Every row becomes the bytes that fastavro would write, or a dead letter of its own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyruhvro
import pytest

from stream.codec import Decoder, Encoder, RecordSchema, confluent_prefix, single_object_prefix
from stream.codec.arrow import FAST_FROM_ROWS
from stream.errors import SchemaError
from stream.records import DeadLetter, Stage
from tests.unit.codec.samples import DATE, ENUM, FLIGHT, MICROS, MILLIS, flight, read_back, schema, written

MANY = 4 * FAST_FROM_ROWS


def _encode(kind: object, column: pa.Array) -> tuple[list[Any], list[tuple[int, Stage, str]]]:
    """What fastavro reads of the rows that were written, and row, stage and reason of the others."""
    of = schema(a=kind)
    found = Encoder(of).encode({"a": column})
    values = [read_back(of, value)["a"] for value in found if isinstance(value, bytes)]
    faults = [(i, one.stage, one.reason) for i, one in enumerate(found) if isinstance(one, DeadLetter)]
    assert len(column) == len(found)
    return values, faults


class TestEncode:
    """Values that fit."""

    @pytest.mark.parametrize("rows", [1, FAST_FROM_ROWS - 1, FAST_FROM_ROWS, 2000])
    @pytest.mark.parametrize("prefix", [b"", confluent_prefix(7), single_object_prefix(FLIGHT)])
    def test_bytes_are_those_of_fastavro_behind_the_prefix(self, rows: int, prefix: bytes) -> None:
        """Decoded columns are written as the bytes that they came from."""
        bodies = [written(FLIGHT, flight(i)) for i in range(rows)]
        columns = Decoder(FLIGHT, FLIGHT.fields, "bare", FLIGHT).decode(bodies).columns

        assert [prefix + body for body in bodies] == Encoder(FLIGHT, prefix).encode(columns)

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("kind", "column", "expected"),
        [
            ("int", pa.array([1, -1], pa.int64()), [1, -1]),
            ("long", pa.array([1, -1], pa.int8()), [1, -1]),
            ("double", pa.array([1, 2], pa.int32()), [1.0, 2.0]),
            ("double", pa.array([0.5, float("inf")], pa.float32()), [0.5, float("inf")]),
            ("float", pa.array([0.5, -0.0], pa.float64()), [0.5, -0.0]),
            ("boolean", pa.array([True, False]), [True, False]),
            ("string", pa.array(["a", ""], pa.large_string()), ["a", ""]),
            ("string", pa.array(["é", "é"]).dictionary_encode(), ["é", "é"]),
            ("bytes", pa.array([b"\xff", b""]), [b"\xff", b""]),
            ({"type": "fixed", "name": "F", "size": 2}, pa.array([b"ab", b"cd"]), [b"ab", b"cd"]),
            (ENUM, pa.array(["RED", "BLUE"]), ["RED", "BLUE"]),
            (["null", ENUM], pa.array([None, "BLUE"]), [None, "BLUE"]),
            (["null", "double"], pa.array([None, 1.5]), [None, 1.5]),
            (["string", "null"], pa.nulls(2), [None, None]),
            (DATE, pa.array([2**31 - 1, 0], pa.int32()).view(pa.date32()), [2**31 - 1, 0]),
            (MILLIS, pa.array([5, 6], pa.timestamp("s")), [5000, 6000]),
            (["null", MICROS], pa.array([5, None], pa.timestamp("ms")), [5000, None]),
            (
                {"type": "array", "items": "double"},
                pa.array([[1, 2], []], pa.list_(pa.int64())),
                [[1.0, 2.0], []],
            ),
            ({"type": "array", "items": DATE}, pa.array([[1], []], pa.list_(pa.date32())), [[1], []]),
            (
                ["null", {"type": "array", "items": ["null", "long"]}],
                pa.array([None, [1, None]]),
                [None, [1, None]],
            ),
        ],
    )
    def test_columns_are_cast_to_the_fields_type(
        self, kind: object, column: pa.Array, expected: list[object], times: int
    ) -> None:
        """A column of another width or unit is written as the field's type, one by one and in batches."""
        repeated = pa.concat_arrays([column] * times)

        assert (expected * times, []) == _encode(kind, repeated)

    def test_no_rows_are_no_values(self) -> None:
        """An empty batch is nothing."""
        assert [] == Encoder(schema(a="int")).encode({"a": pa.array([], pa.int32())})


class TestFaults:
    """Rows that can't be written."""

    @pytest.mark.parametrize("times", [1, MANY])
    @pytest.mark.parametrize(
        ("kind", "wrong", "right", "reason"),
        [
            ("int", pa.array([2**31]), pa.array([7]), "value_out_of_range"),
            ("int", pa.array([0.5]), pa.array([7.0]), "value_out_of_range"),
            ("int", pa.array([None], pa.int32()), pa.array([7], pa.int32()), "null_value"),
            ("string", pa.array([None], pa.string()), pa.array(["x"]), "null_value"),
            ("string", pa.array([b"\xff"]), pa.array([b"x"]), "value_out_of_range"),
            (ENUM, pa.array(["GREY"]), pa.array(["RED"]), "unknown_symbol"),
            (["null", ENUM], pa.array(["GREY"]), pa.array([None], pa.string()), "unknown_symbol"),
            (
                MICROS,
                pa.array([2**62], pa.timestamp("s")),
                pa.array([1], pa.timestamp("s")),
                "value_out_of_range",
            ),
            ({"type": "fixed", "name": "F", "size": 2}, pa.array([b"abc"]), pa.array([b"ab"]), "bad_length"),
            ({"type": "array", "items": "long"}, pa.array([[1, None]]), pa.array([[1, 2]]), "null_value"),
        ],
    )
    def test_row_that_does_not_fit_leaves_the_others(
        self, kind: object, wrong: pa.Array, right: pa.Array, reason: str, times: int
    ) -> None:
        """The row is a dead letter of stage encode; those around it are written."""
        values, faults = _encode(kind, pa.concat_arrays([right] * times + [wrong] + [right] * times))

        assert [(times, "encode", reason)] == faults
        assert times * 2 == len(values)

    def test_message_names_the_field(self) -> None:
        """What a person reads says which field, and what it should be."""
        fault = Encoder(schema(a=ENUM)).encode({"a": pa.array(["GREY"])})[0]

        assert isinstance(fault, DeadLetter)
        assert "field 'a' (enum): none of the enum's symbols" == fault.message

    @pytest.mark.parametrize(
        ("columns", "says"),
        [
            ({"b": pa.array([1])}, "no column for a"),
            ({"a": pa.array([1]), "b": pa.array([1, 2])}, "different lengths"),
            ({"a": pa.array([{"x": 1}]), "b": pa.array([1])}, "can't become int"),
        ],
    )
    def test_columns_that_never_fit_are_a_bug(self, columns: dict[str, pa.Array], says: str) -> None:
        """What no record can cause is raised, not dead-lettered."""
        with pytest.raises(ValueError, match=says):
            Encoder(schema(a="int", b="int")).encode(columns)

    @pytest.mark.parametrize(
        "of", [schema(a={"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}), schema()]
    )
    def test_schema_that_is_not_a_table_is_refused(self, of: RecordSchema) -> None:
        """A record that isn't plain columns can't be a prediction."""
        with pytest.raises(SchemaError):
            Encoder(of)

    def test_batch_that_the_rust_codec_refuses_is_written_one_by_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the fast path fails, the bytes are the same."""

        def refuse(batch: pa.RecordBatch, text: str, chunks: int) -> None:
            raise ValueError

        monkeypatch.setattr(pyruhvro, "serialize_record_batch", refuse)
        bodies = [written(FLIGHT, flight(i)) for i in range(50)]
        columns = Decoder(FLIGHT, FLIGHT.fields, "bare", FLIGHT).decode(bodies).columns

        assert bodies == Encoder(FLIGHT).encode(columns)
