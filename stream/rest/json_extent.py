"""
How deep, long and large JSON is: counted in its bytes, before any object is made of it.

Brackets, commas and colons within texts count like any others at first, since leaving texts out is slower than all
else; only when a limit seems to be passed are they left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from stream.rest.allowance import Allowance
from stream.rest.json_keys import most_keys
from stream.rest.problems import too_large, wrong_shape

__all__ = ["DEPTH", "DIGITS", "Extent", "admit_json", "admit_text", "extent_of", "without_texts"]

DEPTH = 100
"""Lists and objects within each other: a row of nested records needs a dozen."""

_DEEPEST = 1_000
"""Deeper than this it is no mistake; Python's own parser gives up there as well."""

DIGITS = 10_000
"""Of a number: ten times float64's longest; up to here it is a value out of range that names its field."""

_PER_ROW = 9
"""Lists and objects that each row of the largest request may have: itself, and nested ones."""

_SLICE = 65_536
"""Bytes looked at in one go: they take some 0.1 ms, after which other threads may run."""

_OBJECT, _LIST, _VALUE, _KEY, _SHORT = 200, 64, 40, 160, 48
"""Bytes that Python needs: for a dict, a list, a value and its place, a key and its place; for a short text more."""

_DENSE = 20
"""Times a body's bytes: more may be due to marks within texts."""

_SMALL_BYTES, _MOST = 1_024, 45
"""A body of at most so many bytes is taken to be as dense as can be: so many times its bytes."""

