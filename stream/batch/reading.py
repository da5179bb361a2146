"""A span of an input → chunks of its rows, with the columns in its folders' names."""

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
        given: the file.
        span: as it was planned.
        wanted: which columns to read.
        most: rows of a chunk.
    Returns: its rows in order, read lazily.
    Raises: SampleError when the file is not the one that was planned; OSError from the disk.
    """
    seen = 0
    with given.reading():
        for chunk in given.format.chunks(Path(given.path), span, wanted, most):
            seen += len(chunk.numbers) + len(chunk.broken)
            yield _with_partitions(chunk, given)
    if seen != span.rows:
        raise SampleError(
            f"{given.path}: expected {span.rows} rows from row {span.first_row} on, found {seen}",
            hint="run again when nothing writes to the file",
        )


def _with_partitions(chunk: Chunk, given: Input) -> Chunk:
    """Add the columns in the folders' names, unless the file has them itself."""
    added = dict(given.partitions)
    if isinstance(chunk.rows, list):
        chunk.rows = [{**added, **row} for row in chunk.rows] if added else chunk.rows
    else:
        added = {name: value for name, value in added.items() if name not in chunk.rows.schema.names}
        for name, value in added.items():
            column = pa.repeat(pa.scalar(value, pa.string()), len(chunk.rows))
            chunk.rows = chunk.rows.append_column(name, column)
    if added and not chunk.text:
        chunk.text = frozenset(added)
    return chunk
