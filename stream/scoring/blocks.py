"""Parts of the matrix that a `ColumnTransformer` makes, made from Arrow columns a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.scoring.estimator_input import X
from stream.scoring.number_steps import ArrayStep, transformed

__all__ = ["Block", "Cells", "Codes", "Floats", "Numbers", "OneHot", "Ordinal", "Unknown", "dense", "sparse"]

Floats: TypeAlias = npt.NDArray[np.float64]


class Unknown(Exception):
    """A batch that is left to the DataFrame: an encoder has to raise, or to warn of a category."""


@dataclass(frozen=True, slots=True)
class Cells:
    """
    Some columns of the matrix.

    Attributes:
        values: shape (n, k).
        places: the column of each value, shape (n, k) for one-hot codes; None: 0 … k - 1.
        kept: which values are there, shape (n, k); None: all. The others are zero.
    """

    values: Floats
    places: npt.NDArray[np.int64] | None = None
    kept: npt.NDArray[np.bool_] | None = None


class Block(Protocol):
    """What one transformer of a `ColumnTransformer` does."""

    @property
    def width(self) -> int:
        """How many columns of the matrix are its own."""

    def cells(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> Cells:
        """Its columns. Raises: Unknown; whatever its own code raises."""


@dataclass(frozen=True, slots=True)
class Codes:
    """A text column's categories: where each stands, and where a missing text does."""

    path: str
    known: pa.Array
    places: npt.NDArray[np.int64]
    missing: int | None

    def positions(
        self, columns: Mapping[str, pa.Array]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Each row's place among the categories (0 where it has none), and whether it has one."""
        column = columns[self.path]
        found = pc.index_in(column, value_set=self.known.cast(column.type))
        at: npt.NDArray[np.int64] = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        kept = at >= 0
        places = self.places[np.where(kept, at, 0)] if len(self.places) else np.zeros(len(at), np.int64)
        if column.null_count:
            null = column.is_null().to_numpy(zero_copy_only=False)
            kept = np.where(null, self.missing is not None, kept)
            places = np.where(null, self.missing or 0, places)
        return np.where(kept, places, 0), kept


@dataclass(frozen=True, slots=True)
class OneHot:
    """A fitted `OneHotEncoder` on text columns."""

    codes: tuple[Codes, ...]
    starts: tuple[int, ...]
    width: int
    strict: bool

    def cells(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> Cells:
        """A one per row and text; none for an unknown one."""
        found = [code.positions(columns) for code in self.codes]
        kept = np.column_stack([k for _, k in found])
        if self.strict and not kept.all():
            raise Unknown
        places = np.column_stack([p + start for (p, _), start in zip(found, self.starts, strict=True)])
        return Cells(np.ones(places.shape), places, None if kept.all() else kept)


@dataclass(frozen=True, slots=True)
class Ordinal:
    """A fitted `OrdinalEncoder` on text columns."""

    codes: tuple[Codes, ...]
    missing: float
    unknown: float | None
    width: int

    def cells(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> Cells:
        """A number per row and text."""
        out = np.empty((len(columns[self.codes[0].path]), self.width))
        for i, code in enumerate(self.codes):
            places, kept = code.positions(columns)
            values = places.astype(np.float64)
            if code.missing is not None:
                values[places == code.missing] = self.missing
            if not kept.all():
                if self.unknown is None:
                    raise Unknown
                values[~kept] = self.unknown
            out[:, i] = values
        return Cells(out)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Number columns, through transformers that take arrays; `quick` does what they do, where that is known."""

    paths: tuple[str, ...]
    steps: tuple[Any, ...]
    width: int
    quick: tuple[ArrayStep, ...] | None = None

    def cells(self, columns: Mapping[str, pa.Array], numbers: Mapping[str, Floats]) -> Cells:
        """The numbers, transformed."""
        x = self._matrix(numbers)
        if self.quick:
            found = transformed(x, self.quick)
            if found is not None:
                return Cells(found)
            x = self._matrix(numbers)
        for step in self.steps:
            x = step.transform(x)
        return Cells(x)

    def _matrix(self, numbers: Mapping[str, Floats]) -> Floats:
        """Shape (n, k), column after column in memory as in a DataFrame: sums then have the same order."""
        return np.array([numbers[path] for path in self.paths]).T


def dense(cells: Sequence[Cells], starts: Sequence[int]) -> Floats:
    """
    Put parts side by side.

    Args:
        cells: of n rows each.
        starts: the first column of each part, and the width of all.
    Returns: shape (n, width).
    """
    if len(cells) == 1 and cells[0].places is None:
        return cells[0].values
    out = np.zeros((len(cells[0].values), starts[-1]))
    for cell, start, stop in zip(cells, starts, starts[1:], strict=False):
        if cell.places is None:
            out[:, start:stop] = cell.values
        else:
            rows = np.broadcast_to(np.arange(len(out))[:, None], cell.places.shape)
            kept = slice(None) if cell.kept is None else cell.kept
            out[rows[kept], start + cell.places[kept]] = 1.0
    return out


def sparse(cells: Sequence[Cells], starts: Sequence[int]) -> X:
    """
    Put parts side by side, as scikit-learn does where most of it is zero.

    Args: as `dense`.
    Returns: a CSR array of shape (n, width), each row's columns ascending: sums have scikit-learn's own order.
    """
    from scipy.sparse import csr_array

    values = np.hstack([cell.values for cell in cells])
    places = np.hstack([
        np.broadcast_to(np.arange(start, stop), cell.values.shape) if cell.places is None else cell.places + start
        for cell, start, stop in zip(cells, starts, starts[1:], strict=False)
    ])  # fmt: skip
    n, k = values.shape
    kept = np.hstack([np.ones(c.values.shape, np.bool_) if c.kept is None else c.kept for c in cells])
    kept &= values != 0
    ends = np.arange(0, (n + 1) * k, k) if kept.all() else np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    data, indices = values[kept], places[kept].astype(np.int32)
    return csr_array((data, indices, ends.astype(np.int32)), shape=(n, starts[-1]))
