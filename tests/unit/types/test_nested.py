"""Arrays, maps, records and unions as columns: how a value is given, what is refused and where."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import fastavro
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec import Decoder, Encoder, RecordSchema, compare
from stream.files import FORMATS, infer_schema, sample_of
from stream.table import ColumnReader
from stream.types import AvroType, Member, Misfit, array_of, choice_of, map_of, struct_of, type_of
from tests.unit.codec.samples import container, schema, told
from tests.unit.types.kinds import EVERY, STOP, avro, schema_of, title

LONG, TEXT, DATE = type_of("long"), type_of("string"), type_of("int", "date")
CHOICE = choice_of([("int", type_of("int")), ("string", TEXT), ("Stop", STOP)])
NESTED = [kind for kind in EVERY if kind.kind in ("array", "map", "record", "union")]


def found(kind: AvroType, value: Any, *, text: bool = False) -> Any:
    """A value as JSON has it, or where it is refused and why."""
    fields = ColumnReader(schema_of(kind), ["x"])
    columns, wrong = fields.from_rows([{"x": value}], text=text)
    if wrong:
        (misfit, *_) = wrong[0]
        return misfit.field, misfit.message
    return kind.json_values(columns["x"])[0]


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": 2}, [("a", 1), ("b", 2)], [["a", 1], ["b", 2]],
        [{"key": "a", "value": 1}, {"key": "b", "value": 2}], [("a", 0), ("b", 2), ("a", 1)],
    ],
)  # fmt: skip
def test_a_map_may_be_given_as_its_entries(value: Any) -> None:
    """By libraries that have no maps; the last of two with one key counts."""
    assert {"a": 1, "b": 2} == found(map_of(LONG), value)


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        (map_of(LONG), {"a": "x"}, 'x["a"]'), (map_of(LONG), {"a": None}, 'x["a"]'), (map_of(LONG), {1: 1}, "x"),
        (map_of(LONG), [{"a": 1}], "x"), (map_of(LONG), [1], "x"), (map_of(LONG), 5, "x"),
        (map_of(array_of(LONG)), {"a b": [1, 2, 0.5]}, 'x["a b"][2]'),
        (array_of(array_of(LONG)), [[1], [2, "x"]], "x[1][1]"), (array_of(array_of(LONG)), [[1], None], "x[1]"),
        (array_of(STOP), [{"at": 1}, {"name": "n"}], "x[1].at"), (array_of(STOP), [{"at": "later"}], "x[0].at"),
        (array_of(STOP), [{"at": 1, "bags": {"k": "many"}}], 'x[0].bags["k"]'), (array_of(STOP), ["x"], "x[0]"),
        (CHOICE, {"int": "x"}, 'x["int"]'), (CHOICE, {"Stop": {}}, 'x["Stop"].at'), (CHOICE, 0.5, "x"),
        (CHOICE, {"int": 1, "string": "a"}, "x"), (CHOICE, {"int": None}, "x"), (CHOICE, {}, "x"),
        (map_of(CHOICE), {"k": {"int": 2**31}}, 'x["k"]["int"]'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_place(kind: AvroType, value: Any, field: str) -> None:
    """The item, the entry, the record's field, the union's branch."""
    misfit = found(kind, value)

    assert isinstance(misfit, tuple)
    assert field == misfit[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"int": 5}, {"int": 5}), (5, {"int": 5}), ("5", {"string": "5"}), ({"string": "5"}, {"string": "5"}),
        ({"int": 5, "string": None, "Stop": None}, {"int": 5}), (None, None),
        ({"at": 0}, {"Stop": {"at": "1970-01-01T00:00:00.000Z", "name": None, "bags": None}}),
    ],
)  # fmt: skip
def test_a_union_is_told_by_name_or_by_the_one_type_that_takes_it(value: Any, expected: Any) -> None:
    """An object with one member; a struct with one member that is not null; a plain value."""
    assert expected == found(CHOICE, value)


@pytest.mark.parametrize(
    ("kinds", "value", "text"),
    [
        (("int", "long"), 5, False), (("int", "double"), 5, False), (("string", "date"), "2024-02-29", False),
        (("string", "bytes"), "a", False), (("int", "string"), "5", True), (("boolean", "int"), "1", True),
    ],
)  # fmt: skip
def test_a_plain_value_that_may_be_several_is_refused_with_their_names(
    kinds: tuple[str, ...], value: Any, text: bool
) -> None:
    """Never the first that fits; the message says how to write it."""
    known = {"date": ("int", DATE)}
    branches = [known.get(name, (name, DATE if name == "date" else type_of(name))) for name in kinds]

    misfit = found(choice_of(branches), value, text=text)

    assert isinstance(misfit, tuple)
    for name, _ in branches:
        assert f'{{"{name}": …}}' in misfit[1]


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        (map_of(LONG), '{"a": 1}', {"a": 1}), (array_of(array_of(LONG)), "[[1], []]", [[1], []]),
        (CHOICE, '{"int": 5}', {"int": 5}), (CHOICE, "abc", {"string": "abc"}), (CHOICE, "NA", {"string": "NA"}),
        (choice_of([("int", LONG), ("boolean", type_of("boolean"))]), "NA", None),
        (map_of(LONG), "NA", None), (map_of(LONG), None, None),
    ],
)  # fmt: skip
def test_a_csv_cell_is_json(kind: AvroType, cell: str | None, expected: Any) -> None:
    """Of a union also a plain text that one type alone takes."""
    assert expected == found(kind, cell, text=True)


@pytest.mark.parametrize("other", ["string", "bytes"])
@pytest.mark.parametrize(
    "cell", ['{"double": null}', '{"double": 5, "OTHER": "a"}', '{"OTHER": null}', '{"double": "x"}']
)
def test_a_csv_cell_that_names_the_types_of_a_union_is_never_a_text(other: str, cell: str) -> None:
    """Refused as in JSON, where it names none or several, though a text or bytes could hold it."""
    kind = choice_of([("double", type_of("double")), (other, type_of(other))])
    written = cell.replace("OTHER", other)

    misfit = found(kind, written, text=True)

    assert isinstance(misfit, tuple)
    assert misfit == found(kind, json.loads(written))


@pytest.mark.parametrize("cell", ["{", "[1]", "a", '"a"', "1e400", "{'a': 1}", '{"a": NaN}', "[" * 10_000])
def test_a_csv_cell_that_is_none_is_refused(cell: str) -> None:
    """Whatever it holds."""
    misfit = found(map_of(LONG), cell, text=True)

    assert isinstance(misfit, tuple)
    assert "x" == misfit[0]


@pytest.mark.parametrize(("kind", "expected"), [
    (struct_of("Rec", [Member(name="long", names=("long",), type=LONG, nullable=False, optional=False)]), {"long": 1}),
    (choice_of([("long", LONG), ("string", TEXT)]), {"long": 1}),
])  # fmt: skip
def test_a_union_of_arrow_in_structs_with_nulls_is_read(kind: AvroType, expected: Any) -> None:
    """Arrow itself would end the process where it gives a union the nulls of what is around it."""
    union = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])], ["a"])
    structs = pa.StructArray.from_arrays([union], ["long"], mask=pa.array([False, True]))
    lists = array_of(kind, nullable=True)
    fields = ColumnReader(schema_of(lists), ["x"])

    columns, wrong = fields.from_table(
        pa.record_batch({"x": pa.ListArray.from_arrays(pa.array([0, 1, 2]), structs)}), ()
    )

    assert {} == wrong
    assert [[expected], [None]] == lists.json_values(columns["x"])


@pytest.mark.parametrize("kind", NESTED, ids=title)
def test_a_column_of_arrow_is_what_its_rows_are(kind: AvroType) -> None:
    """At once and row by row, cut out of a longer one, and from the type that it has in files."""
    chance = random.Random(9)
    column, _ = kind.from_values([*(kind.sample(chance) for _ in range(9)), None, kind.sample(chance)])
    for part, whole in (
        (column, column),
        (column.cast(kind.file_arrow), column),
        (column[2:10], column.slice(2, 8)),
        (column[3:3], column[:0]),
    ):
        made, wrong = kind.from_column(part, text=False)
        assert {} == wrong
        assert kind.arrow == made.type
        assert made.equals(whole)
        assert kind.from_storage(kind.to_storage(part.cast(kind.arrow))).equals(whole)
        assert kind.json_values(whole) == kind.json_values(made)


def test_a_struct_that_says_two_types_or_none_is_refused() -> None:
    """In a column of Arrow as in a row."""
    column = pa.array([{"int": 1, "string": "a"}, {"int": None, "string": None}, {"int": 2, "string": None}])
    fields = ColumnReader(schema_of(CHOICE), ["x"])

    _, wrong = fields.from_table(pa.record_batch({"x": column}), text=False)

    assert [0, 1] == sorted(wrong)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (map_of(LONG), [{"a": 1}, {"b": 2}, {}], [{"a": 1}, {"b": 2}, {}]),
        (array_of(map_of(LONG)), [[{"a": 1}, {"b": 2}], None], [[{"a": 1}, {"b": 2}], None]),
        (map_of(map_of(LONG)), [{"k": {"a": 1}}, {"l": {"b": 2}}], [{"k": {"a": 1}}, {"l": {"b": 2}}]),
        (array_of(STOP), [[{"at": 1, "bags": {"k": 1}}, {"at": 1, "bags": {"l": 2}}]], [["k", "l"]]),
    ],
)
def test_a_map_that_comes_as_a_struct_has_its_own_keys(kind: AvroType, values: Any, expected: Any) -> None:
    """As Spark and DuckDB read JSON's objects: null is a key that is not there."""
    fields = ColumnReader(schema_of(kind), ["x"])

    columns, wrong = fields.from_table(pa.record_batch({"x": pa.array(values)}), text=False)

    assert {} == wrong
    found = kind.json_values(columns["x"])
    if kind == array_of(STOP):
        found = [[key for one in row for key in one["bags"]] for row in found]
    assert expected == found


