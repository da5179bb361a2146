"""The table of types: names, lookups, and what others are told."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from stream.types import AvroType, List, nullable_schema, type_called, type_for, type_of
from tests.unit.types.kinds import EVERY, schema_of, title


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory."""
    with duckdb.connect() as found:
        yield found


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_duckdb_calls_its_column_so(kind: AvroType, connection: duckdb.DuckDBPyConnection) -> None:
    """What the page says is what a query sees."""
    relation = connection.from_arrow(pa.table({"x": pa.array([], kind.duckdb_arrow)}))
    called = connection.sql(f"SELECT CAST(NULL AS {kind.foreign.duckdb})")  # with its own quotes

    assert str(called.types[0]) == str(relation.types[0])


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_its_values_are_valid_by_its_json_schema(kind: AvroType) -> None:
    """What REST publishes of a type holds for what it answers, null included where it may be."""
    chance = random.Random(3)
    column, _ = kind.from_values([*(kind.sample(chance) for _ in range(20)), None])

    valid = Draft202012Validator(nullable_schema(kind.json_schema()))

    assert all(valid.is_valid(value) for value in kind.json_values(column))
    assert not Draft202012Validator(kind.json_schema()).is_valid(None)


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_a_schema_says_its_type_again(kind: AvroType) -> None:
    """From the object to Avro's JSON and back."""
    assert kind == schema_of(kind).leaf("x").type


@pytest.mark.parametrize("kind", EVERY, ids=title)
def test_its_own_tensor_is_among_those_that_are_taken(kind: AvroType) -> None:
    """A caller may send what the metadata asks for."""
    assert kind.foreign.tensor in kind.tensors


@pytest.mark.parametrize("kind", [kind for kind in EVERY if kind.model is not None], ids=title)
def test_a_manifest_finds_what_a_model_takes_by_name(kind: AvroType) -> None:
    """The column that a feature's name promises is the one that the decoder makes."""
    assert kind.arrow == type_called(kind.full_name).arrow
    array = type_called(f"array<{kind.full_name}>")
    assert isinstance(array, List)
    assert pa.list_(kind.arrow) == array.arrow


def test_a_logical_type_on_another_type_means_nothing() -> None:
    """Avro 1.12 specification, "Logical Types": the bare type is read."""
    assert type_of("string") == type_of("string", "date")
    assert type_of("int") == type_of("int", "timestamp-millis")
    assert type_of("long") == type_of("long", "moon-phase")


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int8(), "int"), (pa.uint16(), "int"), (pa.uint32(), "long"), (pa.uint64(), "long"), (pa.float16(), "float"),
        (pa.decimal128(9, 2), "double"), (pa.large_string(), "string"), (pa.date64(), "date"), (pa.bool_(), "boolean"),
        (pa.timestamp("s"), "timestamp-millis"), (pa.timestamp("ns", "UTC"), "timestamp-micros"),
        (pa.binary(4), "bytes"), (pa.large_binary(), "bytes"), (pa.duration("s"), None),
        (pa.time32("ms"), "time-millis"), (pa.time64("ns"), "time-micros"), (pa.uuid(), "uuid"),
    ],
)  # fmt: skip
def test_a_foreign_column_has_the_first_type_that_takes_it(arrow: pa.DataType, expected: str | None) -> None:
    """An unsigned type needs a signed one of twice its width; what Avro has no type for has none."""
    found = type_for(arrow)

    assert expected == (None if found is None else found.name)
