"""Spans of files and units of work: what one process reads, scores and writes at a time."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Span", "Unit"]


@dataclass(frozen=True, slots=True)
class Span:
    """
    Consecutive rows of one file.

    Attributes:
        file: its number among the inputs, from 0.
        start: the first byte (csv, jsonl, avro), or the first row from 0 (parquet).
        stop: one beyond the last.
        first_row: the number of its first row in the file, from 1.
        rows: how many rows it has.
        plain: csv: whether quotes stand where they should throughout, so that a fast parser sees the same cells.
    """

    file: int
    start: int
    stop: int
    first_row: int
    rows: int
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Unit:
    """
    What becomes one part of the output.

    Attributes:
        number: its place, from 0; parts are named by it.
        spans: consecutive, of one file or of several small ones.
    """

    number: int
    spans: tuple[Span, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(span.rows for span in self.spans)
