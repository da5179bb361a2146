"""A span of a file → chunks of foreign columns or rows, in bounded memory; and the rows that are none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import fastavro
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from stream.batch.csvtext import careful_rows, read_header
from stream.batch.file_span import Span
from stream.batch.input_files import Input
from stream.errors import SampleError
from stream.records import DeadLetter

__all__ = ["CHUNK_ROWS", "Chunk", "read_span"]

CHUNK_ROWS = 16_384
"""Rows that are scored at once: the answers cost least per row from some 5,000 on, memory grows with it."""

T = TypeVar("T")

Wanted: TypeAlias = Callable[[Collection[str]], list[str]]
"""Which of a file's columns are looked at."""


@dataclass(slots=True)
class Chunk:
    """
    Consecutive rows of one file.

    Attributes:
        numbers: the row numbers of those that can be scored, ascending.
        rows: they themselves: a table, or dicts by column.
        text: the columns whose texts stand for numbers, dates …; True: all.
        broken: by row number, why a row is none.
    """

    numbers: Sequence[int]
    rows: pa.RecordBatch | list[dict[str, Any]]
    text: bool | frozenset[str] = False
    broken: dict[int, DeadLetter] = field(default_factory=dict)


def read_span(given: Input, span: Span, wanted: Wanted) -> Iterator[Chunk]:
    """
    Read a span.

    Args:
        given: the file that it is of.
        span: as it was planned.
        wanted: which columns to read.
    Returns: its rows in order, read as they are asked for.
    Raises: SampleError when the file is another than was planned; OSError as the disk has it.
    """
    read = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "avro": _avro}[given.kind]
    seen = 0
    try:
        for chunk in read(given, span, wanted):
            seen += len(chunk.numbers) + len(chunk.broken)
            yield _with_partitions(chunk, given)
    except (pa.ArrowException, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        raise SampleError(
            f"{given.path}: can't be read: {error}", hint="correct the file, or leave it out"
        ) from error
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


def _chunks(table: pa.Table, first_row: int, text: bool) -> Iterator[Chunk]:
    for batch in table.combine_chunks().to_batches(CHUNK_ROWS):
        yield Chunk(range(first_row, first_row + len(batch)), batch, text)
        first_row += len(batch)


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(items, CHUNK_ROWS)):
        yield some


def _parquet(given: Input, span: Span, wanted: Wanted) -> Iterator[Chunk]:
    with pq.ParquetFile(given.path, buffer_size=1 << 20, pre_buffer=False) as file:
        group, start = _group_of(file.metadata, span)
        columns = wanted(file.schema_arrow.names)
        # A file without any wanted column still has rows, each of which lacks them.
        batches = file.iter_batches(
            CHUNK_ROWS, row_groups=[group], columns=columns or None, use_threads=False
        )
        for batch in batches:
            begin, end = max(span.start - start, 0), min(span.stop - start, len(batch))
            if begin < end:
                row = start + begin + 1
                yield Chunk(range(row, row + end - begin), batch.slice(begin, end - begin))
            start += len(batch)
            if start >= span.stop:
                return


def _group_of(metadata: pq.FileMetaData, span: Span) -> tuple[int, int]:
    start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if start <= span.start < start + rows:
            return group, start
        start += rows
    raise ValueError(f"it has {start} rows only")


def _csv(given: Input, span: Span, wanted: Wanted) -> Iterator[Chunk]:
    names = read_header(Path(given.path)).names
    if span.plain:
        with Path(given.path).open("rb") as file:
            file.seek(span.start)
            content = file.read(span.stop - span.start)
        table = _parsed(content, names, wanted(names))
        if table is not None and len(table) == span.rows:
            yield from _chunks(table, span.first_row, True)
            return
    yield from _csv_with_care(given, span, names)


def _parsed(content: bytes, names: Sequence[str], columns: list[str]) -> pa.Table | None:
    """All cells as texts, an empty one null; None where a row has another number of cells, or is no UTF-8."""
    odd: list[object] = []

    def refuse(row: object) -> str:
        odd.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(content),
            pyarrow.csv.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=list(names)),
            pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                include_columns=columns or list(names[:1]),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return None if odd else table


def _csv_with_care(given: Input, span: Span, names: Sequence[str]) -> Iterator[Chunk]:
    with Path(given.path).open("rb") as file:
        file.seek(span.start)
        source = file if not span.plain else io.BytesIO(file.read(span.stop - span.start))
        numbered = enumerate(careful_rows(source), span.first_row)
        for some in _batches(numbered):
            chunk = Chunk([], [], True)
            rows: list[dict[str, Any]] = []
            for number, cells in some:
                fault = _broken_cells(cells, names)
                if fault is not None:
                    chunk.broken[number] = fault
                elif isinstance(cells, list):
                    rows.append({name: cell or None for name, cell in zip(names, cells, strict=True)})
            chunk.numbers = [number for number, _ in some if number not in chunk.broken]
            chunk.rows = rows
            yield chunk


def _broken_cells(cells: list[str] | csv.Error, names: Sequence[str]) -> DeadLetter | None:
    if isinstance(cells, csv.Error):
        return DeadLetter("decode", "malformed_row", "Error", f"is no csv: {cells}")
    if len(cells) != len(names):
        message = f"expected {len(names)} cells as in the header, found {len(cells)}"
        return DeadLetter("decode", "malformed_row", "MalformedRow", message)
    if any("\udc80" <= letter <= "\udcff" for cell in cells if not cell.isascii() for letter in cell):
        return DeadLetter("decode", "invalid_utf8", "UnicodeDecodeError", "a cell is not UTF-8")
    return None


def _jsonl(given: Input, span: Span, wanted: Wanted) -> Iterator[Chunk]:
    with Path(given.path).open("rb") as file:
        file.seek(span.start)
        content = file.read(span.stop - span.start)
    lines = (line for line in content.splitlines() if line.strip())
    for some in _batches(enumerate(lines, span.first_row)):
        chunk = Chunk([], [])
        rows: list[dict[str, Any]] = []
        for number, line in some:
            found = _object(line, first=number == 1)
            if isinstance(found, DeadLetter):
                chunk.broken[number] = found
            else:
                rows.append(found)
        chunk.numbers = [number for number, _ in some if number not in chunk.broken]
        chunk.rows = rows
        yield chunk


def _object(line: bytes, *, first: bool) -> dict[str, Any] | DeadLetter:
    try:
        found = json.loads(line.decode("utf-8-sig" if first else "utf-8"))
    except UnicodeDecodeError as error:
        return DeadLetter(
            "decode", "invalid_utf8", "UnicodeDecodeError", f"the line is not UTF-8: {error.reason}"
        )
    except (ValueError, RecursionError) as error:
        return DeadLetter("decode", "malformed_row", type(error).__name__, f"is no JSON: {error}")
    if not isinstance(found, dict):
        message = f"expected an object, found {type(found).__name__}"
        return DeadLetter("decode", "malformed_row", "MalformedRow", message)
    return found


def _avro(given: Input, span: Span, wanted: Wanted) -> Iterator[Chunk]:
    with Path(given.path).open("rb") as file:
        head = next(iter(fastavro.block_reader(file)))
        file.seek(0)
        header = file.read(head.offset)
        file.seek(span.start)
        content = file.read(span.stop - span.start)
    records: Iterator[Any] = iter(fastavro.reader(io.BytesIO(header + content)))
    number = span.first_row
    for some in _batches(records):
        if not all(isinstance(record, dict) for record in some):
            raise ValueError("expected records")
        yield Chunk(range(number, number + len(some)), some)
        number += len(some)
