"""Where trees tell one value of an event from the next: what a graph is to be tried at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stream.compiled.tensor_table import Origin
from stream.compiled.tree_ensemble import Tree

__all__ = ["Thresholds"]


class Thresholds:
    """The thresholds of all trees, in the event's own numbers."""

    def __init__(self) -> None:
        self._found: dict[int, list[npt.NDArray[np.float64]]] = {}

    def add(self, origins: Sequence[Origin | None], trees: Sequence[Tree]) -> None:
        """
        Take up those of some trees.

        Args:
            origins: of the trees' columns; trees may ask columns beyond, which are none of the event's.
            trees: of an ensemble.
        """
        asked = np.concatenate([tree.feature[~tree.leaves] for tree in trees])
        edges = np.concatenate([tree.threshold[~tree.leaves] for tree in trees])
        order = np.argsort(asked, kind="stable")
        columns, starts = np.unique(asked[order], return_index=True)
        for column, found in zip(columns.tolist(), np.split(edges[order], starts[1:]), strict=False):
            origin = origins[column] if 0 <= column < len(origins) else None
            if origin is not None:
                self._found.setdefault(origin.place, []).append(found * origin.scale + origin.shift)

    def by_place(self) -> dict[int, npt.NDArray[np.float64]]:
        """By feature's place, its thresholds, ascending, each once."""
        return {place: np.unique(np.concatenate(found)) for place, found in self._found.items()}
