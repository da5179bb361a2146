"""A span of an input → chunks of its rows, with the columns of its folders' names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from stream.batch.input_files import Input
from stream.errors import SampleError
from stream.files import CHUNK_ROWS, Chunk, Span, Wanted

__all__ = ["read_span"]


def read_span(given: Input, span: Span, wanted: Wanted, most: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """
    Read a span.

    Args:
        given: the file that the span is part of.
        span: as it was planned.
        wanted: which columns to read.
        most: rows of a chunk.
    Returns: its rows in order, read as they are asked for.
    Raises: SampleError when the file is not the one that was planned; OSError as the disk reports it.
    """
    seen = 0
    with given.reading():
        for chunk in given.format.chunks(Path(given.path), span, wanted, most):
            seen += len(chunk.numbers) + len(chunk.broken)
            yield _with_partitions(chunk, given)
    if seen != span.rows:
        raise SampleError(
            f"{given.path}: expected {span.rows} rows from row {span.first_row} on, found {seen}",
            hint="run again when nobody writes to the file",
        )


def _with_partitions(chunk: Chunk, given: Input) -> Chunk:
    """Columns that the folders' names hold, unless the file has them itself."""
    if not given.partitions:
        return chunk
    rows = chunk.rows
    if isinstance(rows, list):
        chunk.rows = [{**dict(given.partitions), **row} for row in rows]
        names = [name for name, _ in given.partitions]
    else:
        names = [name for name, _ in given.partitions if name not in rows.schema.names]
        for name, value in given.partitions:
            if name in names:
                column = pa.repeat(pa.scalar(value, pa.string()), len(rows))
                rows = rows.append_column(name, column)
        chunk.rows = rows
    if not isinstance(chunk.text, bool):
        chunk.text = chunk.text | frozenset(names)
    elif not chunk.text:
        chunk.text = frozenset(names)
    return chunk
