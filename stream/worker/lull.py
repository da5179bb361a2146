"""
How long the broker needs after a commit before it takes the next transaction of the same producer.

A commit is answered once it is decided; the markers that make it visible are written after that. A transaction that
begins meanwhile is told to come back (CONCURRENT_TRANSACTIONS), which the client does by itself after 10 to 20 ms: the
client doesn't say so, it only takes longer. So a transaction that was begun soon after a commit, and took that much
longer than the quickest ones, makes the pause longer by `STEP_S`; each other makes it a little shorter. It begins with
the longest pause, after which none is told to come back: so that it is known how quick the quickest are.
"""

from __future__ import annotations

import math

__all__ = ["Lull"]

LEAST_S = 0.001
"""A broker on the same machine, without replicas, needs about as long."""

MOST_S = 0.02
"""As long as the client waits before it comes back: a longer pause would gain nothing."""

STEP_S = 0.001
"""By which a transaction that was told to come back makes the pause longer."""

SHORTER = 0.997
"""Of the pause, after each other transaction: some one in a hundred is told to come back."""

SHORTER_AT_FIRST = 0.97
"""The same, until one was told to come back: a hundred transactions from the longest pause to the least."""

BACK_S = 0.008
"""A transaction that took so much longer than the quickest was told to come back."""

SLOWER = 1.02
"""The quickest is taken to be so much slower each time, so that it follows a broker that slows down."""


class Lull:
    """Used by one thread at a time: the one that ends transactions; `left_s` by any."""

    def __init__(self) -> None:
        self.seconds = MOST_S
        """How long a transaction should not begin after a commit."""
        self._shorter = SHORTER_AT_FIRST
        self._committed = -MOST_S
        self._quickest_s = math.inf

    def left_s(self, now: float) -> float:
        """How long from now (monotonic seconds) the next transaction should not begin."""
        return max(0.0, self._committed + self.seconds - now)

    def committed(self, began: float, since: float, now: float) -> None:
        """
        A transaction was committed.

        Args:
            began: monotonic seconds when it was opened.
            since: when its end was begun.
            now: when it came.
        """
        took_s = now - since
        soon = began - self._committed < MOST_S
        self._quickest_s = min(took_s, self._quickest_s * SLOWER)
        if soon and took_s > self._quickest_s + BACK_S:
            self.seconds = min(MOST_S, self.seconds + STEP_S)
            self._shorter = SHORTER
        else:
            self.seconds = max(LEAST_S, self.seconds * self._shorter)
        self._committed = now
