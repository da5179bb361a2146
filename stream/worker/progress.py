"""Whether the engine still goes round its loop: the fact behind `/health/live`."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["STUCK_S", "Progress"]

STUCK_S = 20.0
"""Without a round for so long the engine counts as stuck; the probe must turn red within 30 s."""


class Progress:
    """Written by the engine's thread once a round, read by others. An idle engine goes round too."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """
        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._last = clock()
        self._allowed = STUCK_S

    def beat(self) -> None:
        """The engine has gone round."""
        self._last = self._clock()

    def allow(self, seconds: float) -> None:
        """Until the next beat a pause of so many seconds does not count as being stuck: a rebalance, a last flush."""
        self._allowed = max(STUCK_S, seconds)

    def resume(self) -> None:
        """The long step is over."""
        self._allowed = STUCK_S
        self.beat()

    @property
    def pause_s(self) -> float:
        """Seconds since the last round."""
        return max(0.0, self._clock() - self._last)

    @property
    def stuck(self) -> bool:
        """Whether the pause is longer than the step in hand may take."""
        return self.pause_s > self._allowed
