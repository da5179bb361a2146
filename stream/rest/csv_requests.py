"""
A request's body as csv.

A csv may have a header or not; SageMaker's clients send none, and say nothing of it. So the first line is a header
where it names a field of the model. Where it names none, it is a row, if it is as wide as one and can be read as one;
else the csv is refused. What could be either is refused too, unless the content type says `header=present` or
`header=absent`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

import numpy as np

from stream.nearest import letters
from stream.rest.allowance import Allowance, allowance
from stream.rest.problems import Problem, wrong_shape
from stream.rest.rows_by_position import (
    by_position,
    is_labels,
    is_list,
    items_read,
    listed,
    named_values,
    row_maker,
    widths,
)
from stream.rest.served_model import Row, Served
from stream.types import AvroType, List, Misfit

__all__ = ["parse_csv"]

_Line: TypeAlias = "tuple[int, list[str]]"
"""The number of a row's last line, and its cells."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What people separate cells by where it isn't a comma."""

_CELL_BYTES = 160
"""What Python needs for a cell in a row: a text and its place."""

_SLICE = 65_536
"""Bytes of which commas are counted in one go."""

_ROWS_AT_ONCE = 500
"""Between two looks at the clock."""

_SAY = "say `text/csv; header=present` or `text/csv; header=absent`"


def parse_csv(served: Served, body: bytes, header: str | None = None) -> list[Row]:
    """
    Parse a body.

    Args:
        served: the model.
        body: csv in UTF-8 with commas; blank lines are passed over.
        header: `present` or `absent`, where the request says it; None to look at the first line.
    Returns: the rows; an empty cell is None.
    Raises: Problem 422 naming the line; 413, 503 and 504 as `Allowance`.
    """
    mine = allowance()
    _admit_columns(body, mine)
    mine.take(_CELL_BYTES * (body.count(b",") + body.count(b"\n")) + len(body))
    try:
        lines = _lines(body, mine)
        first, second = next(lines, None), next(lines, None)
        if first is None:
            raise wrong_shape("csv: expected a header or a row, found nothing")
        rest = lines if second is None else chain([second], lines)
        if header is None:
            header = "present" if _is_header(served, first, alone=second is None) else "absent"
        return _named(served, first, rest) if header == "present" else _unnamed(served, first, rest)
    except (UnicodeDecodeError, csv.Error) as error:
        raise wrong_shape(f"the body is not a csv file: {error}") from error


def _admit_columns(body: bytes, mine: Allowance) -> None:
    """Refuse a body with a line of too many cells before any is made: Problem 413."""
    if body.count(b",") < mine.settings.max_columns:
        return
    if b'"' in body:
        most = _most_commas(body, mine)
    else:
        lines = io.BytesIO(body if b"\n" in body else body.replace(b"\r", b"\n"))
        most = max(line.count(b",") for line in lines)
    mine.columns(1 + most)


def _most_commas(body: bytes, mine: Allowance) -> int:
    """Of a line, without those in quotes."""
    most = line = quotes = 0
    for start in range(0, len(body), _SLICE):
        mine.check()
        marks = np.frombuffer(body[start : start + _SLICE], dtype=np.uint8)
        counted = np.cumsum(marks == ord('"')) + quotes
        quotes = int(counted[-1])
        plain = counted % 2 == 0
        commas = np.cumsum((marks == ord(",")) & plain)
        before = commas[((marks == ord("\n")) | (marks == ord("\r"))) & plain]
        if before.size:
            most = max(most, line + int(before[0]), int(np.diff(before).max(initial=0)))
            line = -int(before[-1])
        line += int(commas[-1])
    return max(most, line)


def _lines(body: bytes, mine: Allowance) -> Iterator[_Line]:
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", newline="")  # decoded piece by piece
    reader = csv.reader(text, strict=True)
    count = 0
    for cells in reader:
        if cells:
            if count % _ROWS_AT_ONCE == 0:
                mine.check()
                mine.columns(len(cells))
                mine.rows(count)
            count += 1
            yield reader.line_num, cells


def _named(served: Served, header: _Line, lines: Iterator[_Line]) -> list[Row]:
    """The rows under a header."""
    names = header[1]
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise wrong_shape(f"csv: the header has {listed(twice)} twice")
    if not served.names_feature(names) and not is_labels(names):
        raise _neither(served, header)
    make = row_maker(served, names, "csv: the header")
    expected = f"{len(names)} cells ({listed(names)})"
    return [items_read(served, make(_checked(line, len(names), expected))) for line in lines]


def _unnamed(served: Served, first: _Line, lines: Iterator[_Line]) -> list[Row]:
    """The rows of a csv without a header."""
    width = len(first[1])
    expected = named_values(served, width, "cells")
    if width not in widths(served):
        _checked(first, -1, expected)
    return [
        items_read(served, by_position(served, _checked(line, width, expected), f"csv line {line[0]}"))
        for line in chain([first], lines)
    ]


def _checked(line: _Line, width: int, expected: str) -> list[str | None]:
    """A row's cells, where there are as many as expected."""
    number, cells = line
    if len(cells) != width:
        raise wrong_shape(f"csv line {number}: expected {expected}, found {len(cells)}")
    return [cell or None for cell in cells]