def test_a_struct_is_refused_for_a_map_whose_values_may_be_null() -> None:
    """Nobody can tell then which of its nulls are in the map."""
    fields = ColumnReader(schema_of(map_of(LONG, nullable=True)), ["x"])
    batch = pa.record_batch({"x": pa.array([{"a": 1, "b": None}, {"a": 1, "b": 2}])})

    columns, wrong = fields.from_table(batch, text=False)

    assert [0] == list(wrong)
    assert "give a map" in wrong[0][0].message
    assert [None, [("a", 1), ("b", 2)]] == columns["x"].to_pylist()


def test_a_frame_of_dicts_keeps_each_maps_own_keys() -> None:
    """Arrow by itself gives every dict the keys of all others."""
    import stream.api.given_rows as given_rows

    frame = pd.DataFrame({"x": [{"a": 1}, {"b": 2}, None]})

    part = given_rows.read_given(frame).part(["x"], 0, 3)  # type: ignore[union-attr]

    assert [{"x": {"a": 1}}, {"x": {"b": 2}}, {"x": None}] == part


def test_a_null_item_or_none_of_the_types_is_a_dead_letter_on_the_way_out() -> None:
    """What Arrow can hold and Avro can't write."""
    of = schema(m={"type": "map", "values": "long"}, u=["int", "string"])
    sound = {"int": 1, "string": None}
    columns = {
        "m": pa.array([[("a", 1)], [("a", None)], [], []], pa.map_(pa.string(), pa.int64())),
        "u": pa.array([sound, sound, {"int": None, "string": None}, {"int": 1, "string": "a"}]),
    }

    outcomes = Encoder(of).encode({**columns, "u": columns["u"].cast(of.leaf("u").arrow)})

    assert [None, "null_value", "wrong_type", "wrong_type"] == [
        getattr(one, "reason", None) for one in outcomes
    ]