_STEPS = bytes.maketrans(b"[{]},", b"\x01\x01\xff\xff\x00")
_OTHERS = bytes(set(range(256)) - set(b"[{]},"))
_ZEROS = bytes(48 if chr(byte).isdecimal() and byte < 128 else 32 for byte in range(256))
_LONG = b"0" * (DIGITS + 1)
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
_TEXT_END = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
_ESCAPES = re.compile(rb"\\*.?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Marks:
    """How many objects, lists, values, keys and quotes there are."""

    objects: int = 0
    lists: int = 0
    values: int = 0
    keys: int = 0
    quotes: int = 0

    @classmethod
    def of(cls, slices: Iterable[bytes]) -> _Marks:
        """Those of some JSON."""
        counted = [[piece.count(mark) for mark in (b"{", b"[", b",", b":", b'"')] for piece in slices]
        return cls(*map(sum, zip(*counted, strict=True)))

    @property
    def size_bytes(self) -> int:
        """What they take as Python's objects, at most."""
        texts = max(0, self.quotes // 2 - self.keys)
        others = _OBJECT * self.objects + _LIST * self.lists + _VALUE * self.values
        return others + _KEY * self.keys + _SHORT * texts


@dataclass(frozen=True, slots=True)
class Extent:
    """
    The size of some JSON.

    Attributes:
        closed: whether as many lists and objects end as begin.
        depth: of the deepest.
        count: of lists and objects.
        rows: how many of them are rows.
        long_number: whether a number has more than `DIGITS` digits.
    """

    closed: bool
    depth: int
    count: int
    rows: int
    long_number: bool

    def fits(self, mine: Allowance) -> bool:
        """Whether a request may be so large."""
        most = mine.settings.queue_rows
        return not (
            self.long_number
            or self.depth > DEPTH
            or self.rows > most
            or self.count > most * _PER_ROW + _DEEPEST
        )


def admit_json(body: bytes, mine: Allowance, *, lines: bool = False) -> None:
    """
    Let a body be parsed, or refuse it.

    Args:
        body: JSON, as far as anybody knows.
        mine: the request's, which holds what the parsed body takes from now on.
        lines: whether it is JSON Lines, whose rows are its lines, and were counted.
    Raises: Problem 413 when it has too many rows, columns or objects, is nested too deep or takes too much memory; 422
        when it is nested deeper than rows are or a number is too long; 503 when too much is held already.
    """
    if len(body) <= _SMALL_BYTES and body.count(b"{") + body.count(b"[") <= DEPTH:
        mine.take(len(body) * _MOST)
        return
    marks = _Marks.of((body,))
    if len(body) > DIGITS or marks.objects + marks.lists > DEPTH:
        extent = extent_of(_slices(body), body, mine, lines=lines)
        if not extent.fits(mine):
            extent = extent_of(without_texts(body), body, mine, lines=lines)
            if not extent.fits(mine):
                raise _refusal(extent, mine)
    if marks.keys > mine.settings.max_columns and most_keys(_slices(body), mine) > mine.settings.max_columns:
        mine.columns(most_keys(without_texts(body), mine))
    if marks.size_bytes > _DENSE * (len(body) + _SLICE):
        marks = _Marks.of(without_texts(body))
    mine.take(marks.size_bytes + (len(body) if body.isascii() else 4 * len(body)))


def admit_text(text: str, mine: Allowance) -> None:
    """
    As `admit_json`, for JSON within a text of a body that was admitted already.

    Args:
        text: JSON, as far as anybody knows.
        mine: the request's.
    Raises: as `admit_json`.
    """
    body = text.encode("utf-8", "surrogatepass")
    if len(body) > _SMALL_BYTES or body.count(b"{") + body.count(b"[") > DEPTH:
        admit_json(body, mine)
    else:
        mine.take(_Marks.of((body,)).size_bytes)


def _refusal(extent: Extent, mine: Allowance) -> Exception:
    most = mine.settings.queue_rows
    if extent.depth > DEPTH and not extent.closed:
        return wrong_shape(f"the body is not JSON: {extent.depth} lists or objects begin, and do not end")
    if extent.depth > _DEEPEST:
        return too_large(f"the body is JSON nested {extent.depth} deep, at most {DEPTH}")
    if extent.depth > DEPTH:
        return wrong_shape(f"the body is JSON nested {extent.depth} deep, at most {DEPTH}")
    if extent.rows > most:
        return too_large(f"{extent.rows} rows are too many, at most {most} ([serve] queue_rows)")
    if extent.long_number:
        return wrong_shape(f"the body has a number of more than {DIGITS} digits")
    return too_large(
        f"{extent.count} objects and lists are too many, at most {most * _PER_ROW + _DEEPEST}: {_PER_ROW} for each of "
        f"the {most} rows that a request may have ([serve] queue_rows)"
    )


def extent_of(slices: Iterable[bytes], body: bytes, mine: Allowance, *, lines: bool = False) -> Extent:
    """
    Measure some JSON.

    Args:
        slices: of it, with or without its texts.
        body: all of it.
        mine: its clock is looked at between slices.
        lines: whether it is JSON Lines; its rows are not counted then.
    """
    # A list of rows, whatever they are; or an object with a list of rows.
    listed = not lines and body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    others = _OTHERS if listed else _OTHERS + b","
    level = deepest = count = commas = 0
    at_level = np.zeros(4, dtype=np.int64)
    long_number, tail = False, b""
    for piece in slices:
        mine.check()
        long_number = long_number or _LONG in (tail + piece).translate(_ZEROS)
        tail = (tail + piece)[-DIGITS:]
        steps = np.frombuffer(piece.translate(_STEPS, others), dtype=np.int8)
        if steps.size:
            levels = np.cumsum(steps, dtype=np.int32) + level
            level = int(levels[-1])
            opened = levels[steps > 0]
            count += opened.size
            if opened.size:
                deepest = max(deepest, int(opened.max()))
                at_level += np.bincount(opened[(opened > 0) & (opened < 4)], minlength=4)
            if listed:
                commas += int(np.count_nonzero((steps == 0) & (levels == 1)))
    rows = max(at_level[2], commas + 1 if commas else 0) if listed else at_level[3]
    return Extent(level == 0, deepest, count, 0 if lines else int(rows), long_number)


def _slices(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _SLICE] for start in range(0, len(body), _SLICE))


def without_texts(body: bytes, size: int = _SLICE) -> Iterator[bytes]:
    """Slices of a body, of about `size` bytes, without what its texts hold."""
    inside = False
    start = 0
    while start < len(body):
        # An escape is not cut in two.
        found = _ESCAPES.match(body, min(start + size, len(body)) - 1)
        stop = found.end() if found else len(body)
        piece = body[start:stop]
        start = stop
        if inside:
            end = _TEXT_END.match(piece)
            if end is None or not end[1]:
                continue
            piece = piece[end.end() :]
        kept, texts = _TEXT.subn(rb"\1", piece)
        inside = texts > kept.count(b'"')
        yield kept
