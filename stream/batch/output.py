"""Parts of a run's output, each written beside its name and renamed when it is whole."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import fastavro
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from stream.batch.assignment import Format

__all__ = [
    "Part",
    "instants",
    "output_avro",
    "output_schema",
    "part_name",
    "sync",
    "write_part",
    "written_whole",
]

_OFFSETS = ("source_partition", "source_offset")
"""Of `prediction.avsc`: where a record came from; a row comes from a file."""


class Part(Protocol):
    """An open part."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows of the output's schema."""

    def close(self) -> None:
        """Finish the file."""


def part_name(number: int, kind: Format) -> str:
    """The file of a unit."""
    return f"part-{number:05d}.{kind}"


def instants(predictions: pa.Schema, prediction_avsc: str) -> pa.Schema:
    """
    Say which times are instants: the stream's columns have Avro's numbers, other readers want the zone.

    Args:
        predictions: as `TableScorer.schema` has them.
        prediction_avsc: of the package.
    Returns: the same columns; times are in UTC, but those of `local-timestamp-*`.
    """
    fields = json.loads(prediction_avsc)["fields"]
    local = {field["name"] for field in fields if "local-timestamp" in json.dumps(field["type"])}
    return pa.schema(
        field.with_type(pa.timestamp(field.type.unit, "UTC"))
        if pa.types.is_timestamp(field.type) and field.name not in local
        else field
        for field in predictions
    )


def output_schema(predictions: pa.Schema, prediction_avsc: str) -> pa.Schema:
    """The columns of the output: `instants`, then `source_file` and `source_row`."""
    places = [pa.field("source_file", pa.string()), pa.field("source_row", pa.int64())]
    return pa.schema([*instants(predictions, prediction_avsc), *places])


def output_avro(prediction_avsc: str) -> dict[str, Any]:
    """`prediction.avsc` with a row's place instead of a record's."""
    schema: dict[str, Any] = json.loads(prediction_avsc)
    fields = [field for field in schema["fields"] if field["name"] not in _OFFSETS]
    fields += [
        {"name": "source_file", "type": "string", "doc": "File of the row that was scored."},
        {"name": "source_row", "type": "long", "doc": "Number of the row in that file, from 1."},
    ]
    return {**schema, "fields": fields}


@contextmanager
def write_part(path: Path, kind: Format, schema: pa.Schema, avro: Mapping[str, Any]) -> Iterator[Part]:
    """
    Write a part, whole or not at all.

    Args:
        path: its name.
        kind: its format.
        schema: of the batches.
        avro: the Avro schema of the rows.
    Yields: what rows are written to.
    Raises: OSError as the disk has it; nothing is there under the name then.
    """
    with written_whole(path) as file:
        part = _PARTS[kind](file, schema, avro)
        try:
            yield part
        except BaseException:
            # Left open, pyarrow's writer writes its footer when it is collected: to a file that is closed by then.
            with suppress(OSError, ValueError, pa.ArrowException):
                part.close()
            raise
        part.close()


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """
    A file that gets its name when it is whole and on the disk: 1 another name, 2 its bytes, 3 one rename.

    Args:
        path: its name.
    Yields: it, open for bytes.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # several machines may try  # 1
    try:
        with beside.open("wb") as file:  # 2
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)  # 3
    finally:
        beside.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """A rename is on the disk only once its folder is (POSIX; other systems can't open a folder)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Parquet:
    def __init__(self, file: IO[bytes], schema: pa.Schema, avro: Mapping[str, Any]) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, file: IO[bytes], schema: pa.Schema, avro: Mapping[str, Any]) -> None:
        self._schema = pa.schema(
            [(f.name, pa.string() if pa.types.is_list(f.type) else f.type) for f in schema]
        )
        self._writer = pyarrow.csv.CSVWriter(file, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            pa.array([json.dumps(each) for each in column.to_pylist()])
            if pa.types.is_list(column.type)
            else column
            for column in batch.columns
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Jsonl:
    def __init__(self, file: IO[bytes], schema: pa.Schema, avro: Mapping[str, Any]) -> None:
        self._file = file

    def write(self, batch: pa.RecordBatch) -> None:
        self._file.write(b"".join(_json_lines(batch.to_pylist())))

    def close(self) -> None:
        pass


class _Avro:
    def __init__(self, file: IO[bytes], schema: pa.Schema, avro: Mapping[str, Any]) -> None:
        from fastavro.write import Writer

        self._writer = Writer(file, fastavro.parse_schema(dict(avro)), codec="deflate")

    def write(self, batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            self._writer.write(row)

    def close(self) -> None:
        self._writer.flush()


_PARTS: dict[Format, Callable[[IO[bytes], pa.Schema, Mapping[str, Any]], Part]] = {
    "parquet": _Parquet,
    "csv": _Csv,
    "jsonl": _Jsonl,
    "avro": _Avro,
}


def _json_lines(rows: Sequence[Mapping[str, object]]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=_text).encode() + b"\n"


def _text(value: Any) -> str:
    """JSON has no times and no bytes: ISO 8601, and a character per byte as Avro's JSON has it."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value.isoformat())
