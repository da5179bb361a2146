"""Arrow IPC files and streams (feather): cut between record batches and within large ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from stream.files.file_format import FileFormat, Malformed, Opener, check_names
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ArrowFormat", "pandas_frame"]

_FILE, _OLD = b"ARROW1", b"FEA1"
"""How an IPC file begins, and feather of version 1; a stream begins with neither."""

_CONVERT = "convert it with pandas: read_feather(FILE).to_parquet(NEW)"


class ArrowFormat(FileFormat):
    """Arrow opens its files by path itself, mapped into memory: a batch is read when its values are."""

    def columns(self, path: Path) -> list[str] | None:
        """The schema's names."""
        return list(self.arrow_schema(path).names) or None

    def arrow_schema(self, path: Path) -> pa.Schema:
        """The file's own."""
        with pa.memory_map(str(path)) as file:
            schema, _ = _opened(file)
            return schema

    def rows(self, path: Path) -> Iterator[Row]:
        """Batch by batch."""
        number = 0
        with _batches(path) as batches:
            for batch in batches:
                for start in range(0, len(batch), CHUNK_ROWS):
                    for values in batch.slice(start, CHUNK_ROWS).to_pylist():
                        number += 1
                        yield Row(number, values)

    def table(self, path: Path) -> pa.Table:
        """All rows, mapped into memory."""
        schema, batches = _opened(pa.memory_map(str(path)))
        return pa.Table.from_batches(batches, schema)

    def frame(self, path: Path) -> pd.DataFrame:
        """With pandas' own types."""
        return pandas_frame(self.table(path))

    def spans(self, file: IO[bytes], limits: Limits = LIMITS) -> Iterator[Span]:
        """Equal parts of large batches."""
        start = 0
        _, batches = _opened(pa.PythonFile(file, mode="r"))
        for batch in batches:
            rows = len(batch)
            bytes_each = max(1, batch.nbytes // max(1, rows))
            most = max(1, min(limits.unit_rows, limits.unit_bytes // bytes_each))
            parts = -(-rows // most)
            for part in range(parts):
                first, last = rows * part // parts, rows * (part + 1) // parts
                yield Span(start + first, start + last, start + first + 1, last - first)
            start += rows

    def chunks(
        self,
        path: Path,
        span: Span,
        wanted: Wanted,
        most: int = CHUNK_ROWS,
        opener: Opener | None = None,
    ) -> Iterator[Chunk]:
        """Only the wanted columns; batches before the span are skipped."""
        start = 0
        with _batches(path, opener) as batches:
            for batch in batches:
                begin, end = max(span.start - start, 0), min(span.stop - start, len(batch))
                for first in range(begin, end, most):
                    part = batch.slice(first, min(most, end - first))
                    # A file without any wanted column still has rows, each of which lacks them.
                    chosen = part.select(wanted(part.schema.names) or part.schema.names[:1])
                    row = start + first + 1
                    yield Chunk(range(row, row + len(part)), chosen)
                start += len(batch)
                if start >= span.stop:
                    return


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """A table as pandas takes it, without the columns of types that it has nothing for, such as Arrow's unions."""
    held = [field.name for field in table.schema if _is_held(field)]
    frame: pd.DataFrame = table.select(held).to_pandas()
    return frame


def _is_held(field: pa.Field) -> bool:
    try:
        pa.schema([field]).empty_table().to_pandas()
    except pa.ArrowNotImplementedError:
        return False
    return True


@contextmanager
def _batches(path: Path, opener: Opener | None = None) -> Iterator[Iterator[pa.RecordBatch]]:
    with pa.PythonFile(opener(path), mode="r") if opener else pa.memory_map(str(path)) as file:
        yield _opened(file)[1]


def _opened(file: pa.NativeFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema and the batches of a file or a stream, in order."""
    head = file.read(len(_FILE))
    file.seek(0)
    if head.startswith(_OLD):
        raise Malformed("is a feather file of version 1", None, _CONVERT)
    reader = pa.ipc.open_file(file) if head == _FILE else pa.ipc.open_stream(file)
    check_names(reader.schema.names)
    if head != _FILE:
        return reader.schema, iter(reader)
    return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
