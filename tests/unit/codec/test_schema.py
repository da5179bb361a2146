"""A schema is parsed with errors that name the field, and says what its fields are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from stream.codec import ABSENT, RecordSchema, read_row, write_row
from stream.errors import SchemaError
from tests.unit.codec.samples import DATE, ENUM, MICROS, MILLIS, schema


def _text(**field: object) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", **field}]})


REFUSED = [
    ("{", "not JSON"),
    ('"int"', "root must be a record, found primitive"),
    ('{"type": "enum", "name": "E", "symbols": ["A"]}', "root must be a record, found enum"),
    ('{"type": "record", "fields": []}', "no legal name"),
    ('{"type": "record", "name": "R"}', "record R has no list of fields"),
    (_text(name="mean radius"), "'mean radius' is not a field name|mean radius is not a field name"),
    (_text(type="integer"), "record R, field 'a': unknown type 'integer'"),
    (_text(type=["null", "int", "int"]), "field 'a': the union has int twice"),
    (_text(type=["null", ["int"]]), "field 'a': the union holds a union"),
    (_text(type={"type": "enum", "name": "E"}), "field 'a': enum E needs"),
    (
        _text(type={"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}),
        "the default 'B' is not one",
    ),
    (_text(name="a-b"), "'a-b' is not a field name|a-b is not a field name"),
    (_text(name="٣a"), "is not a field name"),
    (_text(name="a²"), "is not a field name"),
    (_text(name="𝒜"), "is not a field name"),
    (_text(type={"type": "enum", "name": "E", "symbols": ["A", "A"]}), "field 'a': enum E needs"),
    (_text(type={"type": "enum", "name": "E", "symbols": ["a b"]}), "'a b' is not a symbol"),
    (_text(type={"type": "fixed", "name": "F"}), "field 'a': fixed F needs a size"),
    (_text(type={"type": "array"}), "field 'a', items: expected a type"),
    ('{"type": "record", "name": "R", "fields": [{"name": "a"}]}', "field 'a' has no type"),
    (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}',
        "'a' appears twice",
    ),
]


class TestParse:
    """What is refused."""

    @pytest.mark.parametrize(("text", "says"), REFUSED)
    def test_wrong_schema_is_refused_with_its_place(self, text: str, says: str) -> None:
        """The error names the field and what is wrong with it."""
        with pytest.raises(SchemaError, match=says):
            RecordSchema(text)

    def test_record_that_contains_itself_is_parsed(self) -> None:
        """A recursive schema is legal, but not for the fast path."""
        node = schema(value="int", next=["null", "Event"])

        assert ("value", "next") == node.fields
        assert not node.rust


FIXED = {"type": "fixed", "name": "F", "size": 2}
DECIMAL = {"type": "bytes", "logicalType": "decimal"}
_ANOTHER = {"name": "b", "type": {**FIXED, "doc": "again"}}

TAKEN: list[tuple[str, list[Mapping[str, object]]]] = [
    ("a default that is not of the type", [{"name": "a", "type": "int", "default": "x"}]),
    ("a default of a nested field", [{"name": "a", "type": {"type": "record", "name": "I", "fields": [
        {"name": "x", "type": {"type": "array", "items": "int"}, "default": 3}]}}]),
    ("a decimal whose scale is above its precision", [{"name": "a", "type": {**DECIMAL, "precision": 2, "scale": 3}}]),
    ("a decimal with texts", [{"name": "a", "type": {**DECIMAL, "precision": "10", "scale": "2"}}]),
    ("a decimal of no digits", [{"name": "a", "type": {**DECIMAL, "precision": 0}}]),
    ("a decimal of true", [{"name": "a", "type": {**DECIMAL, "precision": True}}]),
    ("a decimal without precision", [{"name": "a", "type": DECIMAL}]),
    ("a decimal on a string", [{"name": "a", "type": {**DECIMAL, "type": "string", "precision": 2}}]),
    ("a decimal beyond its bytes", [{"name": "a", "type": {**FIXED, "logicalType": "decimal", "precision": 20}}]),
    ("a uuid of two bytes", [{"name": "a", "type": {**FIXED, "logicalType": "uuid"}}]),
    ("a logical type that is a number", [{"name": "a", "type": {"type": "int", "logicalType": 3}}]),
    ("a name in another script", [{"name": "größe", "type": "int"}, {"name": "名前٣", "type": "int"}]),
    ("a symbol in another script", [{"name": "a", "type": {**ENUM, "symbols": ["grün"]}}]),
    ("an enum without symbols", [{"name": "a", "type": ["null", {**ENUM, "symbols": []}], "default": None}]),
    ("a union without branches", [{"name": "a", "type": []}]),
    ("an alias twice", [{"name": "a", "type": "int", "aliases": ["c", "c"]}]),
    ("an alias that is no name", [{"name": "a", "type": "int", "aliases": ["c d", 3]}]),
    ("one text as the aliases", [{"name": "a", "type": "int", "aliases": "c"}]),
    ("a doc and an order of the wrong type", [{"name": "a", "type": "int", "doc": 3, "order": 4}]),
    ("a type defined twice alike", [{"name": "a", "type": FIXED}, _ANOTHER]),
    ("a type used before its definition", [{"name": "a", "type": "F"}, {"name": "b", "type": FIXED}]),
    ("a namespace of null", [{"name": "a", "type": {**FIXED, "namespace": None}}, {"name": "b", "type": "F"}]),
]  # fmt: skip


class TestOddity:
    """What is odd in a schema, and means nothing for the bytes."""

    @pytest.mark.parametrize("fields", [fields for _, fields in TAKEN], ids=[what for what, _ in TAKEN])
    def test_oddity_does_not_keep_its_neighbours_from_being_read(
        self, fields: list[Mapping[str, object]]
    ) -> None:
        """Avro Java takes the schema, so its records are there: a field that nobody needs must not spoil them."""
        of = schema({"name": "id", "type": "string"}, *fields)

        assert ("id", *(field["name"] for field in fields)) == of.fields
        assert "string" == of.leaf("id").avro

    def test_duration_can_not_be_a_column(self) -> None:
        """It may be in an event; who asks for it is told what it is."""
        duration = {"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}
        for kind in (duration, {"type": "array", "items": duration}):
            of = schema(a=kind, b="int")

            assert ["b"] == [leaf.path for leaf in of.leaves()]
            with pytest.raises(SchemaError, match="field 'a' can't be a column: it is a.*duration"):
                of.leaf("a")

    @pytest.mark.parametrize(
        ("kind", "avro"),
        [
            ({**DECIMAL, "precision": 4, "scale": 2}, "decimal"),
            ({**DECIMAL, "precision": 4}, "decimal"),
            ({**DECIMAL, "precision": 2, "scale": 3}, "bytes"),
            ({**DECIMAL, "precision": "4"}, "bytes"),
            ({**FIXED, "logicalType": "decimal", "precision": 4}, "decimal"),
            ({**FIXED, "logicalType": "decimal", "precision": 5}, "fixed"),
            ({**FIXED, "size": 16, "logicalType": "uuid"}, "uuid"),
            ({**FIXED, "logicalType": "uuid"}, "fixed"),
            ({**FIXED, "logicalType": "date"}, "fixed"),
            ({"type": "string", "logicalType": "decimal", "precision": 4}, "string"),
        ],
    )
    def test_logical_type_that_can_not_be_is_as_none(self, kind: object, avro: str) -> None:
        """The specification says so; the values are what they are stored as."""
        assert avro == schema(a=kind).leaf("a").avro

    def test_record_with_odd_enums_is_shown(self) -> None:
        """fastavro takes no such symbols; people see them all the same."""
        of = schema(a={**ENUM, "symbols": ["grün", "x"]}, b=["null", {**ENUM, "name": "E", "symbols": []}])

        assert {"a": "grün", "b": None} == read_row(of, write_row(of, {"a": "grün", "b": None}))
        assert "grün" in str(of.document)

    def test_type_used_before_its_definition_has_javas_fingerprint(self) -> None:
        """The canonical form defines a name where it is first used."""
        text = (
            '{"type":"record","name":"a.R","fields":[{"name":"f","type":"X"},'
            '{"name":"g","type":{"type":"fixed","name":"X","size":2}}]}'
        )

        assert (
            '{"name":"a.R","type":"record","fields":[{"name":"f","type":{"name":"a.X","type":"fixed","size":2}},'
            '{"name":"g","type":"a.X"}]}'
        ) == RecordSchema(text).canonical

    def test_type_defined_twice_and_not_alike_is_refused(self) -> None:
        """Nobody could say which one a later name means."""
        with pytest.raises(SchemaError, match="the name F is defined twice, and not alike"):
            schema(a=FIXED, b={**FIXED, "size": 3})


LEAVES: list[tuple[object, str, str, bool, pa.DataType]] = [
    ("int", "int", "int", False, pa.int32()),
    ("long", "long", "long", False, pa.int64()),
    ("float", "float", "float", False, pa.float32()),
    ("double", "double", "double", False, pa.float64()),
    ("boolean", "boolean", "boolean", False, pa.bool_()),
    ("string", "string", "string", False, pa.string()),
    ("bytes", "bytes", "bytes", False, pa.binary()),
    (ENUM, "enum", "enum", False, pa.string()),
    ({"type": "fixed", "name": "F", "size": 3}, "fixed", "fixed", False, pa.binary()),
    (["null", "double"], "double", "double", True, pa.float64()),
    (["string", "null"], "string", "string", True, pa.string()),
    (DATE, "date", "int", False, pa.date32()),
    (MILLIS, "timestamp-millis", "long", False, pa.timestamp("ms")),
    (["null", MICROS], "timestamp-micros", "long", True, pa.timestamp("us")),
    (
        {"type": "long", "logicalType": "local-timestamp-micros"},
        "local-timestamp-micros",
        "long",
        False,
        pa.timestamp("us"),
    ),
    ({"type": "int", "logicalType": "time-millis"}, "time-millis", "int", False, pa.time32("ms")),
    ({"type": "string", "logicalType": "uuid"}, "uuid", "string", False, pa.string()),
    ({"type": "string", "logicalType": "date"}, "string", "string", False, pa.string()),
    ({"type": "int", "logicalType": "mine"}, "int", "int", False, pa.int32()),
    ({"type": "array", "items": "double"}, "array", "array", False, pa.list_(pa.float64())),
    ({"type": "array", "items": DATE}, "array", "array", False, pa.list_(pa.date32())),
]


class TestDefault:
    """Defaults are checked with the schema."""

    @pytest.mark.parametrize(
        ("kind", "default"),
        [
            ("int", 2**31),
            ("int", "x"),
            ("int", True),
            ("boolean", 0),
            ("double", None),
            ("string", 1),
            ("bytes", "\u0100"),
            (DATE, 1.5),
            (ENUM, "GREY"),
            (["null", "int"], "x"),
            ({"type": "fixed", "name": "F", "size": 2}, "abc"),
            ({"type": "array", "items": "int"}, [1, None]),
            ({"type": "map", "values": "int"}, {"a": "x"}),
            ({"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}, {}),
        ],
    )
    def test_default_of_another_type_is_refused_with_the_field(self, kind: object, default: object) -> None:
        """A default that would fail each record without the field is found before the first."""
        with pytest.raises(SchemaError, match=r"record Event, field 'a': the default .* is not of its type"):
            schema({"name": "a", "type": kind, "default": default}).leaf("a")

    def test_original_name_that_is_not_a_text_is_refused_where_it_is_asked_for(self) -> None:
        """Another tool may have a property of that name: it is nothing to a reader of other fields."""
        of = schema({"name": "a", "type": "int", "feature": 3}, b="int")

        assert "b" == of.leaf("b").path
        with pytest.raises(SchemaError, match="field 'a': property feature must be text, found 3"):
            of.leaf("a")

    @pytest.mark.parametrize(
        ("kind", "default"),
        [
            ("long", -(2**63)),
            ("double", 3),
            ("bytes", "\xff"),
            (["null", "int"], None),
            (["null", "int"], 4),
            ({"type": "map", "values": "int"}, {"a": 1}),
            ({"type": "record", "name": "I", "fields": [{"name": "x", "type": "int", "default": 1}]}, {}),
            ("double", "NaN"),
            ("float", "-Infinity"),
            (["null", "double"], "1.5e3"),
        ],
    )
    def test_default_of_the_type_is_kept(self, kind: object, default: object) -> None:
        """What fits is taken, a later branch of a union too."""
        assert default == schema({"name": "a", "type": kind, "default": default}).root.fields[0].default


NO_FIELDS = {"type": "record", "name": "I", "fields": []}
LIST_OF_ITSELF = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}


def doubling(levels: int) -> Any:
    """Records that each hold the one below twice."""
    kind: Any = "int"
    for i in range(levels):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"D{i - 1}" if i else "int"}]
        kind = {"type": "record", "name": f"D{i}", "fields": fields}
    return kind


def deep(levels: int) -> Any:
    """An array of arrays of arrays …"""
    return {"type": "array", "items": deep(levels - 1)} if levels else "int"


class TestLeaf:
    """What a field is."""

    @pytest.mark.parametrize(("kind", "avro", "stored", "nullable", "arrow"), LEAVES)
    def test_leaf_says_its_types(
        self, kind: object, avro: str, stored: str, nullable: bool, arrow: pa.DataType
    ) -> None:
        """A leaf has the Avro name, the stored type, whether null is allowed, and the Arrow type."""
        leaf = schema(a=kind).leaf("a")

        assert (avro, stored, nullable, arrow) == (leaf.avro, leaf.type.kind, leaf.nullable, leaf.arrow)

    def test_nested_leaf_is_nullable_when_the_record_around_it_is(self) -> None:
        """A dotted path walks through nullable records, and takes over their null."""
        inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
        of = schema(pos=["null", inner])

        assert of.leaf("pos.x").nullable
        assert ["pos.x"] == [leaf.path for leaf in of.leaves()]

    def test_default_and_original_name_are_kept(self) -> None:
        """A default of null is a default; the feature property is the name that Avro couldn't hold."""
        of = schema(
            {"name": "a", "type": ["null", "int"], "default": None},
            {"name": "mean_radius", "type": "double", "feature": "mean radius (cm)"},
        )

        assert of.leaf("a").default is None
        assert ABSENT is of.leaf("mean_radius").default
        assert "mean radius (cm)" == of.leaf("mean_radius").feature

    @pytest.mark.parametrize(
        ("kind", "says"),
        [
            (["null"], "a union of null alone"),
            ({"type": "map", "values": LIST_OF_ITSELF}, "made of record L, which contains itself"),
            ([LIST_OF_ITSELF, "int"], "made of record L, which contains itself"),
            ({"type": "array", "items": NO_FIELDS}, "made of record I, which has no fields"),
            (["int", NO_FIELDS], "made of record I, which has no fields"),
            ({"type": "array", "items": doubling(12)}, "made of more than 1000 types"),
            (deep(65), "made of types that are nested more than 64 deep"),
            ({"type": "record", "name": "I", "fields": []}, "a record"),
        ],
    )
    def test_field_that_is_not_a_column_is_refused(self, kind: object, says: str) -> None:
        """What can't be one Arrow column is refused with the field's name."""
        with pytest.raises(SchemaError, match=f"field 'a' can't be a column: it is {says}"):
            schema(a=kind).leaf("a")

    def test_unknown_path_is_refused_with_the_names_there_are(self) -> None:
        """A typing error is answered with the fields of the record."""
        with pytest.raises(SchemaError, match=r"no field 'b'[^$]*use one of: a"):
            schema(a="int").leaf("b")


