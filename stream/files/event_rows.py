"""Rows of a file → Avro records as dicts: what `stream produce` sends and golden rows are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stream.codec import RecordSchema
from stream.errors import SampleError
from stream.files.file_span import Row
from stream.files.formats import named_format
from stream.files.tables import Sample, read_rows
from stream.table import record_reader
from stream.types import Misfit

__all__ = ["events_of", "read_events"]


def read_events(path: Path, schema: RecordSchema) -> Iterator[dict[str, Any]]:
    """
    Read a file as events of a schema.

    Args:
        path: of one of `FORMATS`.
        schema: of the events. A column is found by the field's original name (`feature`) or its Avro name, a
            nested field of a flat file by its dotted path; columns that the schema lacks are ignored.
    Returns: an Avro record per row, in order, read as they are asked for; dates and times as Python objects, UTC.
    Raises: SampleError naming file, row and column, when iterated to it.
    """
    return _events(str(path), read_rows(path), schema, text=named_format(path).text)


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
                f"{place}:{number}:{misfit.field}: {misfit}", hint="correct the cell, or the schema"
            ) from misfit
