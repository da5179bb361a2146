"""Offsets of a topic's partitions, kept as runs of consecutive ones."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

__all__ = ["OffsetSet", "Runs", "runs_of"]

Runs: TypeAlias = Mapping[int, list[tuple[int, int]]]
"""Per partition, first and last offset of each run."""


def runs_of(places: Iterable[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
    """
    Gather places in runs.

    Args:
        places: partition and offset of each.
    Returns: per partition its runs, ascending; each offset is in one of them.
    """
    runs: dict[int, list[tuple[int, int]]] = {}
    for partition, offset in sorted(set(places)):
        of_partition = runs.setdefault(partition, [])
        if of_partition and of_partition[-1][1] == offset - 1:
            of_partition[-1] = of_partition[-1][0], offset
        else:
            of_partition.append((offset, offset))
    return runs


class OffsetSet:
    """Grows by runs, and tells what is in it."""

    def __init__(self) -> None:
        self._runs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._sorted = True

    def add(self, runs: Runs) -> None:
        """
        Add runs; they may overlap what is there.

        Args:
            runs: per partition.
        """
        for partition, of_partition in runs.items():
            self._runs[partition] += of_partition
        self._sorted = False

    def __contains__(self, place: tuple[int, int]) -> bool:
        if not self._sorted:
            self._sort()
        partition, offset = place
        of_partition = self._runs.get(partition, [])
        i = bisect_right(of_partition, offset, key=lambda run: run[0])
        return i > 0 and offset <= of_partition[i - 1][1]

    def _sort(self) -> None:
        """Put the runs in order, and those together that touch."""
        for partition, of_partition in self._runs.items():
            joined: list[tuple[int, int]] = []
            for first, last in sorted(of_partition):
                if joined and first <= joined[-1][1] + 1:
                    joined[-1] = joined[-1][0], max(last, joined[-1][1])
                else:
                    joined.append((first, last))
            self._runs[partition] = joined
        self._sorted = True
