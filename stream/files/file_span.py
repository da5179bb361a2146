"""What is read at a time: spans of a file, and chunks of a span's rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa

from stream.records import DeadLetter

__all__ = [
    "CHUNK_ROWS",
    "LIMITS",
    "Chunk",
    "Limits",
    "Row",
    "Span",
    "Wanted",
    "chunks_of_rows",
    "chunks_of_table",
]

CHUNK_ROWS = 16_384
"""Rows that are scored at once: from some 5,000 on, the cost per row falls no further; memory grows with them."""

Wanted: TypeAlias = Callable[[Collection[str]], list[str]]
"""Chooses which of a file's columns are read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How large the pieces of a file are.

    Attributes:
        block_bytes: read at a time; 30,000 flights as csv.
        unit_rows: rows of a part of the output, approximately: some 5 MB of parquet, half a second of work.
        unit_bytes: bytes of a unit's input, approximately, where rows are long.
    """

    block_bytes: int = 4 * 1024 * 1024
    unit_rows: int = 131_072
    unit_bytes: int = 64 * 1024 * 1024


LIMITS = Limits()


class Row(NamedTuple):
    """
    A row of a file.

    Attributes:
        number: for csv and jsonl the line on which it ends, from 1, the header included; else of the row, from 1.
        values: by column; None where there is no value.
    """

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """
    Consecutive rows of one file.

    Attributes:
        start: the first byte (csv, jsonl, avro), or the first row from 0 (parquet).
        stop: one after the last.
        first_row: the number of its first row in the file, from 1.
        rows: how many rows it has.
        plain: csv: whether quotes stand where they should throughout, so that a fast parser sees the same cells.
        file: the file's number among the inputs of a run, from 0.
    """

    start: int
    stop: int
    first_row: int
    rows: int
    plain: bool = True
    file: int = 0


@dataclass(slots=True)
class Chunk:
    """
    Consecutive rows of one file.

    Attributes:
        numbers: of the rows that can be scored, ascending.
        rows: those rows: a table, or dicts by column.
        text: the columns whose texts represent numbers, dates …; True: all.
        broken: by row number, why a row can't be read.
    """

    numbers: Sequence[int]
    rows: pa.RecordBatch | list[dict[str, Any]]
    text: bool | frozenset[str] = False
    broken: dict[int, DeadLetter] = field(default_factory=dict)


def chunks_of_table(table: pa.Table, first_row: int, most: int, *, text: bool) -> Iterator[Chunk]:
    """
    Args:
        table: rows, none of them broken.
        first_row: the number of the first.
        most: rows of a chunk.
        text: as `Chunk.text`.
    Returns: the rows in order.
    """
    for batch in table.combine_chunks().to_batches(most):
        yield Chunk(range(first_row, first_row + len(batch)), batch, text)
        first_row += len(batch)


def chunks_of_rows(
    found: Iterator[dict[str, Any] | DeadLetter], first_row: int, most: int, *, text: bool = False
) -> Iterator[Chunk]:
    """
    Args:
        found: rows, or why one can't be read.
        first_row: the number of the first.
        most: rows of a chunk, the broken ones included.
        text: as `Chunk.text`.
    Returns: the rows in order, read lazily.
    """
    while rows := list(islice(found, most)):
        numbers = range(first_row, first_row + len(rows))
        broken = {n: row for n, row in zip(numbers, rows, strict=True) if isinstance(row, DeadLetter)}
        sound = [row for row in rows if not isinstance(row, DeadLetter)]
        del rows  # what is yielded may be large; only the caller should keep it
        yield Chunk([n for n in numbers if n not in broken] if broken else numbers, sound, text, broken)
        first_row = numbers.stop
