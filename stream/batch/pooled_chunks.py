"""Chunks of several small files, asked of the model together: a call costs about as much as a thousand rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa

from stream.batch.input_files import Input
from stream.files import CHUNK_ROWS, Chunk
from stream.records import DeadLetter
from stream.table import ScoredTable, TableScorer

__all__ = ["Pool", "pools"]

_BYTES = 64 * 1024 * 1024
"""Of the tables of a pool together: where rows are long, nothing is gained."""


@dataclass(slots=True)
class Pool:
    """
    Rows that are scored with one call.

    Attributes:
        pieces: a chunk of a file each, in order, with the columns of the first.
    """

    pieces: list[tuple[Input, Chunk]]

    def score(self, scorer: TableScorer) -> ScoredTable:
        """The answers, in the order of the pieces."""
        _, first = self.pieces[0]
        if isinstance(first.rows, list):
            rows = [row for _, chunk in self.pieces for row in chunk.rows]
            return scorer.score_rows(rows, text=first.text)
        if len(self.pieces) == 1:
            return scorer.score(first.rows, text=first.text)
        tables = [chunk.rows for _, chunk in self.pieces if isinstance(chunk.rows, pa.RecordBatch)]
        plain = [table.replace_schema_metadata(None) for table in tables]
        return scorer.score(pa.concat_batches(plain), text=first.text)

    def places(self) -> tuple[pa.Array, pa.Array]:
        """The file and the number in it of each row."""
        files = [pa.repeat(pa.scalar(given.path, pa.string()), len(c.numbers)) for given, c in self.pieces]
        numbers = [np.asarray(_array(chunk.numbers), np.int64) for _, chunk in self.pieces]
        if len(files) == 1:
            return files[0], pa.array(numbers[0])
        return pa.concat_arrays(files), pa.array(np.concatenate(numbers))

    def faults(self, scored: ScoredTable) -> Iterator[tuple[str, int, DeadLetter]]:
        """File, number and reason of each row that was not scored or could not be read, in order."""
        ends = list(accumulate(len(chunk.numbers) for _, chunk in self.pieces))
        by_piece: list[dict[int, DeadLetter]] = [dict(chunk.broken) for _, chunk in self.pieces]
        for row, fault in scored.faults.items():
            piece = int(np.searchsorted(ends, row, "right"))
            numbers = self.pieces[piece][1].numbers
            by_piece[piece][numbers[row - ends[piece] + len(numbers)]] = fault
        for (given, _), found in zip(self.pieces, by_piece, strict=True):
            for number, fault in sorted(found.items()):
                yield given.path, number, fault


def _array(numbers: Iterable[int]) -> object:
    return np.arange(numbers.start, numbers.stop) if isinstance(numbers, range) else numbers


def pools(pieces: Iterable[tuple[Input, Chunk]], most: int = CHUNK_ROWS) -> Iterator[Pool]:
    """
    Gather consecutive chunks.

    Args:
        pieces: of any files, at most `most` rows each.
        most: rows of a pool.
    Returns: all of them, in order; read lazily, one chunk further than what is given.
    """
    open_: list[tuple[Input, Chunk]] = []
    rows = size = 0
    for given, chunk in pieces:
        count, length = len(chunk.numbers), chunk.rows.nbytes if isinstance(chunk.rows, pa.RecordBatch) else 0
        if open_ and (rows + count > most or size + length > _BYTES or not _alike(open_[0][1], chunk)):
            yield Pool(open_)
            open_, rows, size = [], 0, 0
        open_.append((given, chunk))
        rows, size = rows + count, size + length
        if rows >= most:  # without waiting for another chunk beside these
            yield Pool(open_)
            open_, rows, size = [], 0, 0
    if open_:
        yield Pool(open_)


def _alike(one: Chunk, other: Chunk) -> bool:
    """Whether their rows can be scored as one table: columns of one type mean the same in both."""
    if one.text != other.text or isinstance(one.rows, list) != isinstance(other.rows, list):
        return False
    if isinstance(one.rows, list) or isinstance(other.rows, list):
        return True
    # Dictionaries of two files differ, and nested ones can't be made one.
    return one.rows.schema.equals(other.rows.schema) and "dictionary" not in str(one.rows.schema.types)