def _is_header(served: Served, line: _Line, *, alone: bool) -> bool:
    """
    Whether the first line is a header.

    Args:
        served: the model.
        line: the first one.
        alone: whether it is the only one.
    Raises: Problem 422 when it is neither a header nor a row, or may be either.
    """
    cells = line[1]
    fits, evidence = _as_row(served, cells)
    if served.names_field(cells) and not (fits and len(set(cells)) < len(cells)):
        if fits and not served.names_all(cells):
            raise _either(line)
        return True
    if not fits and (not evidence or _separated_by(served, cells)):
        raise _neither(served, line)
    labels = is_labels(cells) and len(cells) > 1 and not alone
    if fits and (labels or _is_misspelt(served, cells)):
        raise _either(line)
    return False


def _as_row(served: Served, cells: list[str]) -> tuple[bool, bool]:
    """Whether the line can be read as a row, and whether one of its cells can that not every text would be."""
    fits, evidence = len(cells) in widths(served), False
    for kind, cell in zip(_kinds(served, cells), cells, strict=False):
        try:
            kind.reader(nullable=True, text=True)(cell or None)
            evidence |= bool(cell) and not _is_text(kind)
        except Misfit:
            fits = False
    return fits, evidence


def _kinds(served: Served, cells: Sequence[str | None]) -> list[AvroType]:
    """The types of a row's cells; none where it has another width."""
    for leaves in (served.features, served.leaves):
        if len(leaves) == len(cells):
            place = leaves.index(served.features[0])
            if not served.is_vector or is_list(cells[place]):
                return [leaf.type for leaf in leaves]
    kind = served.features[0].type
    return [kind.item] * len(cells) if isinstance(kind, List) and len(cells) in widths(served) else []


def _is_text(kind: AvroType) -> bool:
    """Whether every text is one of its values."""
    return kind.kind == "string"


def _is_misspelt(served: Served, cells: list[str]) -> bool:
    """Whether a text is a field's name in another case or with other punctuation; a header has no name twice."""
    if len(set(cells)) < len(cells):
        return False
    texts = {letters(cell) for kind, cell in zip(_kinds(served, cells), cells, strict=True) if _is_text(kind)}
    return not texts.isdisjoint(map(letters, served.unnamed[1]))


def _either(line: _Line) -> Problem:
    return wrong_shape(f"csv line {line[0]} ({listed(line[1])}) may be a header or a row: {_SAY}")


def _neither(served: Served, line: _Line) -> Problem:
    number, cells = line
    if separator := _separated_by(served, cells):
        return wrong_shape(f"csv: its cells are separated by {separator}; expected commas")
    return wrong_shape(
        f"csv line {number} ({listed(cells)}) is neither a header, since it names no field of {served.title}, nor a "
        f"row of {named_values(served, len(cells), 'cells')}"
    )


def _separated_by(served: Served, cells: list[str]) -> str | None:
    """What separates the cells of the line, where that makes a header or a row of it and commas don't."""
    line = ",".join(cells)
    for separator, name in _SEPARATORS.items():
        parts = [part.strip(' "') for part in line.split(separator)]
        if len(parts) > 1 and (len(cells) == 1 or served.names_field(parts) or len(parts) in widths(served)):
            return name
    return None
