"""A csv's header, and which character separates its cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from stream.files.file_format import Malformed, check_names

__all__ = ["CsvHeader", "read_header"]

_HEADER_BYTES = 16 * 1024 * 1024
"""A longer header means a quote that is never closed."""

_HEAD_BYTES = 64 * 1024
"""Of a file's beginning, by which its separator is found."""

_SEPARATORS = (",", ";", "\t", "|")
"""What may separate cells without being named; another one is given."""

_MOST = 0.5
"""A separator is one if more than this share of the first rows have as many cells as the header."""

_SAID = re.compile(rb"(?:\xef\xbb\xbf)?sep=(.)\r?\n")
"""Excel's way of naming the separator, in a line before the header."""

_MAGIC = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a zip file", b"\x1f\x8b": "a gzip file",
          b"PAR1": "a parquet file", b"(\xb5/\xfd": "a zstd file", b"\xd0\xcf\x11\xe0": "an Excel file"}  # fmt: skip
"""How files begin that are called .csv and hold something else."""

ENCODING_HINT = (
    "save it as UTF-8; for example `iconv -f cp1252 -t utf-8 FILE > NEW`, or pandas: "
    "read_csv(FILE, encoding='cp1252').to_csv(NEW, index=False)"
)


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """
    The header of a csv file.

    Attributes:
        names: of the columns; one without a name is called as pandas calls it: `Unnamed: 0`.
        end: the first byte after it.
        lines: how many lines it takes.
        delimiter: the character that separates cells.
        start: its first byte; a line `sep=;` may come before it.
    """

    names: tuple[str, ...]
    end: int
    lines: int
    delimiter: str
    start: int


def read_header(file: IO[bytes], delimiter: str | None = None) -> CsvHeader:
    """
    Read the header of a csv file.

    Args:
        file: at its beginning: UTF-8, with or without a byte order mark. Its position afterwards is undefined.
        delimiter: the character that separates cells, one byte; None to find it: a comma, unless the first rows say
            that it is a semicolon, a tab or a bar.
    Returns: its columns; none for an empty file.
    Raises: Malformed when it can't be read, has a name twice, or may be separated in two ways.
    """
    head = file.read(_HEAD_BYTES)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            hint = ENCODING_HINT.replace("cp1252", "utf-16") if kind == "UTF-16" else "call it what it is"
            raise Malformed(f"is {kind}, not csv in UTF-8", None, hint)
    said = _SAID.match(head)
    start = said.end() if said else 0
    if said and delimiter is None:
        delimiter = said[1].decode("latin-1")
    found = _read(file, delimiter or ",", start)
    if isinstance(found, Malformed) or _is_doubtful(found):
        names = () if isinstance(found, Malformed) else found.names
        chosen = _separator(head[start:], len(head) == _HEAD_BYTES, delimiter, names)
        if chosen != (delimiter or ","):
            found = _read(file, chosen, start)
    if isinstance(found, Malformed):
        raise found
    names = tuple(name or f"Unnamed: {i}" for i, name in enumerate(found.names))
    check_names(names)
    return CsvHeader(names, found.end, found.lines + bool(said), found.delimiter, start)


def _is_doubtful(header: CsvHeader) -> bool:
    """Whether another character may separate its cells."""
    others = [each for each in _SEPARATORS if each != header.delimiter]
    return len(header.names) == 1 or any(each in name for name in header.names for each in others)


def _read(file: IO[bytes], delimiter: str, start: int) -> CsvHeader | Malformed:
    """The header, or why it can't be read with this delimiter."""
    file.seek(start)
    end = start

    def lines() -> Iterator[str]:
        nonlocal end
        for line in (piece for long in file for piece in long.splitlines(keepends=True)):
            end += len(line)
            # Spreadsheets begin a csv with a byte order mark, which would become part of the first name.
            yield line.decode("utf-8-sig" if end == len(line) else "utf-8")
            if end > _HEADER_BYTES:
                raise ValueError("no end of the header is in sight")

    try:
        reader = csv.reader(lines(), strict=True, delimiter=delimiter)
        names = next(reader, [])
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Malformed(f"the header is not UTF-8: byte 0x{byte:02x}", 1, ENCODING_HINT) from error
    except (ValueError, csv.Error) as error:
        return Malformed(f"the header can't be read: {error}", 1, "correct the header")
    return CsvHeader(tuple(names), end, reader.line_num, delimiter, start)


def _separator(head: bytes, cut: bool, given: str | None, names: Sequence[str]) -> str:
    """The separator by the first rows; a comma, or the given one, where they don't say."""
    rows = {each: _rows(head, cut, each) for each in _SEPARATORS}
    widths = {each: len(found[0]) for each, found in rows.items() if found and _fits(found)}
    if given is not None:
        if len(names) == 1 and widths:
            other = max(widths, key=widths.__getitem__)
            raise Malformed(
                f"separated by {given!r} it has one column, {names[0][:60]!r}; its rows are separated by {other!r}",
                1,
                f"give --delimiter {other!r}, or none",
            )
        return given
    if len(widths) > 1 and max(widths, key=widths.__getitem__) != ",":
        ways = " or ".join(f"{each!r} ({width} columns)" for each, width in widths.items())
        raise Malformed(f"its rows may be separated by {ways}", 1, "give --delimiter")
    return max(widths, key=widths.__getitem__, default=",")


def _rows(head: bytes, cut: bool, delimiter: str) -> list[list[str]]:
    text = io.StringIO(head.decode("utf-8-sig", "replace"), newline="")
    try:
        rows = [row for row in csv.reader(text, delimiter=delimiter) if row]
    except csv.Error:
        return []
    return rows[:-1] if cut and len(rows) > 1 else rows


def _fits(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the header has several cells, and most rows as many."""
    header, *others = map(len, rows)
    return header > 1 and others.count(header) >= _MOST * len(others)
