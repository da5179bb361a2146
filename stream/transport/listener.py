"""Who is told of rebalances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stream.records import Partition

__all__ = ["Listener"]


class Listener(Protocol):
    """Is told of rebalances."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """These are owned from now on. May not block."""

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """
        These are owned no longer once this returns.

        Args:
            partitions: the ones to go.
            lost: True = they belong to others already: commit nothing. False = there is time to finish.
        """
