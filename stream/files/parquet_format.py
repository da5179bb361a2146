"""Parquet: cut between row groups and within large ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from stream.files.file_format import Opener, OutputFormat, RowWriter, SpanReader, check_names
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ParquetFormat"]

_BATCH_ROWS = 4_096


class ParquetFormat(OutputFormat):
    """Parquet; Arrow opens its files by path itself."""

    def columns(self, path: Path) -> list[str] | None:
        """The schema's names."""
        return list(self.arrow_schema(path).names) or None

    def arrow_schema(self, path: Path) -> pa.Schema:
        """The file's own."""
        schema = pq.read_schema(path)
        check_names(schema.names)
        return schema

    def rows(self, path: Path) -> Iterator[Row]:
        """In batches of some thousand."""
        number = 0
        with pq.ParquetFile(path) as file:
            check_names(file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH_ROWS):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(number, values)

    def frame(self, path: Path) -> pd.DataFrame:
        """With pandas' own types and index, if pandas wrote it."""
        import pandas as pd

        self.arrow_schema(path)  # refuses two columns of one name
        return pd.read_parquet(path)

    def spans(self, file: IO[bytes], limits: Limits = LIMITS) -> Iterator[Span]:
        """Row groups, or equal parts of large ones, so that a file of one group keeps every core busy too."""
        metadata = pq.read_metadata(file)
        start = 0
        for group in range(metadata.num_row_groups):
            meta = metadata.row_group(group)
            bytes_each = max(1, meta.total_byte_size // max(1, meta.num_rows))
            most = max(1, min(limits.unit_rows, limits.unit_bytes // bytes_each))
            parts = -(-meta.num_rows // most)
            for part in range(parts):
                first, last = meta.num_rows * part // parts, meta.num_rows * (part + 1) // parts
                yield Span(start + first, start + last, start + first + 1, last - first)
            start += meta.num_rows

    def chunks(
        self,
        path: Path,
        span: Span,
        wanted: Wanted,
        most: int = CHUNK_ROWS,
        opener: Opener | None = None,
    ) -> Iterator[Chunk]:
        """Only the wanted columns, and only the pages of them that are needed."""
        with closing(self.reader(path, opener)) as reader:
            yield from reader.chunks(span, wanted, most)

    def reader(self, path: Path, opener: Opener | None = None) -> SpanReader:
        """Goes on in a row group where the span before ended."""
        return _Reader(path, opener)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """Compressed with zstd; a dictionary of the texts only, since numbers that repeat little have no use of one."""
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        # Without any texts, an empty list would mean all columns.
        writer: RowWriter = pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=texts or False)
        return writer


class _Reader:
    """
    Reads spans of one file. A row group can't be read from its middle, so the batches of the last one are kept.

    Args:
        path: of the file, which is opened when it is first read.
        opener: what opens it; None to let Arrow do so.
    """

    def __init__(self, path: Path, opener: Opener | None = None) -> None:
        self._path = path
        self._opener = opener
        self._opened: IO[bytes] | None = None
        self._file: pq.ParquetFile | None = None
        self._asked: object = None
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._batch: pa.RecordBatch | None = None
        self._start = 0

    def chunks(self, span: Span, wanted: Wanted, most: int) -> Iterator[Chunk]:
        """As `SpanReader` has it."""
        if self._file is None:
            self._opened = self._opener(self._path) if self._opener else None
            source = self._opened or self._path
            self._file = pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)
        group, start = _group_of(self._file.metadata, span)
        # A file without any wanted column still has rows, each of which lacks them.
        columns = wanted(self._file.schema_arrow.names) or None
        asked = group, columns, most
        if asked != self._asked or span.start < self._start:
            self._asked, self._start, self._batch = asked, start, None
            self._batches = self._file.iter_batches(
                most, row_groups=[group], columns=columns, use_threads=False
            )
        while (batch := self._current()) is not None:
            begin, end = max(span.start - self._start, 0), min(span.stop - self._start, len(batch))
            if begin < end:
                row = self._start + begin + 1
                yield Chunk(range(row, row + end - begin), batch.slice(begin, end - begin))
            if self._start + len(batch) > span.stop:
                return
            self._start, self._batch = self._start + len(batch), None
            if self._start == span.stop:
                return

    def _current(self) -> pa.RecordBatch | None:
        """The batch that begins at `_start`; None at the end of the row group."""
        if self._batch is None:
            self._batch = next(self._batches, None)
        return self._batch

    def close(self) -> None:
        """As `SpanReader` has it."""
        self._batch, self._batches, self._asked = None, iter(()), None
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _group_of(metadata: pq.FileMetaData, span: Span) -> tuple[int, int]:
    start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if start <= span.start < start + rows:
            return group, start
        start += rows
    raise ValueError(f"it has only {start} rows")