WRITERS: list[tuple[Any, Any, Any, Any]] = [
    (["null", "int", "string"], ["null", "long", "string"], {"int": 5}, {"long": 5}),
    ("int", ["null", "string", "double"], 5, {"double": 5.0}),
    (["int", "string"], ["int", "string", "bytes"], {"string": "a"}, {"string": "a"}),
    ({"type": "map", "values": "int"}, {"type": "map", "values": "double"}, {"a": 1}, {"a": 1.0}),
    ({"type": "array", "items": {"type": "array", "items": "int"}},
     {"type": "array", "items": {"type": "array", "items": ["null", "long"]}}, [[1], []], [[1], []]),
]  # fmt: skip


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize(("writer", "reader", "value", "expected"), WRITERS)
def test_a_written_type_is_read_by_avros_rules(
    writer: Any, reader: Any, value: Any, expected: Any, times: int
) -> None:
    """The branch that was written, promoted where the reader's is wider."""
    of, body = schema(a=writer), io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(told(json.loads(of.text))), {"a": value})

    column = Decoder(schema(a=reader), ["a"], "bare", of).decode([body.getvalue()] * times).columns["a"]

    assert [expected] * times == schema(a=reader).leaf("a").type.json_values(column)


def record(name: str, *fields: Any) -> dict[str, Any]:
    """A record's schema."""
    return {"type": "record", "name": name, "fields": list(fields)}