class TestFast:
    """What the Rust codec is given."""

    @pytest.mark.parametrize(
        "kind",
        ["int", ["null", DATE], ENUM, {"type": "map", "values": "long"}, {"type": "array", "items": MILLIS}],
    )
    def test_types_of_the_subset_are_fast(self, kind: object) -> None:
        """What the Rust codec reads rightly goes there."""
        assert schema(a=kind).rust

    @pytest.mark.parametrize(
        "kind",
        [
            "bytes",
            "null",
            ["int"],
            ["null", "int", "string"],
            {"type": "fixed", "name": "F", "size": 2},
            {"type": "array", "items": "null"},
            {"type": "record", "name": "I", "fields": []},
            {**ENUM, "symbols": []},
            {**ENUM, "symbols": ["grün"]},
            {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
        ],
    )
    def test_types_outside_the_subset_are_not(self, kind: object) -> None:
        """What makes it panic, or lets five bytes claim millions of items, does not."""
        assert not schema(b="int", a=kind).rust

    def test_schema_that_grows_without_end_when_written_out_is_not_fast(self) -> None:
        """Names used twice at each of twenty levels would be a million types."""
        fields = [
            {"name": "a0", "type": {"type": "record", "name": "L0", "fields": [{"name": "x", "type": "int"}]}}
        ]
        for level in range(1, 20):
            inner = [{"name": f"p{i}", "type": f"L{level - 1}"} for i in range(2)]
            fields.append(
                {"name": f"a{level}", "type": {"type": "record", "name": f"L{level}", "fields": inner}}
            )

        assert not schema(*fields).rust


@pytest.mark.parametrize("depth", [900, 3_000, 50_000])
def test_schema_nested_too_deep_is_refused(depth: int) -> None:
    """It ends as any schema that can't be used, not with the interpreter's RecursionError."""
    kind = '{"type":"array","items":' * depth + '"int"' + "}" * depth
    text = '{"type":"record","name":"R","fields":[{"name":"a","type":' + kind + "}]}"

    with pytest.raises(SchemaError, match="nested too deeply"):
        RecordSchema(text)


def test_records_that_hold_each_other_again_and_again_are_refused_in_time() -> None:
    """Each of thirty records holds the next one twice: a billion paths, of which ten thousand are looked at."""
    inner: object = {"type": "record", "name": "r0", "fields": [{"name": "x", "type": "int"}]}
    for level in range(1, 31):
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": f"r{level - 1}"}]
        inner = {"type": "record", "name": f"r{level}", "fields": fields}
    schema = RecordSchema(json.dumps(inner))

    with pytest.raises(SchemaError, match="more than 10000 dotted paths"):
        schema.leaves()


def test_a_record_asked_for_as_a_column_names_fields_that_can_be_one() -> None:
    """Not the one in which it contains itself, nor one without a length; those of its records instead."""
    inner = {"type": "record", "name": "In", "fields": [{"name": "n", "type": "long"}]}
    fields = [
        {"name": "next", "type": ["null", "Node"], "default": None},
        {"name": "nodes", "type": {"type": "array", "items": "Node"}},
        {"name": "length", "type": {"type": "fixed", "name": "L", "size": 12, "logicalType": "duration"}},
        {"name": "in", "type": inner},
        {"name": "x", "type": "double"},
    ]
    found = schema({"name": "node", "type": {"type": "record", "name": "Node", "fields": fields}})

    with pytest.raises(SchemaError) as refusal:
        found.leaf("node")

    assert "name its fields, each by its path: 'node.in.n', 'node.x'" == refusal.value.hint
