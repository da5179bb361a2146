"""Wide events: a run of numbers read in place answers as the other paths do, for any bytes."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from stream.codec import Decoder, RecordSchema, subset, why_slow, wide_reader
from stream.codec import decoder as decoder_module
from stream.codec.fallback import SlowReader
from stream.codec.subset import MAX_NODES
from stream.codec.wide_reader import LEAST_FIELDS, WideReader, find_run
from tests.unit.codec.drawn import QUICK, bits, spoiled
from tests.unit.codec.samples import schema, written

NUMBERS = {f"c{i}": "double" for i in range(LEAST_FIELDS)}


OPTIONAL: Any = ["null", "double"]


def _paths(of: RecordSchema) -> list[str]:
    return [leaf.path for leaf in of.leaves()]


def _values(of: RecordSchema, rows: int, **others: Any) -> list[bytes]:
    """Records with numbers in all fields but those that are given."""
    names = [name for name in of.fields if name not in others]
    return [
        written(of, {**{name: row + i / 4 for i, name in enumerate(names)}, **others}) for row in range(rows)
    ]


class TestSameAnswer:
    """With the run and without it."""

    @settings(QUICK, max_examples=120)
    @given(spoiled())
    def test_any_bytes_become_the_same_rows_columns_and_faults(
        self, batch: tuple[RecordSchema, list[bytes]]
    ) -> None:
        """Each run counts, however short: what it reads is what is read without it."""
        of, bodies = batch
        expected = Decoder(of, _paths(of), "bare", of).decode(bodies)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wide_reader, "LEAST_FIELDS", 1)
            found = Decoder(of, _paths(of), "bare", of).decode(bodies)

        assert list(expected.rows) == list(found.rows)
        assert expected.faults == found.faults
        for path, column in expected.columns.items():
            assert column.type == found.columns[path].type
            assert bits(column) == bits(found.columns[path])

    @pytest.mark.parametrize("kind", ["double", "float", ["null", "double"], ["double", "null"]])
    @pytest.mark.parametrize("rows", [1, 5, 40])
    def test_values_with_fields_around_the_run_never_leave_it(
        self, kind: Any, rows: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An id before, a record and a time after: every value's numbers are read in place."""
        inner = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "double"}]}
        of = schema(id="string", **dict.fromkeys(NUMBERS, kind), inner=inner, at="long")
        bodies = _values(of, rows, id="ä", inner={"x": 0.5}, at=-3)
        expected = Decoder(of, _paths(of), "bare", of).decode(bodies)
        taken: list[int] = []
        read = WideReader.read

        def watched(reader: WideReader, values: list[bytes]) -> Any:
            part, others = read(reader, values)
            taken.extend(part.rows)
            return part, others

        monkeypatch.setattr(WideReader, "read", watched)
        found = Decoder(of, _paths(of), "bare", of).decode(bodies)
        monkeypatch.setattr(decoder_module, "find_run", lambda root: None)
        plain = Decoder(of, _paths(of), "bare", of).decode(bodies)

        assert list(range(rows)) == taken
        assert all(column.equals(plain.columns[path]) for path, column in expected.columns.items())
        assert all(column.equals(plain.columns[path]) for path, column in found.columns.items())

    def test_values_with_a_null_in_the_run_are_read_beside_the_others(self) -> None:
        """A number that is missing makes a value shorter; its neighbours are still read in place."""
        of = schema(**dict.fromkeys(NUMBERS, OPTIONAL))
        rows = [dict.fromkeys(NUMBERS, 1.0) for _ in range(9)]
        rows[4] = {**rows[4], "c7": None}  # type: ignore[dict-item]
        found = Decoder(of, ["c7", "c8"], "bare", of).decode([written(of, row) for row in rows])

        assert {} == found.faults
        assert [1.0] * 4 + [None] + [1.0] * 4 == found.columns["c7"].to_pylist()
        assert [1.0] * 9 == found.columns["c8"].to_pylist()

    def test_fields_that_the_writer_lacks_have_their_defaults(self) -> None:
        """Also where nothing but the run is written."""
        writer = schema(**NUMBERS)
        reader = schema(
            {"name": "late", "type": "boolean", "default": True}, **dict.fromkeys(list(NUMBERS)[:3], "double")
        )
        found = Decoder(reader, ["late", "c1"], "bare", writer).decode(_values(writer, 3))

        assert [True] * 3 == found.columns["late"].to_pylist()
        assert [0.25, 1.25, 2.25] == found.columns["c1"].to_pylist()

    def test_run_of_floats_is_promoted_to_the_reader_s_doubles(self) -> None:
        """Schema resolution holds in a run."""
        writer, reader = schema(**dict.fromkeys(NUMBERS, "float")), schema(**NUMBERS)
        found = Decoder(reader, ["c1"], "bare", writer).decode(_values(writer, 2))

        assert pa.array([0.25, 1.25], pa.float64()) == found.columns["c1"]

    def test_record_that_contains_itself_is_not_mixed_up_with_the_one_without_its_run(self) -> None:
        """A field beside the run holds the whole record again."""
        fields = [{"name": name, "type": "double"} for name in NUMBERS]
        again = {"name": "again", "type": ["null", "Event"]}
        of = RecordSchema(json.dumps({"type": "record", "name": "Event", "fields": [again, *fields]}))
        inside = {**dict.fromkeys(NUMBERS, 1.0), "again": None}
        bodies = [written(of, {**dict.fromkeys(NUMBERS, 2.0), "again": inside})]
        found = Decoder(of, ["c3"], "bare", of).decode(bodies)

        assert {} == found.faults
        assert [2.0] == found.columns["c3"].to_pylist()


