"""
Arrow columns → the estimator's own input: a DataFrame with names, a float64 matrix, or a Series of texts.

This is the hot path: all numbers go into one float64 block, texts stay one object column each (measured: at
2,000 rows and 18 fields 0.2–0.4 µs a row; one dict of 18 columns costs twice that, and a single object block
makes the encoders after it slower). pandas is imported where a frame is made: a process that only
reads schemas does not need it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.manifest import Manifest
from stream.scoring.frame_columns import Values, frame_column
from stream.types import List, Misfit, type_called

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Built", "Inputs", "X", "taken", "unshared"]

X: TypeAlias = Any
"""What an estimator's `predict` takes: a DataFrame, a Series, an ndarray of float64, or a sparse array of it."""

_MANY_BLOCKS = 50
"""From here on a frame is made from a dict: pandas warns of fragmentation at 100 inserted columns."""


@dataclass(slots=True)
class Built:
    """
    An estimator's input.

    Attributes:
        x: n rows, those of `misfits` and `odd` included (filled with something harmless).
        misfits: rows whose values the input's types can't hold.
        odd: rows that need a frame of their own (`frame_columns`), ascending, and those frames.
    """

    x: X
    misfits: dict[int, Misfit] = field(default_factory=dict)
    odd: list[tuple[npt.NDArray[np.intp], X]] = field(default_factory=list)

    def parts(self, n: int) -> list[tuple[npt.NDArray[np.intp], X]]:
        """The rows that can be asked about, and the input of each group of them."""
        if not self.misfits and not self.odd:
            return [(np.arange(n), self.x)]
        left_out = {*self.misfits, *(row for rows, _ in self.odd for row in rows.tolist())}
        rows = np.array([i for i in range(n) if i not in left_out], np.intp)
        return [(rows, taken(self.x, rows)), *self.odd] if len(rows) else self.odd


def taken(x: X, rows: slice | npt.NDArray[np.intp]) -> X:
    """Some rows of an input, by position; a frame's index counts from 0, as that of any batch."""
    if isinstance(x, np.ndarray):
        return x[rows]
    return x.iloc[rows].reset_index(drop=True)


def unshared(x: X) -> X:
    """
    The same input for one call: what the model writes into it is not seen by the next.

    Functions of users often do (`x["fare"] = np.log1p(x["fare"])`), and a model is asked more than once: for label and
    score, and again where it raised. A frame's values are copied only when they are written to.
    """
    return x.copy(deep=False) if hasattr(x, "iloc") else x.copy()


