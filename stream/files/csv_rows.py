"""Csv as bytes: where its rows end, so that a file can be cut between them; and its rows one by one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import numpy.typing as npt

from stream.errors import RecordError, class_name
from stream.records import DeadLetter

__all__ = ["TextBlocks", "careful_cells", "careful_rows"]

_NEWLINE, _RETURN, _QUOTE = b"\n"[0], b"\r"[0], b'"'[0]

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""Bytes that are not UTF-8 were read as surrogates."""


class TextBlocks:
    """
    Cuts a stream of csv bytes between rows.

    A quote should open only where a cell begins and close only where one ends. While all do, the number of quotes
    before a newline says whether it is quoted. Once one doesn't, `regular` is False, and only a reader that goes cell
    by cell can say where rows end.

    Args:
        delimiter: the character that separates cells, one byte.
    """

    def __init__(self, delimiter: str = ",") -> None:
        self._delimiter = ord(delimiter)
        self._rest = b""
        self.regular = True

    @property
    def pending_bytes(self) -> int:
        """Bytes that belong to no block yet."""
        return len(self._rest)

    def cut(self, content: bytes) -> tuple[int, int]:
        """
        Cut off the rows that are complete by now.

        Args:
            content: the next bytes; empty at the end of the file, where the last row may lack its newline.
        Returns: how many bytes they have, and how many rows they are; 0 and 0 where there are none.
        """
        last = not content
        self._rest += content
        letters = np.frombuffer(self._rest, np.uint8)
        ends = np.flatnonzero(letters == _NEWLINE)
        if b'"' in self._rest:
            quotes = np.flatnonzero(letters == _QUOTE)
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
            self.regular = _in_their_places(letters, quotes, self._delimiter) and not (
                last and len(quotes) % 2
            )
        stop = len(letters) if last else int(ends[-1]) + 1 if len(ends) else 0
        block = self._rest[:stop]
        if block.count(b"\r") != block.count(b"\r\n"):
            self.regular = False
        if not (self.regular and stop):
            return 0, 0
        self._rest = self._rest[stop:]
        return stop, _count(letters, ends, stop)


def _in_their_places(letters: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp], delimiter: int) -> bool:
    """Whether opening quotes follow a delimiter, a newline or a quote, and closing ones stand before such."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = letters[opening[opening > 0] - 1]
    after = letters[closing[closing < len(letters) - 1] + 1]
    return bool(
        np.isin(before, (delimiter, _NEWLINE, _QUOTE)).all()
        and np.isin(after, (delimiter, _NEWLINE, _RETURN, _QUOTE)).all()
    )


def _count(letters: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp], stop: int) -> int:
    """Rows up to `stop`; empty lines are not rows."""
    starts = np.concatenate([[0], ends + 1]) if len(ends) else np.array([0])
    stops = ends if len(ends) and ends[-1] == stop - 1 else np.append(ends, stop)
    starts = starts[: len(stops)]
    lengths = stops - starts
    with_return = (lengths > 0) & (letters[np.maximum(stops - 1, 0)] == _RETURN)
    return int(np.count_nonzero(lengths - with_return > 0))


def careful_cells(file: IO[bytes], delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """
    Read rows cell by cell, and go on after one that can't be read.

    Args:
        file: positioned where a row begins.
        delimiter: the character that separates cells.
    Returns: for each row the line on which it ends, counted from 1 at that position, and its cells, or why they can't
        be read. Empty lines are left out. Bytes that are not UTF-8 are surrogates in the cells.
    """
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    try:
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield reader.line_num, error
                continue
            if cells:
                yield reader.line_num, cells
    finally:
        if not file.closed:
            text.detach()


def careful_rows(
    file: IO[bytes], names: Sequence[str], delimiter: str
) -> Iterator[tuple[int, dict[str, str | None] | DeadLetter]]:
    """
    The rows of `careful_cells`.

    Args:
        file: positioned where a row begins.
        names: of the columns.
        delimiter: the character that separates cells.
    Returns: for each row its line and its cells by column, None for an empty one; or why it can't be read.
    """
    return ((line, _row(cells, names)) for line, cells in careful_cells(file, delimiter))


def _row(cells: list[str] | csv.Error, names: Sequence[str]) -> dict[str, str | None] | DeadLetter:
    if isinstance(cells, csv.Error):
        return DeadLetter("decode", "malformed_row", class_name(csv.Error), f"is not csv: {cells}")
    if len(cells) != len(names):
        message = f"expected {len(names)} cells as in the header, found {len(cells)}"
        return DeadLetter("decode", "malformed_row", class_name(RecordError), message)
    if not (text := "".join(cells)).isascii() and (found := _NOT_UTF8.search(text)):
        name = next(name for name, cell in zip(names, cells, strict=True) if found[0] in cell)
        message = f"a cell is not UTF-8: column {name!r} has the byte 0x{ord(found[0]) - 0xDC00:02x}"
        return DeadLetter("decode", "invalid_utf8", "UnicodeDecodeError", message)
    return {name: cell or None for name, cell in zip(names, cells, strict=True)}
