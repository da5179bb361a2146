"""The parts of a run's output: their names, columns and Avro schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from stream.codec import RecordSchema
from stream.durable import written_whole
from stream.files import OUTPUT_FORMATS, RowWriter

__all__ = ["instants", "output_avro", "output_schema", "part_name", "write_part"]

_OFFSETS = ("source_partition", "source_offset")
"""Fields of `prediction.avsc` for the origin of a record; a row comes from a file instead."""


def part_name(number: int, kind: str) -> str:
    """The file of a unit; `kind` is the name of its format."""
    return f"part-{number:05d}{OUTPUT_FORMATS[kind].suffixes[0]}"


def instants(predictions: pa.Schema, prediction_avsc: str) -> pa.Schema:
    """
    Mark the times that are instants, by the zone: the predictions' columns name none, but readers of files need it.

    Args:
        predictions: as in `TableScorer.schema`.
        prediction_avsc: of the package.
    Returns: the same columns; times are in UTC, except those of `local-timestamp-*`.
    """
    types = RecordSchema(prediction_avsc).types()
    return pa.schema(field.with_type(types[field.name].file_arrow) for field in predictions)


def output_schema(predictions: pa.Schema, prediction_avsc: str) -> pa.Schema:
    """The columns of the output: `instants`, then `source_file` and `source_row`."""
    places = [pa.field("source_file", pa.string()), pa.field("source_row", pa.int64())]
    return pa.schema([*instants(predictions, prediction_avsc), *places])


def output_avro(prediction_avsc: str) -> str:
    """`prediction.avsc` with the place of a row instead of a record's."""
    schema = json.loads(prediction_avsc)
    fields = [field for field in schema["fields"] if field["name"] not in _OFFSETS]
    fields += [
        {"name": "source_file", "type": "string", "doc": "File of the row that was scored."},
        {"name": "source_row", "type": "long", "doc": "Number of the row in that file, from 1."},
    ]
    return json.dumps({**schema, "fields": fields})


@contextmanager
def write_part(path: Path, kind: str, schema: pa.Schema, avro: str) -> Iterator[RowWriter]:
    """
    Write a part, whole or not at all.

    Args:
        path: its name.
        kind: its format's name.
        schema: of the batches.
        avro: the Avro schema of the rows, JSON.
    Yields: the writer for its rows.
    Raises: OSError from the disk; there is then no file of that name.
    """
    with written_whole(path) as file:
        part = OUTPUT_FORMATS[kind].writer(file, schema, avro)
        try:
            yield part
        except BaseException:
            # Left open, pyarrow's writer would write its footer when garbage-collected, to a file closed by then.
            with suppress(OSError, ValueError, pa.ArrowException):
                part.close()
            raise
        part.close()
