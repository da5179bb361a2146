"""
A request's body as one array of numpy's (`application/x-npy`), whose rows are by position.

Its head says how many values of which type follow. It is read here, not by numpy, which evaluates it as Python: so its
length, and the array's size, are known to be what they should be before anything is made of the values. Objects, which
are pickled, are never read.

Source: numpy.org/doc/stable, "numpy.lib.format", format versions 1.0 to 3.0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from stream.rest.allowance import Allowance, allowance
from stream.rest.problems import wrong_shape
from stream.rest.rows_by_position import by_position, items_read, named_values, widths
from stream.rest.served_model import Row, Served
from stream.shown import shown

__all__ = ["parse_npy"]

_MAGIC = b"\x93NUMPY"

_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""By the format's version, of the number that says how long the head is."""

_MOST_HEAD_BYTES = 1_000
"""Numpy's own are 118; longer ones describe records, which are not read here."""

_ENTRY = re.compile(
    r"""\s*(['"])(\w+)\1\s*:\s*(?:(['"])(?P<text>[^'"]*)\3|(?P<truth>True|False)|\((?P<sizes>[\d\sL,]*)\))\s*(?:,|\Z)"""
)
"""Of the head's dict; `2L` is how Python 2 writes a size."""

_KINDS = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|[US][1-9]\d{0,6})")
"""Booleans, whole numbers, floats, texts."""

_NUMBER_BYTES, _TEXT_BYTES, _ROW_BYTES = 40, 64, 400
"""What Python needs for a number and its place, a text without its characters, a row as a list and a dict."""

_ROWS_AT_ONCE = 500
"""Between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class _Head:
    """
    What an array is.

    Attributes:
        dtype: of its values.
        fortran: whether they are column by column.
        shape: sizes, ≥ 0.
        start: of the first value, in bytes.
    """

    dtype: np.dtype[np.generic]
    fortran: bool
    shape: tuple[int, ...]
    start: int


def parse_npy(served: Served, body: bytes) -> tuple[list[Row], bool]:
    """
    Parse a body.

    Args:
        served: the model.
        body: as `numpy.save` writes it: n rows, or for a model of one column n values.
    Returns: the rows; and whether the values are texts, which represent numbers, dates … as in a csv. A number that
        is NaN is missing.
    Raises: Problem 422 where it is no such array, or is as wide as no row; 413, 503 and 504 as `Allowance`.
    """
    mine = allowance()
    head = _head(body)
    expected = math.prod(head.shape) * head.dtype.itemsize
    if len(body) - head.start != expected:
        raise wrong_shape(
            f"npy: expected {shown(str(expected))} bytes for shape {_shown(head.shape)} of {head.dtype}, found "
            f"{len(body) - head.start}"
        )
    count = _admitted(served, head, mine)
    values = np.frombuffer(memoryview(body)[head.start :], head.dtype)
    array = values.reshape(head.shape, order="F" if head.fortran else "C")
    text = head.dtype.kind in "US"
    rows: list[Row] = []
    for start in range(0, count, _ROWS_AT_ONCE):
        mine.check()
        piece = _texts(array[start : start + _ROWS_AT_ONCE]).tolist()
        if text:  # an empty one is missing, as an empty cell is
            piece = [
                [value or None for value in row] if isinstance(row, list) else row or None for row in piece
            ]
        some = [by_position(served, row, f"npy: row {start + i}") for i, row in enumerate(piece)]
        rows += [items_read(served, row) for row in some] if text else some
    return rows, text


def _admitted(served: Served, head: _Head, mine: Allowance) -> int:
    """How many rows there are, once they are known to fit; holds what they take."""
    one_column = len(served.features) == 1 and not served.is_vector
    if len(head.shape) != 2 and not (len(head.shape) == 1 and one_column):
        raise wrong_shape(f"npy: expected shape (rows, columns), found {_shown(head.shape)}")
    count, *more = head.shape
    width = more[0] if more else 1
    mine.rows(count)
    mine.columns(width)
    if width not in widths(served):
        raise wrong_shape(f"npy: expected rows of {named_values(served, width)}, found {width}")
    each = _TEXT_BYTES + head.dtype.itemsize if head.dtype.kind in "US" else _NUMBER_BYTES
    mine.take(count * (width * each + _ROW_BYTES))
    return count


def _texts(
    piece: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """The values; bytes are texts in UTF-8."""
    if piece.dtype.kind != "S":
        return piece
    try:
        return np.char.decode(piece, "utf-8")  # type: ignore[arg-type]
    except UnicodeDecodeError as error:
        raise wrong_shape(f"npy: expected texts in UTF-8: {error}") from error


def _head(body: bytes) -> _Head:
    """Read the head: Problem 422 where it is none, or one of an array that is not read here."""
    version = tuple(body[len(_MAGIC) : len(_MAGIC) + 2])
    if not body.startswith(_MAGIC) or version not in _LENGTH_BYTES:
        raise wrong_shape(
            "the body is not an array of numpy's: expected what numpy.save writes, version 1.0 to 3.0"
        )
    begin = len(_MAGIC) + 2 + _LENGTH_BYTES[version]
    length = int.from_bytes(body[len(_MAGIC) + 2 : begin], "little")
    if length > _MOST_HEAD_BYTES or begin + length > len(body):
        raise wrong_shape(
            f"npy: expected a head of at most {_MOST_HEAD_BYTES} bytes and the values, found {length} bytes of head in "
            f"{len(body)}: arrays of records are not read here"
        )
    text = body[begin : begin + length].decode("latin-1").strip()
    entries = _entries(text)
    kind, sizes = entries.get("descr"), entries.get("shape")
    if set(entries) != {"descr", "fortran_order", "shape"} or sizes is None or kind is None:
        raise wrong_shape(
            f"npy: expected a head with descr, fortran_order and shape of a plain array, found {shown(text)}"
        )
    if not _KINDS.fullmatch(kind):
        objects = "objects, which are pickled" if kind.endswith("O") else shown(kind)
        raise wrong_shape(
            f"npy: expected numbers, booleans or texts, found {objects}: convert them, or send csv or JSON"
        )
    parts = [part.strip().rstrip("L") for part in sizes.split(",")]
    if parts[-1] == "":
        parts.pop()
    if not all(part.isdecimal() for part in parts) or not parts:
        raise wrong_shape(f"npy: expected shape (rows, columns), found ({shown(sizes)})")
    return _Head(np.dtype(kind), entries["fortran_order"] == "True", tuple(map(int, parts)), begin + length)


def _entries(text: str) -> dict[str, str]:
    """The head's dict, each value as a text; empty where it is none."""
    if not (text.startswith("{") and text.endswith("}")):
        return {}
    text = text[1:-1].rstrip()
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        entry = _ENTRY.match(text, place)
        if entry is None or entry[2] in found:
            return {}
        key = {"descr": "text", "fortran_order": "truth", "shape": "sizes"}.get(entry[2])
        value = None if key is None else entry[key]
        if value is None:
            return {}
        found[entry[2]] = value
        place = entry.end()
    return found


def _shown(shape: tuple[int, ...]) -> str:
    """A shape in a message, whose sizes may have hundreds of digits."""
    return shown(str(shape))
