"""Parquet: cut between row groups and within large ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from stream.files.file_format import OutputFormat, RowWriter, check_names
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

    def chunks(self, path: Path, span: Span, wanted: Wanted, most: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Only the wanted columns, and only the pages of them that are needed."""
        with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            group, start = _group_of(file.metadata, span)
            columns = wanted(file.schema_arrow.names)
            # A file without any wanted column still has rows, each of which lacks them.
            batches = file.iter_batches(most, row_groups=[group], columns=columns or None, use_threads=False)
            for batch in batches:
                begin, end = max(span.start - start, 0), min(span.stop - start, len(batch))
                if begin < end:
                    row = start + begin + 1
                    yield Chunk(range(row, row + end - begin), batch.slice(begin, end - begin))
                start += len(batch)
                if start >= span.stop:
                    return

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """Compressed with zstd."""
        writer: RowWriter = pq.ParquetWriter(file, schema, compression="zstd")
        return writer


def _group_of(metadata: pq.FileMetaData, span: Span) -> tuple[int, int]:
    start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if start <= span.start < start + rows:
            return group, start
        start += rows
    raise ValueError(f"it has only {start} rows")
