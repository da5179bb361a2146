"""Avro object container files: cut between blocks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import fastavro
import pyarrow as pa

from stream.codec import RecordSchema, bare_form, container_writer, typed_row
from stream.files.file_format import Opener, OutputFormat, RowWriter
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted, chunks_of_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AvroFormat"]

_SYNC_BYTES = 16
"""At the end of a file's header, and of each block (Avro 1.12 specification, "Object Container Files")."""


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
        """Record by record, some megabytes of them in memory."""
        yield from self._rows(path, exact=True)

    def _rows(self, path: Path, *, exact: bool) -> Iterator[Row]:
        with self.open(path) as file:
            spans = self.spans(file)
            for span in spans:
                with self.open(path) as part:
                    records = _records(part, span, exact=exact)
                for number, values in enumerate(records, span.first_row):
                    yield Row(number, values)

    def frame(self, path: Path) -> pd.DataFrame:
        """All rows, of Python's own values."""
        import pandas as pd

        return pd.DataFrame([row.values for row in self._rows(path, exact=False)])

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

    def chunks(
        self,
        path: Path,
        span: Span,
        wanted: Wanted,
        most: int = CHUNK_ROWS,
        opener: Opener | None = None,
    ) -> Iterator[Chunk]:
        """Its blocks."""
        with self.open(path, opener) as file:
            records = _records(file, span)
        yield from chunks_of_rows(records, span.first_row, most)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """Compressed with deflate, which every reader of Avro knows."""
        return _Writer(file, avro)


def _records(file: IO[bytes], span: Span, *, exact: bool = True) -> Iterator[dict[str, Any]]:
    """A span's blocks, behind a header of ours, are a file of their own: its values are bare (`bare_form`)."""
    blocks = fastavro.block_reader(file)
    head = next(iter(blocks))
    metadata = {key: value.encode() for key, value in blocks.metadata.items() if key != "avro.schema"}
    file.seek(head.offset - _SYNC_BYTES)
    sync = file.read(_SYNC_BYTES)
    file.seek(span.start)
    content = file.read(span.stop - span.start)
    document = json.loads(blocks.metadata["avro.schema"])
    if not isinstance(document, dict) or document.get("type") not in ("record", "error"):
        raise ValueError("expected records")
    schema = RecordSchema(json.dumps(document))
    header = io.BytesIO(b"Obj\x01")
    header.seek(0, io.SEEK_END)
    metadata["avro.schema"] = json.dumps(bare_form(schema.root)).encode()
    fastavro.schemaless_writer(header, {"type": "map", "values": "bytes"}, metadata)
    typed = typed_row(schema.root, exact=exact)
    found = fastavro.reader(io.BytesIO(header.getvalue() + sync + content))
    return (typed(cast("dict[str, Any]", record)) for record in found)


class _Writer:
    def __init__(self, file: IO[bytes], avro: str) -> None:
        schema = RecordSchema(avro)
        self._writer = container_writer(file, schema, meaning=False)
        self._types = schema.types()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Writes bare numbers: Python's classes can't hold each of Avro's dates and times."""
        names = batch.schema.names
        types = [self._types[name] for name in names]
        columns = [
            kind.python_values(kind.to_storage(column.cast(kind.arrow)))
            for kind, column in zip(types, batch.columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            self._writer.write(dict(zip(names, row, strict=True)))

    def close(self) -> None:
        self._writer.flush()
