"""A .json file: an array of objects; or JSON lines, which are often called so too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from stream.files.file_format import Malformed, RowWriter
from stream.files.file_span import Chunk, Limits, Row, Span, Wanted, chunks_of_rows
from stream.files.json_elements import LONGEST, begins_with_array, elements, refuse_tables
from stream.files.jsonl_format import JsonlFormat, row_of
from stream.files.text_format import TextFormat
from stream.records import DeadLetter
from stream.types import parse_json

__all__ = ["JsonFormat"]

_LINES = JsonlFormat("jsonl", ())


@dataclass(frozen=True)
class JsonFormat(TextFormat[bool]):
    """Which of both it is, its beginning says. An array is one span, since it can only be read from there."""

    def head(self, file: IO[bytes]) -> bool:
        """Whether it is an array; what is neither is refused."""
        if begins_with_array(file):
            return True
        file.seek(0)
        _check_lines(file)
        return False

    def columns(self, path: Path) -> list[str] | None:
        """Each row has its own."""
        with self.open(path) as file:
            self.head(file)
        return None

    def rows(self, path: Path) -> Iterator[Row]:
        """Element by element, or line by line."""
        with self.open(path) as file:
            array = self.head(file)
            file.seek(0)
            if not array:
                yield from _LINES.lines(file)
                return
            for number, found in enumerate(map(row_of, elements(file)), 1):
                if isinstance(found, DeadLetter):
                    raise Malformed(f"row {number}: {found.message}", None, "an object per row")
                yield Row(number, found)

    def cut(self, file: IO[bytes], limits: Limits) -> Iterator[Span]:
        """Lines as in JSON lines."""
        array = self.head(file)
        file.seek(0)
        if not array:
            yield from _LINES.cut(file, limits)
            return
        rows = sum(1 for _ in elements(file))
        if rows:
            yield Span(0, file.tell(), 1, rows)

    def read_span(
        self, file: IO[bytes], head: bool, span: Span, wanted: Wanted, most: int
    ) -> Iterator[Chunk]:
        """As dicts."""
        if not head:
            yield from _LINES.read_span(file, None, span, wanted, most)
            return
        file.seek(0)
        yield from chunks_of_rows(map(row_of, elements(file)), span.first_row, most)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """JSON lines."""
        return _LINES.writer(file, schema, avro)


def _check_lines(file: IO[bytes]) -> None:
    """
    Refuse one object that is not a row: a table in another shape, or an object over several lines.

    Raises: Malformed.
    """
    line = file.readline(LONGEST)
    while line and not line.strip():
        line = file.readline(LONGEST)
    if len(line) == LONGEST:
        raise Malformed("its first line does not end", 1, "write an array of objects, or an object per line")
    first = _object(line)
    if first is not None and not _goes_on(file):
        refuse_tables(first)
    if first is None and (whole := _object(line + file.read(LONGEST))) is not None:
        refuse_tables(whole)
        raise Malformed(
            "holds one object over several lines", None, "write an array of objects, or an object per line"
        )


def _goes_on(file: IO[bytes]) -> bool:
    """Whether anything but blanks follows."""
    while content := file.read(4096):
        if content.strip():
            return True
    return False


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = parse_json(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
