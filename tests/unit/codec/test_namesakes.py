"""A record written into a union is read as the branch of its own name, never as another of the same shape."""

from __future__ import annotations

import io
import json

import fastavro

from stream.codec import Decoder, RecordSchema

LIKE = {"type": "record", "name": "Like", "fields": [{"name": "a", "type": "int"}]}


def _schema(*branches: object) -> RecordSchema:
    fields = [{"name": "f", "type": ["null", *branches]}]
    return RecordSchema(json.dumps({"type": "record", "name": "Event", "fields": fields}))


def _stop(*more: object) -> dict[str, object]:
    return {"type": "record", "name": "n.Stop", "fields": [{"name": "a", "type": "int"}, *more]}


def _read(reader: RecordSchema) -> object:
    writer = _schema(_stop(), "string")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, json.loads(writer.text), {"f": {"a": 5}})
    decoded = Decoder(reader, ["f"], "bare", writer).decode([out.getvalue()])
    return decoded.faults[0].reason if decoded.faults else decoded.columns["f"].to_pylist()[0]


def test_record_whose_own_branch_lacks_a_value_is_a_dead_letter() -> None:
    """Another branch would take its fields: what it says would become something else in silence."""
    lacks = _stop({"name": "more", "type": "int"})

    assert "wrong_type" == _read(_schema(LIKE, lacks))
    assert {"Like": None, "n.Stop": {"a": 5, "more": 3}} == _read(
        _schema(LIKE, _stop({"name": "more", "type": "int", "default": 3}))
    )


def test_record_without_a_namesake_is_read_by_its_fields() -> None:
    """A union's record that was renamed."""
    assert {"Like": {"a": 5}, "string": None} == _read(_schema(LIKE, "string"))
