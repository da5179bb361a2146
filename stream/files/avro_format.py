"""Avro object container files: cut between blocks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import fastavro
import pyarrow as pa

from stream.codec import RecordSchema
from stream.files.file_format import OutputFormat, RowWriter
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted, chunks_of_rows

__all__ = ["AvroFormat"]


class AvroFormat(OutputFormat):
    """Avro object container files of records."""

    def columns(self, path: Path) -> list[str] | None:
        """The fields of the writer's schema."""
        with self.open(path) as file:
            schema = fastavro.reader(file).writer_schema
        fields = schema.get("fields", ()) if isinstance(schema, dict) else ()
        return [field["name"] for field in fields] or None

    def avro_schema(self, path: Path) -> str:
        """The writer's."""
        with self.open(path) as file:
            return json.dumps(json.loads(fastavro.reader(file).metadata["avro.schema"]))

    def rows(self, path: Path) -> Iterator[Row]:
        """Record by record."""
        with self.open(path) as file:
            for number, values in enumerate(_records(file), 1):
                yield Row(number, values)

    def spans(self, file: IO[bytes], limits: Limits = LIMITS) -> Iterator[Span]:
        """Blocks together up to some megabytes."""
        start = stop = None
        row, rows = 1, 0
        for block in fastavro.block_reader(file):
            start = block.offset if start is None else start
            stop, rows = block.offset + block.size, rows + block.num_records
            if stop - start >= limits.block_bytes:
                yield Span(start, stop, row, rows)
                start, row, rows = None, row + rows, 0
        if start is not None and stop is not None and rows:
            yield Span(start, stop, row, rows)

    def chunks(self, path: Path, span: Span, wanted: Wanted, most: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """The file's header and the span's blocks together are a file of their own."""
        with self.open(path) as file:
            head = next(iter(fastavro.block_reader(file)))
            file.seek(0)
            header = file.read(head.offset)
            file.seek(span.start)
            content = file.read(span.stop - span.start)
        yield from chunks_of_rows(_records(io.BytesIO(header + content)), span.first_row, most)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """Compressed with deflate, which every reader of Avro knows."""
        return _Writer(file, avro)


def _records(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    for record in fastavro.reader(file):
        if not isinstance(record, dict):
            raise ValueError("expected records")
        yield record


class _Writer:
    def __init__(self, file: IO[bytes], avro: str) -> None:
        from fastavro.write import Writer

        self._writer = Writer(file, fastavro.parse_schema(json.loads(avro)), codec="deflate")
        self._types = RecordSchema(avro).types()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Writes bare numbers: Python's classes can't hold each of Avro's dates and times."""
        names = batch.schema.names
        types = [self._types[name] for name in names]
        columns = [
            kind.to_storage(column.cast(kind.arrow)).to_pylist()
            for kind, column in zip(types, batch.columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            self._writer.write(dict(zip(names, row, strict=True)))

    def close(self) -> None:
        self._writer.flush()