class Inputs:
    """
    Builds the input of one model.

    Args:
        manifest: its `inputs`, `features` and `width` say what to build.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._kind = manifest.inputs
        self._width = manifest.width
        self._features = manifest.features
        self._types = [type_called(feature.avro) for feature in manifest.features]
        self._names = [feature.name for feature in manifest.features]
        plain = [feature.kind == "number" and not feature.dtype for feature in manifest.features]
        self._block = [i for i, is_plain in enumerate(plain) if is_plain]
        self._apart = {i: frame_column(f) for i, f in enumerate(manifest.features) if not plain[i]}

    def build(self, columns: Mapping[str, pa.Array], n: int) -> Built:
        """
        Build the input.

        Args:
            columns: an array of length n ≥ 1 for each feature's path; others are ignored.
            n: number of rows.
        Returns: the input of n rows; the arrays' memory may be shared with it.
        """
        misfits: dict[int, Misfit] = {}
        if self._kind == "vector":
            return Built(self._vector(columns[self._features[0].path], n, misfits), misfits)
        if self._kind == "series":
            return Built(self._series(self._apart_column(0, columns, misfits, whole=True)), misfits)
        numbers = self._numbers(columns, n, misfits)
        if self._kind == "matrix":
            return Built(np.ascontiguousarray(numbers.T), misfits)
        odd = self._odd(columns) if self._apart else {}
        apart = [self._apart_column(i, columns, misfits, whole=not odd) for i in self._apart]
        built = Built(self._frame(numbers, apart), misfits)
        for rows in _alike({row: way for row, way in odd.items() if row not in misfits}):
            few = {path: column.take(pa.array(rows)) for path, column in columns.items()}
            built.odd.append((np.array(rows, np.intp), self._few(few, len(rows))))
        return built

    def _few(self, columns: Mapping[str, pa.Array], n: int) -> X:
        """The frame of rows that are odd in the same way; none of them is a misfit."""
        return self._frame(
            self._numbers(columns, n, {}),
            [self._apart_column(i, columns, {}, whole=True) for i in self._apart],
        )

    def _numbers(
        self, columns: Mapping[str, pa.Array], n: int, misfits: dict[int, Misfit]
    ) -> npt.NDArray[np.float64]:
        """The block of plain numbers: a row for each feature."""
        numbers = np.empty((len(self._block), n))
        for row, i in enumerate(self._block):
            numbers[row] = self._column(i, columns, misfits)
        return numbers

    def _odd(self, columns: Mapping[str, pa.Array]) -> dict[int, list[Hashable]]:
        """By row, which of its columns are odd and how."""
        found: dict[int, list[Hashable]] = {}
        for i, column in self._apart.items():
            for row, way in column.odd(columns[self._features[i].path]).items():
                found.setdefault(row, []).append((i, way))
        return found

    def _apart_column(
        self, i: int, columns: Mapping[str, pa.Array], misfits: dict[int, Misfit], *, whole: bool
    ) -> Values:
        column, path = self._apart[i], self._features[i].path
        values, wrong = column.values(columns[path] if whole else column.without_odd(columns[path]))
        self._note(path, wrong, misfits)
        return values

    def numbers(
        self, columns: Mapping[str, pa.Array], misfits: dict[int, Misfit]
    ) -> dict[str, npt.NDArray[np.float64]]:
        """
        The number features one by one.

        Args:
            columns: as for `build`.
            misfits: rows whose values float64 can't hold are put here.
        Returns: by path, float64 of length n, null = NaN.
        """
        return {
            self._features[i].path: np.asarray(self._column(i, columns, misfits), np.float64)
            for i in self._block
        }

    def _column(
        self, i: int, columns: Mapping[str, pa.Array], misfits: dict[int, Misfit]
    ) -> npt.NDArray[np.generic]:
        """One feature's column; rows that it can't hold are noted."""
        path = self._features[i].path
        values, wrong = self._types[i].model_values(columns[path])
        self._note(path, wrong, misfits)
        return values

    def _note(self, path: str, wrong: Mapping[int, str], misfits: dict[int, Misfit]) -> None:
        for row, message in wrong.items():
            misfits[row] = Misfit(message, path, reason="value_out_of_range")

    def _frame(self, numbers: npt.NDArray[np.float64], apart: list[Values]) -> pd.DataFrame:
        """One block of numbers, and each other column at its place."""
        import pandas as pd

        if len(apart) > _MANY_BLOCKS:
            return self._wide_frame(numbers, apart)
        frame = pd.DataFrame(numbers.T, copy=False)
        for i, values in zip(self._apart, apart, strict=True):
            column = pd.Series(values, index=frame.index, dtype=values.dtype, copy=False)
            frame.insert(i, i, column, allow_duplicates=True)
        frame.columns = pd.Index(self._names)
        return frame

    def _wide_frame(self, numbers: npt.NDArray[np.float64], apart: list[Values]) -> pd.DataFrame:
        import pandas as pd

        index = pd.RangeIndex(numbers.shape[1] if self._block else len(apart[0]))
        columns: dict[int, pd.Series] = {}
        for i, values in [*zip(self._block, numbers, strict=True), *zip(self._apart, apart, strict=True)]:
            columns[i] = pd.Series(values, index=index, dtype=values.dtype, copy=False)
        frame = pd.DataFrame({i: columns[i] for i in range(len(columns))}, copy=False)
        frame.columns = pd.Index(self._names)
        return frame

    def _series(self, texts: Values) -> pd.Series:
        import pandas as pd

        series: pd.Series = pd.Series(texts, dtype=texts.dtype, name=self._names[0], copy=False)
        return series

    def _vector(self, array: pa.Array, n: int, misfits: dict[int, Misfit]) -> npt.NDArray[np.float64]:
        """One row per list; a list of another length is a fault, an item that is null is NaN."""
        path, width = self._features[0].path, self._width
        lengths = pc.fill_null(pc.list_value_length(array), -1).to_numpy()
        wrong = np.flatnonzero(lengths != width)
        for i in wrong.tolist():
            found = "null" if lengths[i] < 0 else f"{lengths[i]} numbers"
            misfits[i] = Misfit(f"expected {width} numbers, found {found}", path, reason="vector_length")
        rows = np.flatnonzero(lengths == width)
        sound = array.take(pa.array(rows)) if len(wrong) else array
        matrix = np.full((n, width), np.nan)
        item = self._types[0]
        assert isinstance(item, List)
        flat, inexact = item.item.model_values(sound.flatten())
        matrix[rows] = flat.reshape(len(rows), width)
        for i, message in inexact.items():
            misfits[int(rows[i // width])] = Misfit(message, path, reason="value_out_of_range")
        return matrix


def _alike(odd: Mapping[int, list[Hashable]]) -> list[list[int]]:
    """The odd rows, grouped by the way in which they are odd."""
    groups: dict[Hashable, list[int]] = {}
    for row in sorted(odd):
        groups.setdefault(tuple(odd[row]), []).append(row)
    return list(groups.values())