class TestFault:
    """What is wrong in a wide value."""

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            pytest.param(lambda body: body[:-1], "truncated", id="cut"),
            pytest.param(lambda body: body + b"\0", "trailing_bytes", id="longer"),
            pytest.param(lambda body: body[:9] + b"\x04" + body[10:], "bad_union_index", id="branch"),
            pytest.param(lambda body: b"\x01" + body[1:], "bad_union_index", id="negative branch"),
            pytest.param(lambda body: b"", "truncated", id="empty"),
        ],
    )
    def test_one_bad_value_is_named_and_leaves_the_others(self, spoil: Any, reason: str) -> None:
        """The fault is what it is without a run."""
        of = schema(**dict.fromkeys(NUMBERS, OPTIONAL))
        bodies = _values(of, 12)
        bodies[5] = spoil(bodies[5])
        found = Decoder(of, _paths(of), "bare", of).decode(bodies)

        assert {5: reason} == {row: fault.reason for row, fault in found.faults.items()}
        assert [row for row in range(12) if row != 5] == list(found.rows)


class TestLimits:
    """What is wide."""

    def test_few_numbers_are_no_run(self) -> None:
        """They are read as before."""
        assert find_run(schema(**dict.fromkeys(list(NUMBERS)[1:], "double")).root) is None

    def test_longest_run_counts(self) -> None:
        """Of two."""
        more = {f"d{i}": "float" for i in range(LEAST_FIELDS + 1)}
        run = find_run(schema(**NUMBERS, id="string", **more).root)

        assert run is not None
        assert (LEAST_FIELDS + 1, 4 * (LEAST_FIELDS + 1)) == (run.first, run.size)

    def test_reason_of_the_slow_path_names_the_field(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A schema with too many types is slow from that field on; wide ones with a run are not."""
        monkeypatch.setattr(subset, "MAX_NODES", 3)
        narrow = schema(a="int", b="int", c="int")
        wide = schema(a="bytes", **NUMBERS)

        assert "field 'c' is beyond the first 3 types of the schema" == why_slow(narrow, narrow, ["a"])
        assert why_slow(wide, wide, ["c1"]) is None

    def test_twenty_thousand_whole_numbers_stay_on_the_fast_path(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No run, and still no value is read one by one."""
        of = schema(**{f"n{i}": "int" for i in range(20_000)})
        value = b"\x02" * 20_000

        def never(reader: SlowReader, rows: list[int], values: list[bytes]) -> None:
            pytest.fail(f"{len(rows)} rows left the fast path")

        monkeypatch.setattr(SlowReader, "read", never)
        found = Decoder(of, ["n0", "n19999"], "bare", of).decode([value] * 6)

        assert 20_000 < MAX_NODES
        assert [1] * 6 == found.columns["n19999"].to_pylist()
