"""A writer's schema beside what the model needs, before any record is read."""

from __future__ import annotations

import json

import pytest

from stream.codec import RecordSchema
from stream.codec.compatibility import compare


def schema(*fields: tuple[str, object], **defaults: object) -> RecordSchema:
    """A record of these fields, some with defaults."""
    written = [
        {"name": name, "type": kind, **({"default": defaults[name]} if name in defaults else {})}
        for name, kind in fields
    ]
    return RecordSchema(json.dumps({"type": "record", "name": "R", "fields": written}))


READER = schema(("delay", "double"), ("origin", "string"), ("temp", ["null", "double"]))
PATHS = ("delay", "origin", "temp")


class TestCompare:
    """Each change upstream is named."""

    def test_same_schema_has_no_difference(self) -> None:
        """What is written is what is read."""
        assert [] == compare(READER, READER, PATHS)

    @pytest.mark.parametrize(
        ("writer", "path", "kind"),
        [
            (schema(("origin", "string"), ("temp", ["null", "double"])), "delay", "missing"),
            (
                schema(("delay", "string"), ("origin", "string"), ("temp", ["null", "double"])),
                "delay",
                "retyped",
            ),
            (
                schema(("delay", "double"), ("origin", ["null", "string"]), ("temp", "double")),
                "origin",
                "nullable",
            ),
            (
                schema(("delay", "int"), ("origin", "string"), ("temp", ["null", "double"])),
                "delay",
                "promoted",
            ),
            (
                schema(("delay", ["int", "string"]), ("origin", "string"), ("temp", ["null", "double"])),
                "delay",
                "partly",
            ),
            (
                schema(("delay", "double"), ("origin", "string"), ("temp", ["null", "string"])),
                "temp",
                "retyped",
            ),
            (schema(("delay", "double"), ("origin", "string"), ("temp", "null")), "temp", "default"),
            (schema(("delay", "double"), ("origin", "string"), ("temp", ["null"])), "temp", "default"),
        ],
    )
    def test_change_is_named(self, writer: RecordSchema, path: str, kind: str) -> None:
        """A dropped, retyped, nullable or promoted field is found by name."""
        [found] = compare(writer, READER, PATHS)

        assert (path, kind) == (found.path, found.kind)
        assert repr(path) in found.message

    def test_renamed_field_is_guessed(self) -> None:
        """A field that is gone beside a new one of a like name was renamed, most likely."""
        writer = schema(("dep_delay", "double"), ("origin", "string"), ("temp", ["null", "double"]))

        [found] = compare(writer, READER, PATHS)

        assert ("missing", "dep_delay") == (found.kind, found.near)

    def test_default_that_stands_in_is_said(self) -> None:
        """A field with a default that is no longer written is not an error, but is never passed over in silence."""
        reader = schema(("delay", "double"), delay=0.0)

        [found] = compare(schema(("other", "string")), reader, ["delay"])

        assert "default" == found.kind
        assert "0.0" in found.message

    def test_alias_makes_no_difference(self) -> None:
        """A renamed field that the reader knows by its alias is read as ever."""
        text = {"type": "record", "name": "R", "fields": [{"name": "new", "type": "int", "aliases": ["old"]}]}

        assert [] == compare(schema(("old", "int")), RecordSchema(json.dumps(text)), ["new"])
