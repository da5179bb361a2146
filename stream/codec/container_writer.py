"""Avro object container files, written: the header has the schema itself, values say which branch they are of."""

from __future__ import annotations

import json
from typing import IO, Any

import fastavro

from stream.codec.fastavro_form import fastavro_parsed
from stream.codec.schema import RecordSchema

__all__ = ["container_writer"]


def container_writer(file: IO[bytes], schema: RecordSchema, *, meaning: bool = True) -> Any:
    """
    Begin a file.

    Args:
        file: gets the header at once.
        schema: of the records.
        meaning: whether values are given as Python's own where they have logical types; else as bare numbers. Of a
            union of several types `{"int": 5}`.
    Returns: fastavro's writer: `write` a record, then `flush`. Compressed with deflate, which every reader knows.
    """
    from fastavro.write import Writer

    writer: Any = Writer(file, fastavro.parse_schema(json.loads(schema.text)), codec="deflate")
    form = fastavro_parsed(schema.root, meaning=meaning)
    writer.schema, writer._named_schemas = form, form["__named_schemas"]
    return writer
