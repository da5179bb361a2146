"""Scored parts → one table of predictions, as Arrow, pandas or dicts have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as kinds

from stream.nearest import nearest
from stream.records import DeadLetter
from stream.table import ScoredTable, quoted
from stream.types import AvroType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predicted", "pandas_frame"]


class Predicted:
    """
    Makes the tables of one model's predictions.

    Attributes:
        schema: the prediction's columns, then that of the reasons.

    Args:
        schema: the prediction's columns.
        carried: the types of the carried ones, by name.
    """

    def __init__(self, schema: pa.Schema, carried: Mapping[str, AvroType]) -> None:
        # A carried field may be called like ours: it was there first.
        self._error = "error" if "error" not in carried else "prediction_error"
        self._carried = carried
        # Instants say that they are in UTC, as in files.
        told = [
            field.with_type(carried[field.name].file_arrow) if field.name in carried else field
            for field in schema
        ]
        self.schema = pa.schema([*told, pa.field(self._error, pa.string())])

    def table(self, scored: Sequence[ScoredTable]) -> pa.Table:
        """A row for each of the rows that were scored, all null where there is none but the reason."""
        return pa.Table.from_batches([self._batch(part) for part in scored], self.schema)

    def _batch(self, scored: ScoredTable) -> pa.RecordBatch:
        reasons = pa.nulls(scored.count, pa.string())
        if scored.faults:
            found = {i: _reason(fault) for i, fault in scored.faults.items()}
            reasons = pa.array([found.get(i) for i in range(scored.count)], pa.string())
        columns = [*map(self._told, scored.predictions.schema.names, scored.aligned().columns), reasons]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _told(self, name: str, column: pa.Array) -> pa.Array:
        return column.cast(self._carried[name].file_arrow) if name in self._carried else column

    def frame(self, table: pa.Table, index: pd.Index) -> pd.DataFrame:
        """
        Args:
            table: of `table`.
            index: of the frame, as long as the table.
        """
        found = pandas_frame(table, self._carried)
        found.index = index
        return found

    def dicts(self, scored: ScoredTable, rows: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
        """
        Args:
            scored: the rows.
            rows: as they came, for a missing field's nearest name.
        """
        names = scored.predictions.schema.names
        columns = [
            _values(self._told(name, column), self._carried.get(name))
            for name, column in zip(names, scored.predictions.columns, strict=True)
        ]
        answers = iter(zip(*columns, strict=True))
        found: list[dict[str, Any]] = []
        for i in range(scored.count):
            fault = scored.faults.get(i)
            row = dict(zip(names, next(answers), strict=True)) if fault is None else dict.fromkeys(names)
            row[self._error] = None if fault is None else _reason(fault, rows[i])
            found.append(row)
        return found


def _reason(fault: DeadLetter, row: Mapping[str, object] | None = None) -> str:
    """The stable code, and what is wrong."""
    near = ""
    if row is not None and fault.reason == "missing_field" and fault.field is not None:
        meant = next(iter(nearest(fault.field, list(row), 0.7)), None)
        near = f"; did you mean {meant!r}?" if meant else f"; there are {quoted(row)}"
    return f"{fault.reason}: {fault.message}{near}"


def _values(column: pa.Array, kind: AvroType | None) -> list[Any]:
    """Python's own values; as JSON has them where its calendar can't hold one."""
    try:
        values: list[Any] = column.to_pylist() if kind is None else kind.python_values(column)
        return values
    except (OverflowError, ValueError):
        if kind is None:
            raise
        return kind.json_values(column)


def pandas_frame(table: pa.Table, known: Mapping[str, AvroType]) -> pd.DataFrame:
    """
    A table as pandas holds it.

    Args:
        table: of any columns.
        known: the types of those that are read as a file's are.
    Returns: whole numbers and booleans stay what they are: `int64` and `bool`, or `Int64` and `boolean` where one is
        missing; numbers are `float64`, decimals Python's, texts `str`, instants in UTC, arrays numpy's.
    """
    import pandas as pd

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}

    def series(name: str, column: pa.ChunkedArray) -> pd.Series:
        whole = column.combine_chunks()
        if kinds.is_integer(whole.type):
            whole = whole.cast(pa.int64())
        if whole.type in nullable:
            plain: pd.Series = whole.to_pandas(types_mapper=nullable.get if whole.null_count else None)
            return plain
        kind = None if kinds.is_decimal(whole.type) else known.get(name)  # a float would round it
        found: pd.Series = whole.to_pandas() if kind is None else kind.pandas_series(whole)
        return found

    return pd.DataFrame({name: series(name, table.column(name)) for name in table.column_names}, copy=False)
