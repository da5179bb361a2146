"""Csv as bytes: its header, where its rows end so that a file can be cut between them, and its rows one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from stream.files.file_format import Malformed
from stream.records import DeadLetter

__all__ = ["Block", "CsvHeader", "TextBlocks", "careful_cells", "careful_rows", "read_header"]

_NEWLINE, _RETURN, _QUOTE, _COMMA = b"\n"[0], b"\r"[0], b'"'[0], b","[0]

_HEADER_BYTES = 16 * 1024 * 1024
"""A header longer than this is not one: a quote in it is never closed."""


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """
    A csv's first record.

    Attributes:
        names: of the columns.
        end: the byte after it.
        lines: how many it takes.
    """

    names: tuple[str, ...]
    end: int
    lines: int


def read_header(file: IO[bytes]) -> CsvHeader:
    """
    Read a csv's header.

    Args:
        file: at its beginning: UTF-8, with or without byte order mark; left behind the header, or further on.
    Returns: its columns; none for an empty file.
    Raises: Malformed when a name comes twice, or it can't be read.
    """
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        for line in (piece for long in file for piece in long.splitlines(keepends=True)):
            end += len(line)
            # Spreadsheets begin a csv with a byte order mark, which would become part of the first name.
            yield line.decode("utf-8-sig" if end == len(line) else "utf-8")
            if end > _HEADER_BYTES:
                raise ValueError("no end of the header is in sight")

    try:
        reader = csv.reader(lines(), strict=True)
        names = next(reader, [])
    except (ValueError, csv.Error) as error:
        raise Malformed(f"the header can't be read: {error}", 1, "correct the header") from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Malformed(f"the header has {', '.join(twice)} twice", 1, "rename one of them")
    return CsvHeader(tuple(names), end, reader.line_num)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows: `size_bytes` bytes with `rows` rows; `plain` as in `Span`."""

    size_bytes: int
    rows: int
    plain: bool


class TextBlocks:
    """
    Cuts a stream of csv bytes between rows.

    A quote opens only where a cell begins and closes only where one ends; where all do, whether a newline is
    within quotes follows from how many quotes stand before it. Where one doesn't, `regular` turns False, and
    only a reader that goes cell by cell can say where rows end.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.regular = True

    @property
    def pending_bytes(self) -> int:
        """Bytes that belong to no block yet."""
        return len(self._rest)

    def feed(self, content: bytes) -> Block | None:
        """
        Args:
            content: the next bytes.
        Returns: the rows that are whole by now, if any.
        """
        self._rest += content
        return self._cut(len(self._rest), last=False)

    def finish(self) -> Block | None:
        """The rest: its last row may lack its newline."""
        return self._cut(len(self._rest), last=True) if self._rest else None

    def _cut(self, size: int, *, last: bool) -> Block | None:
        letters = np.frombuffer(self._rest, np.uint8, size)
        ends = np.flatnonzero(letters == _NEWLINE)
        if b'"' in self._rest:
            quotes = np.flatnonzero(letters == _QUOTE)
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
            self.regular = _in_their_places(letters, quotes, last)
            if last and len(quotes) % 2:
                self.regular = False
        if not self.regular:
            return None
        stop = size if last else (int(ends[-1]) + 1 if len(ends) else 0)
        if stop == 0:
            return None
        block = self._rest[:stop]
        if _bare_returns(block):
            self.regular = False
            return None
        self._rest = self._rest[stop:]
        return Block(stop, _count(letters, ends, stop), True)


def _in_their_places(letters: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp], last: bool) -> bool:
    """Whether opening quotes follow a comma, a newline or a quote, and closing ones stand before such."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = letters[opening[opening > 0] - 1]
    after = letters[closing[closing < len(letters) - 1] + 1]
    return bool(
        np.isin(before, (_COMMA, _NEWLINE, _QUOTE)).all()
        and np.isin(after, (_COMMA, _NEWLINE, _RETURN, _QUOTE)).all()
    )


def _bare_returns(block: bytes) -> bool:
    return b"\r" in block and block.count(b"\r") != block.count(b"\r\n")


def _count(letters: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp], stop: int) -> int:
    """Rows up to `stop`, lines without anything left out."""
    starts = np.concatenate([[0], ends + 1]) if len(ends) else np.array([0])
    stops = ends if len(ends) and ends[-1] == stop - 1 else np.append(ends, stop)
    starts = starts[: len(stops)]
    lengths = stops - starts
    with_return = (lengths > 0) & (letters[np.maximum(stops - 1, 0)] == _RETURN)
    return int(np.count_nonzero(lengths - with_return > 0))


def careful_cells(file: IO[bytes]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """
    Read rows cell by cell, and go on behind one that can't be read.

    Args:
        file: standing where a row begins.
    Returns: for each row the line it ends on, counted from 1 here, and its cells, or why it has none. Empty lines
        are left out. Bytes that are not UTF-8 are surrogates in the cells.
    """
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
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
    file: IO[bytes], names: Sequence[str]
) -> Iterator[tuple[int, dict[str, str | None] | DeadLetter]]:
    """
    The rows of `careful_cells`.

    Args:
        file: standing where a row begins.
        names: of the columns.
    Returns: for each row its line and its cells by column, None for an empty one; or why it can't be read.
    """
    return ((line, _row(cells, names)) for line, cells in careful_cells(file))


def _row(cells: list[str] | csv.Error, names: Sequence[str]) -> dict[str, str | None] | DeadLetter:
    if isinstance(cells, csv.Error):
        return DeadLetter("decode", "malformed_row", "Error", f"is not csv: {cells}")
    if len(cells) != len(names):
        message = f"expected {len(names)} cells as in the header, found {len(cells)}"
        return DeadLetter("decode", "malformed_row", "MalformedRow", message)
    if not _is_utf8("".join(cells)):
        return DeadLetter("decode", "invalid_utf8", "UnicodeDecodeError", "a cell is not UTF-8")
    return {name: cell or None for name, cell in zip(names, cells, strict=True)}


def _is_utf8(text: str) -> bool:
    """Bytes that are not UTF-8 were read as surrogates, which can't be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
