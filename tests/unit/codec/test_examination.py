"""A value as far as it can be read, and where it can't."""

from __future__ import annotations

import json

import pytest

from stream.codec import RecordSchema, examine, write_row

SCHEMA = RecordSchema(
    json.dumps(
        {
            "type": "record",
            "name": "Visit",
            "fields": [
                {"name": "id", "type": "long"},
                {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                {
                    "name": "place",
                    "type": {
                        "type": "record",
                        "name": "Place",
                        "fields": [{"name": "city", "type": "string"}],
                    },
                },
                {"name": "back", "type": ["null", "Place"]},
            ],
        }
    )
)
ROW = {"id": 1, "at": 0, "place": {"city": "York"}, "back": {"city": "Bath"}}
WHOLE = write_row(SCHEMA, ROW)
"""id 02, at 00, place 08 York, back 02 08 Bath."""

PLAIN = {"id": 1, "at": "1970-01-01T00:00:00.000Z", "place": {"city": "York"}, "back": {"city": "Bath"}}


def test_sound_value_is_read_whole() -> None:
    """All fields, as JSON has them."""
    found = examine(SCHEMA, WHOLE)

    assert (PLAIN, None, None) == (found.fields, found.fault, found.byte)


@pytest.mark.parametrize(
    ("body", "fields", "reason", "path", "byte"),
    [
        (b"", 0, "truncated", "id", 0),
        (WHOLE[:1], 1, "truncated", "at", 1),
        (WHOLE[:5], 2, "truncated", "place.city", 2),
        (WHOLE[:3] + b"\xff" + WHOLE[4:], 2, "invalid_utf8", "place.city", 3),
        (WHOLE[:7] + b"\x04" + WHOLE[8:], 3, "bad_union_index", "back", 7),
        (WHOLE[:-1], 3, "truncated", "back.city", 8),
        (WHOLE + b"\0\0", 4, "trailing_bytes", None, 13),
    ],
)
def test_fault_names_field_and_byte_and_what_is_before_is_read(
    body: bytes, fields: int, reason: str, path: str | None, byte: int
) -> None:
    """The fields before the fault are there, those from it on are not."""
    found = examine(SCHEMA, body)

    assert found.fault is not None
    assert (reason, path, byte) == (found.fault.reason, found.fault.field, found.byte)
    assert dict([*PLAIN.items()][:fields]) == found.fields
