"""JSON lines: an object per line; cut between lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import RecordError, class_name
from stream.files.file_format import Malformed, RowWriter
from stream.files.file_span import Chunk, Limits, Row, Span, Wanted, chunks_of_rows
from stream.files.text_format import TextFormat
from stream.records import DeadLetter
from stream.types import json_text, parse_json

__all__ = ["JsonlFormat", "row_of"]

_BLANK = b" \t\xef\xbb\xbf"
"""What may come before the first value of a file."""


class JsonlFormat(TextFormat[None]):
    """JSON lines in UTF-8; a blank line is not a row."""

    def columns(self, path: Path) -> list[str] | None:
        """Each row has its own."""
        return None

    def rows(self, path: Path) -> Iterator[Row]:
        """Line by line."""
        with self.open(path) as file:
            yield from self.lines(file)

    def lines(self, file: IO[bytes]) -> Iterator[Row]:
        """As `rows`, of an open file at its beginning."""
        lines = enumerate((line for some in file for line in some.splitlines()), 1)
        filled = ((number, line) for number, line in lines if line.strip())
        for row, (number, line) in enumerate(filled, 1):
            found = _object(line, row)
            if isinstance(found, DeadLetter):
                array = row == 1 and line.lstrip(_BLANK).startswith(b"[")
                hint = "a file that holds a JSON array is called .json" if array else "an object per line"
                raise Malformed(found.message, number, f"correct the line: {hint}")
            yield Row(number, found)

    def head(self, file: IO[bytes]) -> None:
        """Nothing."""

    def cut(self, file: IO[bytes], limits: Limits) -> Iterator[Span]:
        """Lines together up to some megabytes."""
        start, row, rest = 0, 1, b""
        while content := file.read(limits.block_bytes):
            rest += content
            cut = rest.rfind(b"\n") + 1
            if not cut:
                continue
            rows = _count(rest[:cut])
            if rows:
                yield Span(start, start + cut, row, rows)
            start, row, rest = start + cut, row + rows, rest[cut:]
        rows = _count(rest)
        if rows:
            yield Span(start, start + len(rest), row, rows)

    def read_span(
        self, file: IO[bytes], head: None, span: Span, wanted: Wanted, most: int
    ) -> Iterator[Chunk]:
        """As dicts, since rows need not have the same columns."""
        file.seek(span.start)
        content = file.read(span.stop - span.start)
        lines = (line for line in content.splitlines() if line.strip())
        yield from chunks_of_rows(map(_object, lines, count(span.first_row)), span.first_row, most)

    def writer(self, file: IO[bytes], schema: pa.Schema, avro: str) -> RowWriter:
        """UTF-8, a newline after each object."""
        return _Writer(file, avro)


def _count(content: bytes) -> int:
    return sum(1 for line in content.splitlines() if line.strip())


def _object(line: bytes, row: int) -> dict[str, Any] | DeadLetter:
    """A row from its line; only the first may begin with a byte order mark."""
    try:
        found = parse_json(line.decode("utf-8-sig" if row == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return DeadLetter(
            "decode",
            "invalid_utf8",
            "UnicodeDecodeError",
            f"the line is not UTF-8: {error.reason} 0x{error.object[error.start]:02x}",
        )
    except (ValueError, RecursionError) as error:
        return DeadLetter("decode", "malformed_row", class_name(type(error)), f"is not JSON: {error}")
    return row_of(found)


def row_of(found: object) -> dict[str, Any] | DeadLetter:
    """A JSON value as a row, or why it is none; a DeadLetter says so already."""
    if isinstance(found, DeadLetter):
        return found
    if not isinstance(found, dict):
        message = f"expected an object, found {type(found).__name__}"
        return DeadLetter("decode", "malformed_row", class_name(RecordError), message)
    return found


class _Writer:
    def __init__(self, file: IO[bytes], avro: str) -> None:
        self._file = file
        self._types = RecordSchema(avro).types()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        columns = [self._types[name].json_values(batch.column(name)) for name in names]
        rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        self._file.write(b"".join(json_text(row).encode() + b"\n" for row in rows))

    def close(self) -> None:
        pass
