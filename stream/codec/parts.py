"""Arrow columns of one type per leaf, whoever decoded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

__all__ = ["Part", "merge"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a batch: their indices, ascending, and their columns by path, equally long."""

    rows: Sequence[int]
    columns: Mapping[str, pa.Array]


def merge(parts: Sequence[Part], empty: Mapping[str, pa.Array]) -> Part:
    """
    Put parts together in the order of their rows.

    Args:
        parts: with different rows.
        empty: an empty column per path, for when there are no parts.
    Returns: all rows, ascending.
    """
    filled = [part for part in parts if len(part.rows)]
    if not filled:
        return Part((), empty)
    if len(filled) == 1:
        return filled[0]
    rows = np.concatenate([np.asarray(part.rows, dtype=np.int64) for part in filled])
    order = pa.array(np.argsort(rows))
    columns = {path: pa.concat_arrays([p.columns[path] for p in filled]).take(order) for path in empty}
    return Part(np.sort(rows).tolist(), columns)