X, Y = {"name": "x", "type": "int"}, {"name": "y", "type": "string", "default": "none"}


@pytest.mark.parametrize(
    ("writer", "reader", "value", "expected"),
    [
        (record("A", X), record("A", X, Y), {"x": 1}, {"x": 1, "y": "none"}),
        (record("A", X, Y), record("A", X), {"x": 1, "y": "b"}, {"x": 1}),
        (record("A", X), record("A", {"name": "z", "type": "long", "aliases": ["x"]}), {"x": 1}, {"z": 1}),
        (record("n.B", X), [record("A", X), record("B", X)], {"x": 1}, {"B": {"x": 1}}),
        (record("C", X), [record("A", Y), record("B", X)], {"x": 1}, {"A": {"y": "none"}}),
        ([record("A", X), record("B", X)], [record("B", X), "null", record("A", X)], {"A": {"x": 1}},
         {"A": {"x": 1}}),
        (record("A", Y), record("A", X), {"y": "a"}, ("missing_field", "a[].x")),
        (record("A", {"name": "x", "type": "string"}), record("A", X), {"x": "a"}, ("wrong_type", "a[].x")),
        (["int", "string"], ["int", "boolean"], {"string": "a"}, ("wrong_type", "a[0]")),
    ],
)  # fmt: skip
def test_a_record_in_an_array_is_read_by_avros_rules(
    writer: Any, reader: Any, value: Any, expected: Any
) -> None:
    """Defaults, aliases, fields that the reader has not; of several records the one of the same name."""
    written_as, read_as = ({"type": "array", "items": one} for one in (writer, reader))
    of, body = schema(a=written_as), io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(told(json.loads(of.text))), {"a": [value]})

    decoded = Decoder(schema(a=read_as), ["a"], "bare", of).decode([body.getvalue()])

    if isinstance(expected, tuple):
        assert expected == (decoded.faults[0].reason, decoded.faults[0].field)
    else:
        assert [[expected]] == schema(a=read_as).leaf("a").type.json_values(decoded.columns["a"])


@pytest.mark.parametrize(
    ("writer", "reader", "says"),
    [
        ({"type": "array", "items": ["int", "string"]}, {"type": "array", "items": "int"}, "may be string now"),
        ({"type": "map", "values": ["null", "int"]}, {"type": "map", "values": "int"}, "may be null now"),
        (["int", "string", "boolean"], ["int", "string"], "may be boolean now"),
        ({"type": "array", "items": record("A", {"name": "x", "type": ["int", "string"]})},
         {"type": "array", "items": record("A", X)}, "may be string now"),
        (["int", "string"], ["string", "null", "long"], None),
    ],
)  # fmt: skip
def test_what_a_writer_may_write_that_is_not_read_is_said_beforehand(
    writer: Any, reader: Any, says: str | None
) -> None:
    """Wherever in the type it is."""
    found = compare(schema(a=writer), schema(a=reader), ["a"])

    assert [] == [one.message for one in found if says is None or says not in one.message]
    assert (says is None) == (not found)


