"""One record at a time, as dictionaries, for people and for files: fastavro with its logical types."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from stream.codec.node_types import plain_type
from stream.codec.nodes import Array, Map, Node, Record, Union, branch_name, several, strip_null
from stream.codec.schema import RecordSchema
from stream.errors import RecordError
from stream.types import Bare, Misfit

__all__ = ["plain_row", "read_bare", "read_row", "write_row"]

_UNREADABLE = (ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RecursionError)


def write_row(schema: RecordSchema, record: Mapping[str, object]) -> bytes:
    """
    Encode a record, without framing.

    Args:
        schema: the writer schema.
        record: a value per field; dates and times as Python's own, or as numbers.
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
    Returns: a value per field, of Python's own class where that holds it, else `Bare`; of a union of several types an
        object with one member, named by the branch.
    Raises: RecordError when they are not a record of that schema.
    """
    return schema.typed(read_bare(schema, value))


def read_bare(schema: RecordSchema, value: bytes) -> dict[str, object]:
    """As `read_row`, but values of logical types are the bare numbers, texts and bytes that were written."""
    source = io.BytesIO(value)
    try:
        record = fastavro.schemaless_reader(source, schema.bare, None)
    except _UNREADABLE as error:
        raise RecordError(f"not a {schema.name}: {error}", reason="unreadable") from error
    if source.read(1) or not isinstance(record, dict):
        raise RecordError(f"not a {schema.name}: bytes are left over", reason="unreadable")
    return record


def plain_row(schema: RecordSchema, record: Mapping[str, object]) -> dict[str, object]:
    """
    A record as JSON has it.

    Args:
        schema: the writer schema.
        record: as `read_row` gives it.
    Returns: the same fields; numbers unknown to JSON are null, dates and instants texts, as in files and answers.
    """
    return {field.name: _plain(field.type, record[field.name]) for field in schema.root.fields}


def _plain(node: Node, value: Any) -> Any:
    if isinstance(value, Bare):
        return _bare(value)
    node = strip_null(node)[0]
    if value is None:
        return None
    if isinstance(node, Record):
        return {field.name: _plain(field.type, value[field.name]) for field in node.fields}
    if isinstance(node, Array):
        return [_plain(node.items, item) for item in value]
    if isinstance(node, Map):
        return {key: _plain(node.values, item) for key, item in value.items()}
    if isinstance(node, Union):
        branches = {branch_name(one): one for one in several(node)}
        return {name: _plain(branches[name], one) for name, one in value.items()}
    kind = plain_type(node)
    return value if kind is None else kind.json_value(value)


def _bare(value: Bare) -> object:
    """As files have it; a number that is no value of its type, such as a time of no day, as it is."""
    try:
        value.kind.check(value.value)
    except Misfit:
        return value.value
    return value.kind.json_value(value.value)
