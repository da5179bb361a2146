"""Rows of a file → Avro records as dicts: what `stream produce` sends and golden rows are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from stream.codec import ABSENT, RecordSchema
from stream.codec.nodes import Field, Record
from stream.errors import SampleError
from stream.files.tables import Row, Sample, read_rows
from stream.files.values import Misfit, reader_of

__all__ = ["events_of", "read_events"]


def read_events(path: Path, schema: RecordSchema) -> Iterator[dict[str, Any]]:
    """
    Read a file as events of a schema.

    Args:
        path: `.csv`, `.parquet`, `.avro` or `.jsonl`.
        schema: of the events. A column is found by the field's original name (`feature`) or its Avro name, a
            nested field of a flat file by its dotted path; columns that the schema lacks are ignored.
    Returns: an Avro record per row, in order, read as they are asked for; dates and times as Python's, UTC.
    Raises: SampleError naming file, row and column, when iterated to it.
    """
    return _events(str(path), read_rows(path), schema, text=path.suffix.lower() == ".csv")


def events_of(sample: Sample, schema: RecordSchema) -> Iterator[dict[str, Any]]:
    """
    A sample's rows as events of a schema.

    Args:
        sample: rows that were read.
        schema: of the events.
    Returns: as `read_events`.
    Raises: SampleError as `read_events`.
    """
    return _events(sample.name, sample.rows, schema, text=sample.text)


def _events(place: str, rows: Iterable[Row], schema: RecordSchema, *, text: bool) -> Iterator[dict[str, Any]]:
    read = record_reader(schema.root, text=text)
    for number, values in rows:
        try:
            yield read(values)
        except Misfit as misfit:
            raise SampleError(
                f"{place}:{number}:{misfit.column}: {misfit}", mend="correct the cell, or the schema"
            ) from misfit


def record_reader(record: Record, *, text: bool) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """
    A function that makes one record of a row.

    Args:
        record: the record's type.
        text: whether texts stand for numbers, dates …
    Returns: from the values by column, the values by Avro name; it raises Misfit.
    """
    plans = [
        (field, (field.feature or field.name, field.name), reader_of(field.type, text, record_reader))
        for field in record.fields
    ]

    def read(values: dict[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {}
        for field, names, convert in plans:
            for name in names:
                if name in values:
                    event[field.name] = _converted(convert, values[name], name)
                    break
            else:
                event[field.name] = _absent(field, convert, values)
        return event

    return read


def _converted(convert: Callable[[Any], Any], value: Any, name: str) -> Any:
    try:
        return convert(value)
    except Misfit as misfit:
        raise misfit.within(name) from misfit


def _absent(field: Field, convert: Callable[[Any], Any], values: dict[str, Any]) -> Any:
    """A field without a column: a nested record from columns with dotted names, else the default."""
    dotted = {
        key[len(name) + 1 :]: value
        for name in (field.name, field.feature)
        if name
        for key, value in values.items()
        if key.startswith(f"{name}.")
    }
    if dotted:
        return _converted(convert, None if set(dotted.values()) == {None} else dotted, field.name)
    if field.default is ABSENT:
        raise Misfit("there is no such column, and the field has no default", field.feature or field.name)
    return field.default
