"""
A csv file as a table of DuckDB, read as `stream batch` reads it.

DuckDB's own reader guesses: it makes one column of a file with a ragged row, a number of `0x10`, infinity of `1e400`, a
row of an empty line. So the file is read here, twice: once to see which types its cells have, and whether each row can
be read at all; then whenever a query wants its rows, a block at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec import Leaf
from stream.files import Chunk, FileFormat, Span, reading
from stream.types import CELL_TYPES, MISSING, NAN, AvroType, Misfit, type_called

__all__ = ["TypedCsv"]

Typed: TypeAlias = Callable[[pa.Array], pa.Array]
"""From a column's cells to its values."""

_MISSING = pa.array(sorted(MISSING), pa.string())
_NAN = pa.array(sorted(NAN), pa.string())

_ZONED = r"(?:Z|z|[+-][0-9]{2}:?[0-9]{2})$"
_NANOSECONDS = r"\.[0-9]{7,}"
_PADDED = r"^\s*[+-]?0[0-9]"
_TIME = r"^[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?$"


@dataclass(slots=True)
class _Seen:
    """What the cells of a column have been so far; `candidates` are the types that all of them fit."""

    candidates: list[AvroType]
    own: Leaf | None
    filled: bool = False
    zoned: bool = False


class TypedCsv:
    """
    A csv file, whose rows DuckDB may ask for as often as it likes.

    Args:
        path: of the file.
        kind: its format.
        leaves: the model's columns, by each name that they have: where a cell is none of its column's type, the column
            stays one of texts, so that only that row has no answer.
        kept: those of them whose texts must stay what is written.

    Attributes:
        schema: of the rows.
        cells: columns of texts that may stand for numbers, dates …
    Raises: SampleError naming the file and the line that can't be read.
    """

    def __init__(
        self, path: Path, kind: FileFormat, leaves: Mapping[str, Leaf], kept: Mapping[str, AvroType]
    ) -> None:
        self._path, self._kind = path, kind
        with reading(path, OSError):
            names = kind.columns(path) or []
            with kind.open(path) as file:
                self._spans = list(kind.spans(file))
            seen = {name: _Seen(_candidates(name in kept), leaves.get(name)) for name in names}
            for columns in self._texts(names):
                for name, one in seen.items():
                    _look(one, columns.column(name))
        self._typed: dict[str, Typed] = {}
        fields = []
        for name, one in seen.items():
            self._typed[name], arrow = _typing(one, kept.get(name))
            fields.append(pa.field(name, arrow))
        self.schema = pa.schema(fields)
        self.cells = frozenset(name for name, one in seen.items() if not one.candidates)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows, read lazily, each time from the beginning."""
        reader = pa.RecordBatchReader.from_batches(self.schema, self._rows())
        return reader.__arrow_c_stream__(requested_schema)

    def _rows(self) -> Iterator[pa.RecordBatch]:
        with reading(self._path, OSError):
            for texts in self._texts(self.schema.names):
                columns = [
                    self._typed[name](column)
                    for name, column in zip(self.schema.names, texts.columns, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _texts(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([(name, pa.string()) for name in names])
        for span in self._spans:
            yield from self._span(span, schema)

    def _span(self, span: Span, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for chunk in self._kind.chunks(self._path, span, list):
            if chunk.broken:
                self._refuse(chunk)
            rows = chunk.rows
            yield pa.RecordBatch.from_pylist(rows, schema) if isinstance(rows, list) else rows

    def _refuse(self, chunk: Chunk) -> None:
        """The reader that goes row by row knows the line."""
        for _ in self._kind.rows(self._path):
            pass
        for number, fault in chunk.broken.items():  # pragma: no cover  # the file is another one by now
            raise ValueError(f"row {number}: {fault.message}")


def _candidates(is_kept: bool) -> list[AvroType]:
    return [] if is_kept else [*CELL_TYPES, type_called("time-micros")]


def _look(seen: _Seen, texts: pa.Array) -> None:
    """Strike out the types that one of these cells is not of; all of them where the model's own is among those."""
    if not seen.candidates:
        return
    known = _known(texts).drop_null()
    if not len(known):
        return
    seen.filled = True
    if seen.own is not None and not _reads(seen.own.type, known):
        seen.candidates = []
    seen.candidates = [kind for kind in seen.candidates if _fits(kind, known)]
    if seen.candidates and seen.candidates[0].name == "timestamp-micros" and not seen.zoned:
        seen.zoned = bool(pc.any(pc.match_substring_regex(known, _ZONED)).as_py())


def _known(texts: pa.Array) -> pa.Array:
    """Null for `NA` and the like."""
    return pc.if_else(pc.is_in(texts, _MISSING), pa.scalar(None, pa.string()), texts)


def _reads(kind: AvroType, texts: pa.Array) -> bool:
    """Whether a type takes each of these cells."""
    if kind.cast(texts, nullable=True, text=True) is not None:
        return True
    read = kind.reader(nullable=True, text=True)
    try:
        values = [read(text.as_py()) for text in texts]
    except Misfit:
        return False
    return not kind.from_values(values)[1]


def _fits(kind: AvroType, texts: pa.Array) -> bool:
    """Whether each of these cells looks like a type's."""
    if kind.name == "time-micros":
        return bool(pc.all(pc.match_substring_regex(texts, _TIME)).as_py()) and _reads(kind, texts)
    lossy = {"timestamp-micros": _NANOSECONDS, "long": _PADDED, "double": _PADDED}.get(kind.name)
    if lossy is not None and pc.any(pc.match_substring_regex(texts, lossy)).as_py():
        return False
    if kind.cast(texts, nullable=True, text=True) is not None:
        return True
    return all(kind.parse_cell(text.as_py()) is not None for text in texts) and _reads(kind, texts)


def _typing(seen: _Seen, kept: AvroType | None) -> tuple[Typed, pa.DataType]:
    """How a column's cells become values, and the values' Arrow type."""
    if kept is not None or (seen.filled and not seen.candidates):
        return (_known if kept is not None and kept.has_missing else _as_is), pa.string()
    own = seen.own.type if seen.own is not None else None
    kind = seen.candidates[0] if seen.filled else type_called("double")
    if own is not None and own.name == "boolean":
        kind = own  # to which 1 is true in a csv
    arrow = pa.timestamp("us", "UTC") if seen.zoned else kind.arrow
    has_nan = (
        kind.name == "double" and seen.own is not None and not seen.own.nullable and seen.own.type.has_nan
    )
    return partial(_values, kind, arrow, has_nan), arrow


def _as_is(texts: pa.Array) -> pa.Array:
    return texts


def _values(kind: AvroType, arrow: pa.DataType, has_nan: bool, texts: pa.Array) -> pa.Array:
    found, wrong = kind.from_column(texts, text=True)
    for misfit in wrong.values():
        raise ValueError(f"the file was changed while it was read: {misfit}")
    if has_nan:
        found = pc.if_else(pc.is_in(texts, _NAN), pa.scalar(float("nan")), found)
    return found if found.type == arrow else found.cast(arrow)
