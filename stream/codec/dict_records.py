"""One record at a time, as dictionaries, for people and for files: fastavro with its logical types."""

from __future__ import annotations

import io
from collections.abc import Mapping

import fastavro

from stream.codec.schema import RecordSchema
from stream.errors import RecordError

__all__ = ["read_row", "write_row"]

_UNREADABLE = (ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RecursionError)


def write_row(schema: RecordSchema, record: Mapping[str, object]) -> bytes:
    """
    Encode a record, without framing.

    Args:
        schema: the writer schema.
        record: a value per field; dates and times as Python's own.
    Raises: RecordError naming what does not fit.
    """
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, schema.parsed, record, strict_allow_default=True)
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise RecordError(f"the record does not fit {schema.name}: {error}", reason="unwritable") from error
    return out.getvalue()


def read_row(schema: RecordSchema, value: bytes) -> dict[str, object]:
    """
    Decode a record, without framing.

    Args:
        schema: the writer schema.
        value: the Avro bytes.
    Raises: RecordError when they are not a record of that schema.
    """
    source = io.BytesIO(value)
    try:
        record = fastavro.schemaless_reader(source, schema.parsed, None)
    except _UNREADABLE as error:
        raise RecordError(f"not a {schema.name}: {error}", reason="unreadable") from error
    if source.read(1) or not isinstance(record, dict):
        raise RecordError(f"not a {schema.name}: bytes are left over", reason="unreadable")
    return record