UNITS = ["timestamp-millis", "timestamp-micros", "timestamp-nanos", "time-millis", "time-micros"]
PER_SECOND = {"millis": 1_000, "micros": 1_000_000, "nanos": 1_000_000_000}


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        (writer, reader)
        for writer in UNITS
        for reader in UNITS
        if (writer, reader)
        != ("time-micros", "time-millis")  # a long, which Avro doesn't let be read as an int
    ],
)
def test_another_unit_is_the_same_instant_or_none_on_the_stream_and_in_an_avro_file(
    writer: str, reader: str, tmp_path: Any
) -> None:
    """What falls between two of the reader's units is refused by both."""

    def of(name: str) -> RecordSchema:
        return schema(x={"type": "int" if name == "time-millis" else "long", "logicalType": name})

    unit, wanted = writer.partition("-")[2], of(reader).leaf("x").type
    counts = [
        PER_SECOND[unit] * 3600,
        PER_SECOND[unit] * 3600 + 1,
        PER_SECOND[unit] * 3600 + PER_SECOND[unit] // 1000,
    ]
    bodies = []
    for count in counts:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, {"type": "long"}, count)
        bodies.append(out.getvalue())

    decoded = Decoder(of(reader), ["x"], "bare", of(writer)).decode(bodies)
    (tmp_path / "x.avro").write_bytes(container(of(writer), bodies))
    with FORMATS["avro"].open(tmp_path / "x.avro") as file:
        (span,) = FORMATS["avro"].spans(file)
    (chunk,) = FORMATS["avro"].chunks(tmp_path / "x.avro", span, list)
    columns, wrong = ColumnReader(of(reader), ["x"]).from_rows(chunk.rows, text=False)

    streamed = {row: fault.reason for row, fault in decoded.faults.items()}
    assert streamed == {row: misfits[0].reason for row, misfits in wrong.items()}
    good = [i for i in range(len(bodies)) if i not in wrong]
    assert decoded.columns["x"].to_pylist() == [columns["x"].to_pylist()[i] for i in good]
    assert wanted.arrow == columns["x"].type


def test_types_that_a_sample_is_certain_of_are_inferred() -> None:
    """Arrow's maps, structs and lists; and what JSON's lists hold."""
    kinds = {
        "m": pa.map_(pa.string(), pa.int64()), "s": pa.list_(pa.struct([("x", pa.int32())])),
        "l": pa.list_(pa.list_(pa.float64())), "k": pa.map_(pa.int32(), pa.int64()),
    }  # fmt: skip
    table = pa.table({name: pa.nulls(1, kind) for name, kind in kinds.items()})

    schemas = {
        one["name"]: one["type"][1] for one in json.loads(infer_schema(sample_of(table), "R").text)["fields"]
    }

    assert {"type": "map", "values": ["null", "long"]} == schemas["m"]
    assert ["null", "int"] == schemas["s"]["items"]["fields"][0]["type"]
    assert {"type": "array", "items": {"type": "array", "items": "double"}} == schemas["l"]
    assert "k" not in schemas


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(NESTED), st.integers(0, 10_000))
def test_a_value_goes_through_json_arrow_and_avro_unchanged(kind: AvroType, seed: int) -> None:
    """fastavro reads from our bytes what stood in the column; parquet holds it."""
    column, _ = kind.from_values([kind.sample(random.Random(seed)), None])
    of = schema_of(kind)

    (body, _) = Encoder(of).encode({"x": column})

    assert isinstance(body, bytes)
    bare = fastavro.parse_schema(told(json.loads(RecordSchema(of.text).canonical)))
    read: Any = fastavro.schemaless_reader(io.BytesIO(body), bare, None)
    assert kind.python_values(kind.to_storage(column))[0] == read["x"]
    reader = kind.reader(nullable=True, text=False)
    again, wrong = kind.from_values([reader(one) for one in kind.json_values(column)])
    assert ({}, True) == (wrong, again.equals(column))
    file = io.BytesIO()
    pq.write_table(pa.table({"x": column.cast(kind.file_arrow)}), file)
    back, wrong = kind.from_column(pq.read_table(file)["x"].combine_chunks(), text=False)
    assert ({}, True) == (wrong, back.equals(column))


def test_a_value_that_is_too_large_is_named_by_its_place() -> None:
    """What the type can say and its storage can't hold."""
    kind = map_of(array_of(type_of("long", "timestamp-millis")))
    _, wrong = kind.from_values([{"k": [0, 2**70]}])

    assert isinstance(wrong[0], Misfit)
    assert '["k"][1]' == wrong[0].field


def test_names_of_schemas_that_look_like_ours_do_no_harm() -> None:
    """A union in a record that is called as the helper records of our own form."""
    named = record("_stream_branch_1", {"name": "u", "type": ["int", "string"]})
    of = schema(a=["null", named, "int"])

    column, _ = of.leaf("a").type.from_values([{"_stream_branch_1": {"u": {"string": "a"}}}])
    (body,) = Encoder(of).encode({"a": column})

    assert isinstance(body, bytes)
    assert column.equals(Decoder(of, ["a"], "bare", of).decode([body]).columns["a"])
    assert avro(CHOICE)[2]["name"] == "Stop"
