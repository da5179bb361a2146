"""The kinds of table and row that a model is asked about: what is read of each, and the same kind back."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stream.api.predicted import Predicted
from stream.errors import InputError
from stream.table import UNREADABLE, Part, ScoredTable, frame_rows, plain_row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GivenRows", "GivenTable", "read_given"]

_EXPECTED = "expected a pandas or polars DataFrame, an Arrow table, a list of dicts or a dict"


class GivenTable(ABC):
    """
    A table of columns with names.

    Attributes:
        names: of its columns, as texts.
        index_names: of what a frame has beside its columns.
        count: rows.
    """

    names: list[str]
    index_names: Sequence[object] = ()
    count: int

    @abstractmethod
    def part(self, wanted: Sequence[str], start: int, rows: int) -> Part:
        """
        Some of its rows.

        Args:
            wanted: names of columns, each once there; the others are not looked at.
            start, rows: which; fewer where the table ends.
        """

    @abstractmethod
    def back(self, predicted: Predicted, scored: Sequence[ScoredTable]) -> Any:
        """The predictions for all of its rows, as a table of its kind."""

    def check_unique(self, wanted: Sequence[str]) -> None:
        """Raises InputError where two columns that the model takes have one name."""
        twice = [name for name in dict.fromkeys(wanted) if self.names.count(name) > 1]
        if twice:
            raise InputError(
                f"X has several columns called {', '.join(map(repr, twice[:10]))}",
                hint="leave one of each, or rename them: X.columns.duplicated() says which",
            )


class _Frame(GivenTable):
    """A pandas DataFrame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        if frame.columns.nlevels > 1:
            raise InputError(
                f"X has column names of {frame.columns.nlevels} levels",
                hint="give each column one name: X.columns = X.columns.map('_'.join)",
            )
        self._frame = frame
        self.names = [str(name) for name in frame.columns]
        self.index_names = list(frame.index.names)
        self.count = len(frame)

    def part(self, wanted: Sequence[str], start: int, rows: int) -> Part:
        """Columns share their memory with the frame where Arrow can take them as they are."""
        return frame_rows(self._frame.iloc[start : start + rows], wanted)

    def back(self, predicted: Predicted, scored: Sequence[ScoredTable]) -> Any:
        """With the frame's own index."""
        return predicted.frame(predicted.table(scored), self._frame.index)


class _ArrowTable(GivenTable):
    """An Arrow table or record batch."""

    def __init__(self, table: pa.Table | pa.RecordBatch) -> None:
        self._kind = type(table)
        self._table = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
        self.names = self._table.column_names
        self.count = self._table.num_rows

    def part(self, wanted: Sequence[str], start: int, rows: int) -> Part:
        """No copy."""
        return self._table.slice(start, rows).select(list(wanted))

    def back(self, predicted: Predicted, scored: Sequence[ScoredTable]) -> Any:
        """A table for a table, a record batch for a record batch."""
        table = predicted.table(scored).combine_chunks()
        if self._kind is not pa.RecordBatch:
            return table
        return (table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)])[0]


class _PolarsFrame(GivenTable):
    """A polars DataFrame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.names = list(frame.columns)
        self.count = frame.height

    def part(self, wanted: Sequence[str], start: int, rows: int) -> Part:
        """Arrow's columns, except where polars holds Python's objects."""
        some = self._frame.slice(start, rows).select(list(wanted))
        if not any(str(kind).startswith("Object") for kind in some.dtypes):
            try:
                return some.to_arrow()
            except UNREADABLE:
                pass  # of 128 bits, say
        return [plain_row(row) for row in some.to_dicts()]

    def back(self, predicted: Predicted, scored: Sequence[ScoredTable]) -> Any:
        """A polars DataFrame."""
        import polars

        return polars.from_arrow(predicted.table(scored))


class GivenRows:
    """
    A list of dicts, or one.

    Attributes:
        rows: with values in Python's own types.
    """

    def __init__(self, rows: Sequence[Any], *, single: bool) -> None:
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise InputError(f"X[{i}]: expected a dict, found {_about(row)}", hint=_hint(row))
        self.rows = [plain_row(row) for row in rows]
        self._single = single

    def back(self, predicted: Predicted, scored: ScoredTable) -> Any:
        """A dict for a dict, a list for a list."""
        found = predicted.dicts(scored, self.rows)
        return found[0] if self._single else found


def read_given(x: Any) -> GivenTable | GivenRows:
    """
    What a model is asked about.

    Args:
        x: anything.
    Raises: InputError when it is none of the kinds, with how to make one of it.
    """
    if isinstance(x, Mapping):
        return GivenRows([x], single=True)
    if isinstance(x, list | tuple):
        return GivenRows(x, single=False)
    if isinstance(x, pa.Table | pa.RecordBatch):
        return _ArrowTable(x)
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(x, pandas.DataFrame):
        return _Frame(x)
    if polars is not None and isinstance(x, polars.DataFrame):
        return _PolarsFrame(x)
    raise InputError(f"X: {_EXPECTED}, found {_about(x)}", hint=_hint(x))


def _about(value: object) -> str:
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    return kind.__name__ if library == "builtins" else f"{library} {kind.__name__}"


_HINTS = {
    "Series": "give a frame: X.to_frame() for a column, X.to_frame().T for a row",
    "LazyFrame": "give X.collect()",
    "RecordBatchReader": "give X.read_all()",
    "generator": "give list(X)",
    "ndarray": "name its columns: pandas.DataFrame(X, columns=[...])",
    "list": "name the values: dict(zip(names, row))",
    "tuple": "name the values: dict(zip(names, row))",
    "str": "read the file first, with pandas.read_csv say, or score it with `stream batch`",
    "PosixPath": "read the file first, with pandas.read_csv say, or score it with `stream batch`",
    "bytes": "parse it first, with json.loads say",
}


def _hint(value: object) -> str:
    return _HINTS.get(type(value).__name__, "make one of these of it")
