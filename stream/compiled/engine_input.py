"""Arrow columns → the one matrix of doubles that an engine's graph takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.compiled.engine_layout import Lexicon, is_coded
from stream.manifest import Feature, Manifest
from stream.scoring import Inputs, frame_column
from stream.types import type_called

__all__ = ["LARGEST", "Cells", "MatrixInput"]

Doubles: TypeAlias = npt.NDArray[np.float64]

LARGEST = 1e30
"""
Numbers beyond are left to the estimator, which may refuse them: float32 ends at 3.4e38, and infinity is refused by
most. Graphs are tried up to here.
"""


@dataclass(frozen=True, slots=True)
class Cells:
    """
    The input of n rows.

    Attributes:
        matrix: shape (n, width); NaN is a missing number, and a code that of its lexicon.
        sound: whether each row is one that a graph may be asked about, shape (n,); None where all are.
    """

    matrix: Doubles
    sound: npt.NDArray[np.bool_] | None = None


_Column: TypeAlias = Callable[[pa.Array], tuple[Any, Any]]
"""A column's values as the estimator is given them, and the rows that it can't hold."""


class MatrixInput:
    """
    Builds the matrix.

    Args:
        manifest: of the model.
        lexicons: by feature's place, of those that go in as codes.
    """

    def __init__(self, manifest: Manifest, lexicons: Mapping[int, Lexicon]) -> None:
        self._inputs = Inputs(manifest) if manifest.is_array else None
        self._width = manifest.width
        self._coded: list[tuple[int, str, dict[object, int], int]] = []
        self._numbers: list[tuple[int, str, _Column]] = []
        for place, feature in enumerate(() if manifest.is_array else manifest.features):
            if is_coded(feature):
                codes: dict[object, int] = {value: code for code, value in enumerate(lexicons[place].values)}
                codes[None] = lexicons[place].missing
                self._coded.append((place, feature.path, codes, lexicons[place].unknown))
            else:
                self._numbers.append((place, feature.path, _column(feature)))

    def build(self, columns: Mapping[str, pa.Array], n: int) -> Cells:
        """
        Args:
            columns: an array of length n ≥ 1 for each feature's path.
            n: number of rows.
        """
        if self._inputs is not None:
            built = self._inputs.build(columns, n)
            return Cells(built.x, _without(built.misfits, n))
        matrix = np.empty((n, self._width))
        wrong: dict[int, object] = {}
        for place, path, codes, unknown in self._coded:
            values = columns[path].to_pylist()
            matrix[:, place] = [codes.get(_one_missing(value), unknown) for value in values]
        for place, path, column in self._numbers:
            matrix[:, place], misfits = column(columns[path])
            if misfits:
                wrong |= misfits
        return Cells(matrix, _without(wrong, n))


def _one_missing(value: object) -> object:
    """NaN among categories that are numbers is a missing value as None is."""
    return value if value == value else None


def _without(wrong: Mapping[int, object], n: int) -> npt.NDArray[np.bool_] | None:
    if not wrong:
        return None
    sound = np.ones(n, np.bool_)
    sound[list(wrong)] = False
    return sound


def _column(feature: Feature) -> _Column:
    if not feature.dtype:
        return type_called(feature.avro).model_values
    maker = frame_column(feature)

    def of(column: pa.Array) -> tuple[Any, Any]:
        odd = maker.odd(column)
        values, wrong = maker.values(maker.without_odd(column) if odd else column)
        return values, {**wrong, **odd}

    return of
