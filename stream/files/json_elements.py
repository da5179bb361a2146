"""The objects of a JSON file, one after the other: a file of any size needs the memory of one of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, Any

from stream.errors import class_name
from stream.files.file_format import Malformed
from stream.records import DeadLetter
from stream.types import json_decoder

__all__ = ["LONGEST", "begins_with_array", "elements", "refuse_tables"]

_READ = 1024 * 1024
"""Characters read at a time."""

LONGEST = 64 * 1024 * 1024
"""Characters of one object; a longer one is a file that is not a list of rows."""

_BLANK = " \t\r\n"

_ANY = json.JSONDecoder(parse_int=float)
"""Finds the end of an element that can't be a row."""

_AS_RECORDS = "write one object per row; with pandas: to_json(FILE, orient='records')"


def begins_with_array(file: IO[bytes]) -> bool:
    """Whether a file, at its beginning, holds a JSON array."""
    while head := file.read(4096):
        if text := head.lstrip(b" \t\r\n\xef\xbb\xbf"):
            return text.startswith(b"[")
    return False


def elements(file: IO[bytes]) -> Iterator[Any]:
    """
    Read a JSON array.

    Args:
        file: at its beginning, in UTF-8.
    Returns: its elements, read lazily; a DeadLetter for one that holds what RFC 8259 has not, such as NaN.
    Raises: Malformed naming the element after which it can't be read on.
    """
    text = _Text(file)
    try:
        yield from _elements(text)
    finally:
        text.detach()


def _elements(text: _Text) -> Iterator[Any]:
    text.expect("[")
    number = 0
    if text.peek() != "]":
        while True:
            number += 1
            yield text.value(number)
            if text.peek() != ",":
                break
            text.expect(",")
    text.expect("]", number)
    if text.peek():
        raise Malformed("something follows the array", None, "one array per file, or an object per line")


class _Text:
    """The text of a file, as far as it is read, and where in it the next value begins."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = io.TextIOWrapper(file, "utf-8-sig", newline="")
        self._decoder = json_decoder()
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        new = self._file.read(max(_READ, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + new, 0
        return bool(new)

    def detach(self) -> None:
        """Leave the file to its owner."""
        self._file.detach()

    def peek(self) -> str:
        """The next character that isn't blank; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def expect(self, character: str, after: int = 0) -> None:
        found = self.peek()
        if found != character:
            place = f"after row {after}" if after else "at its beginning"
            what = repr(found) if found else "the end of the file"
            raise Malformed(f"expected {character!r} {place}, found {what}", None, "correct the file")
        self._at += 1

    def value(self, number: int) -> Any:
        """The next value, which is row `number`."""
        self.peek()
        decoder, fault = self._decoder, None
        while True:
            try:
                found, end = decoder.raw_decode(self._text, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                if len(self._text) - self._at > LONGEST or not self._more():
                    what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                    raise Malformed(f"row {number} is not JSON: {what}", None, "correct the file") from error
                continue
            except ValueError as error:
                decoder, fault = (
                    _ANY,
                    DeadLetter("decode", "malformed_row", class_name(ValueError), f"is not JSON: {error}"),
                )
                continue
            if end < len(self._text) or not self._more():  # a number may go on behind what was read
                self._at = end
                return fault or found


def refuse_tables(first: dict[str, Any]) -> None:
    """
    Refuse a table that was written by columns, and taken for one row would be another.

    Args:
        first: the only object of a file.
    Raises: Malformed saying how it is laid out.
    """
    values = list(first.values())
    keys = {tuple(value) for value in values if isinstance(value, dict)}
    by_column = len(keys) == 1 and all(isinstance(value, dict) for value in values)
    if by_column and all(key.isdigit() for key in next(iter(keys))):
        raise Malformed("holds a table by columns, as pandas' to_json writes it", None, _AS_RECORDS)
    if "data" in first and {"columns", "schema"} & first.keys():
        raise Malformed("holds a table with its columns apart from its data", None, _AS_RECORDS)
    lists = [key for key, value in first.items() if _is_rows(value)]
    if lists:
        raise Malformed(f"holds its rows in {lists[0]!r}, within one object", None, _AS_RECORDS)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(item, dict) for item in value)
