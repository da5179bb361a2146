"""Letters repaired: renamed, dropped, defaulted, cast, under today's schema; what can't be made right is told."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from stream.codec import Decoder, RecordSchema, read_row, single_object_prefix, write_row
from stream.errors import SettingsError
from stream.redrive.repair_file import Repair, Repairs
from stream.redrive.repairing import Workshop
from stream.redrive.trial import Trial
from stream.resources import KnownWriters, ValueSchemas
from tests.unit.redrive.letters import stored


def schema(**fields: Any) -> RecordSchema:
    """A schema of these fields; a type, or a type and a default."""
    return RecordSchema(
        json.dumps(
            {
                "type": "record",
                "name": "Visit",
                "fields": [
                    {"name": name, "type": kind[0], "default": kind[1]}
                    if isinstance(kind, tuple)
                    else {"name": name, "type": kind}
                    for name, kind in fields.items()
                ],
            }
        )
    )


def logical(kind: str, name: str) -> dict[str, str]:
    """A logical type."""
    return {"type": kind, "logicalType": name}


MILLIS, MICROS = logical("long", "timestamp-millis"), logical("long", "timestamp-micros")


def workshop(today: RecordSchema, old: RecordSchema, repair: Repair) -> Workshop:
    """Repairs letters of reason `wrong_type`; both schemas are known by their fingerprints."""
    known = KnownWriters(today, old, None)
    decoder = Decoder(today, [], "single-object", today, known)
    schemas = ValueSchemas(today, "single-object", known, None, decoder)
    repairs = Repairs(Path("repair.toml"), {"wrong_type": repair})
    return Workshop(repairs, schemas, today, single_object_prefix(today), {})


def repaired(
    today: RecordSchema, old: RecordSchema, row: dict[str, Any], repair: Repair
) -> dict[str, Any] | str:
    """What becomes of a row: its fields today, or why not."""
    letter = stored(0, single_object_prefix(old) + write_row(old, row))
    trial = Trial()
    found = workshop(today, old, repair).repaired([letter], trial)
    if not found:
        [fallen] = trial.failing.values()
        return fallen.message
    value = found[0].letter.value
    assert value is not None
    assert value.startswith(single_object_prefix(today))
    return read_row(today, value[10:])


@pytest.mark.parametrize(
    ("today", "old", "row", "repair", "expected"),
    [
        ({"b": "int"}, {"a": "int"}, {"a": 5}, Repair(rename={"a": "b"}), {"b": 5}),
        ({"b": "double"}, {"a": "int"}, {"a": 5}, Repair(rename={"a": "b"}), {"b": 5.0}),
        ({"a": "int"}, {"a": "string"}, {"a": "5"}, Repair(cast=("a",)), {"a": 5}),
        ({"a": "double"}, {"a": "string"}, {"a": "5.5"}, Repair(cast=("a",)), {"a": 5.5}),
        ({"a": "int"}, {"a": "double"}, {"a": 5.0}, Repair(cast=("a",)), {"a": 5}),
        ({"a": "string"}, {"a": "int"}, {"a": 5}, Repair(cast=("a",)), {"a": "5"}),
        ({"a": "string"}, {"a": "boolean"}, {"a": True}, Repair(cast=("a",)), {"a": "true"}),
        ({"a": "boolean"}, {"a": "string"}, {"a": "true"}, Repair(cast=("a",)), {"a": True}),
        (
            {"a": MILLIS},
            {"a": "string"},
            {"a": "2026-11-27T03:00:00Z"},
            Repair(cast=("a",)),
            {"a": dt.datetime(2026, 11, 27, 3, tzinfo=dt.UTC)},
        ),
        (
            {"a": MILLIS},
            {"a": MICROS},
            {"a": 1_000},
            Repair(),
            {"a": dt.datetime(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=dt.UTC)},
        ),
        ({"a": "int", "b": "string"}, {"a": "int"}, {"a": 1}, Repair(default={"b": "x"}), {"a": 1, "b": "x"}),
        ({"a": "int"}, {"a": ["null", "int"]}, {"a": None}, Repair(default={"a": 7}), {"a": 7}),
        ({"a": "double"}, {"a": ["null", "string"]}, {"a": None}, Repair(default={"a": 7}), {"a": 7.0}),
        ({"a": "int"}, {"a": "int", "x": "string"}, {"a": 1, "x": ""}, Repair(drop=("x",)), {"a": 1}),
        ({"a": ("int", 3)}, {"a": "string"}, {"a": "bad"}, Repair(drop=("a",)), {"a": 3}),
        ({"a": ("int", 3), "b": "int"}, {"b": "int"}, {"b": 1}, Repair(), {"a": 3, "b": 1}),
        ({"b": "int"}, {"b": "int"}, {"b": 1}, Repair(rename={"a": "b"}), {"b": 1}),
        (
            {"b": "int"},
            {"a": "string", "x": "int"},
            {"a": "5", "x": 1},
            Repair(rename={"a": "b"}, drop=("x",), cast=("b",)),
            {"b": 5},
        ),
    ],
)
def test_letter_is_made_what_today_takes(
    today: dict[str, Any], old: dict[str, Any], row: dict[str, Any], repair: Repair, expected: dict[str, Any]
) -> None:
    """Each step alone, and together; what Avro promotes needs no word."""
    assert expected == repaired(schema(**today), schema(**old), row, repair)


def place(kind: str) -> dict[str, Any]:
    """A nested record."""
    return {"type": "record", "name": "Place", "fields": [{"name": "zip", "type": kind}]}


def test_fields_of_nested_records_are_dotted_paths() -> None:
    """Renamed out of a record, cast and defaulted in one."""
    today = schema(place=place("int"), zip=["null", "string"])
    old = schema(place=place("string"))

    assert {"place": {"zip": 501}, "zip": None} == repaired(
        today, old, {"place": {"zip": "00501"}}, Repair(cast=("place.zip",), default={"zip": None})
    )
    assert {"place": {"zip": 9}, "zip": "00501"} == repaired(
        today,
        old,
        {"place": {"zip": "00501"}},
        Repair(rename={"place.zip": "zip"}, default={"place.zip": 9}),
    )


@pytest.mark.parametrize(
    ("today", "old", "row", "repair", "says"),
    [
        (
            {"a": "int"},
            {"a": "string"},
            {"a": "5"},
            Repair(),
            "written as string, and is int today: name it in `cast`",
        ),
        ({"a": "int"}, {"a": "double"}, {"a": 5.0}, Repair(), "name it in `cast`"),
        ({"a": "int"}, {"a": "double"}, {"a": 5.5}, Repair(cast=("a",)), "field 'a'"),
        ({"a": "int"}, {"a": "string"}, {"a": "five"}, Repair(cast=("a",)), "field 'a'"),
        ({"a": "int"}, {"a": "long"}, {"a": 2**40}, Repair(cast=("a",)), "field 'a'"),
        ({"a": MILLIS}, {"a": "long"}, {"a": 5}, Repair(), "name it in `cast`"),
        ({"a": MILLIS}, {"a": MICROS}, {"a": 1}, Repair(), "timestamp-millis"),
        (
            {"a": "int"},
            {"a": "int", "x": "int", "y": "int"},
            {"a": 1, "x": 1, "y": 2},
            Repair(),
            "no field x, y",
        ),
        (
            {"a": "int"},
            {"x": "int"},
            {"x": 1},
            Repair(drop=("x",)),
            "field 'a' is not in the letter: give it a `default`",
        ),
        ({"a": "int"}, {"a": ["null", "int"]}, {"a": None}, Repair(), "found no value: give it a `default`"),
        ({"b": "int"}, {"a": "int", "b": "int"}, {"a": 1, "b": 2}, Repair(rename={"a": "b"}), "it has both"),
        (
            {"a": "string"},
            {"a": {"type": "array", "items": "int"}},
            {"a": [1]},
            Repair(cast=("a",)),
            "spelling",
        ),
    ],
)
def test_letter_that_can_not_be_made_right_is_told(
    today: dict[str, Any], old: dict[str, Any], row: dict[str, Any], repair: Repair, says: str
) -> None:
    """Nothing is guessed, rounded or dropped in silence."""
    found = repaired(schema(**today), schema(**old), row, repair)

    assert isinstance(found, str)
    assert says in found


def test_broken_bytes_are_not_repaired() -> None:
    """The strict check goes before; letters of reasons that the file does not name are left, too."""
    today = schema(a="string")
    bad = stored(0, single_object_prefix(today) + b"\x04\xff\xfe")
    other = stored(1, single_object_prefix(today) + b"\x02x", reason="missing_field")
    trial = Trial()

    assert [] == workshop(today, today, Repair()).repaired([bad, other, stored(2, None)], trial)
    assert ({"invalid_utf8", "no repair", "null_value"}, 3) == (set(trial.failing), trial.letters)


def test_original_keeps_key_time_and_headers() -> None:
    """But the header that names the schema of the old value."""
    today, old = schema(b="int"), schema(a="int")
    value = single_object_prefix(old) + write_row(old, {"a": 1})
    letter = stored(3, value, headers=(("mine", b"1"), ("__value_schema_id", b"\0\0\0\0\7"), ("mine", None)))

    [found] = workshop(today, old, Repair(rename={"a": "b"})).repaired([letter], Trial())

    assert (b"key", 1_700_000_000_003) == (found.letter.key, found.letter.timestamp_ms)
    assert [("mine", b"1"), ("mine", None)] == found.letter.headers
    assert value == letter.letter.value


@pytest.mark.parametrize(
    "repair", [Repair(rename={"x": "pagez"}), Repair(default={"pagez": 1}), Repair(cast=("pagez",))]
)
def test_field_that_today_has_not_is_refused_with_the_nearest(repair: Repair) -> None:
    """Before any letter is read."""
    today = schema(pages="int")

    with pytest.raises(SettingsError, match="no field `pagez`") as caught:
        workshop(today, today, repair)
    assert "did you mean `pages`?" == caught.value.hint


@pytest.mark.parametrize(
    ("rows", "repair", "merged"),
    [
        ([{"a": 1}, {"a": 2}, {"a": 3}], Repair(drop=("a",), default={"b": 7}), 3),
        ([{"a": 1}, {"a": 1}], Repair(drop=("a",), default={"b": 7}), 0),
        ([{"a": 1}, {"a": 2}], Repair(rename={"a": "b"}), 0),
    ],
    ids=["one for all", "alike before", "different"],
)
def test_repair_that_makes_all_letters_alike_is_noticed(
    rows: list[dict[str, Any]], repair: Repair, merged: int
) -> None:
    """What told them apart is dropped or replaced: likely a mistake, and it is asked about."""
    old, today = schema(a="int"), schema(b="int")
    found = workshop(today, old, repair)
    letters = [stored(i, single_object_prefix(old) + write_row(old, row)) for i, row in enumerate(rows)]

    assert len(rows) == len(found.repaired(letters, Trial()))
    assert merged == found.merged
