"""
How long the broker needs after a commit before it takes the next transaction of the same producer.

A commit is answered once it is decided; the markers that make it visible are written after that. A transaction that
begins meanwhile is told to come back (CONCURRENT_TRANSACTIONS), which the client does by itself after 10 to 20 ms: the
client doesn't say so, it only takes longer; and other things take long too. So pauses are tried in turn, a few
transactions each, and the one is kept with which a transaction's end came soonest, its pause included. They are tried
again when transactions have become slower, and now and then, since a broker gets quicker in its first minutes.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["PAUSES_S", "Lull"]

PAUSES_S = (0.001, 0.002, 0.004, 0.007, 0.012, 0.02)
"""A broker on the same machine, without replicas, needs 1 to 2 ms; the client itself waits for up to 20."""

EACH = 6
"""Times that each is tried; the slowest of them is not counted: something else may have held it up."""

AGAIN = (150, 600, 5_000)
"""Transactions after which they are tried again: for the first time, for the second, and from then on."""

SLOWER_S = 0.008
"""Transactions that take, on the average, so much longer than when the pause was chosen have them tried again."""

QUICKER = 0.75
"""Of what they took then: so do those that take less."""

RECENT = 0.05
"""Weight of the last transaction in that average."""

LATE_S = 0.003
"""A transaction that began so much later than its pause asks for says nothing about it, nor one that was so much
longer open before its end: it may have been told to come back meanwhile."""


class Lull:
    """Used by one thread at a time: the one that ends transactions; `left_s` by any."""

    def __init__(self) -> None:
        self.seconds = PAUSES_S[-1]
        """How long a transaction should not begin after a commit."""
        self._committed = -PAUSES_S[-1]
        self._tried: list[list[float]] = [[] for _ in PAUSES_S]
        """Seconds of the transactions of each pause, the pause included; full = no trial is under way."""
        self._trials = 0
        self._since = 0
        self._chosen_s = self._average_s = 0.0

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
        late_s = began - self._committed - self.seconds
        self._committed = now
        if -0.1 * self.seconds <= late_s <= LATE_S and since - began <= LATE_S:
            self._learn(self.seconds + now - since)

    def _learn(self, seconds: float) -> None:
        self._since += 1
        if all(len(each) == EACH for each in self._tried):
            self._average_s += (seconds - self._average_s) * RECENT
            usual = QUICKER * self._chosen_s < self._average_s < self._chosen_s + SLOWER_S
            if not usual or self._since >= AGAIN[min(self._trials, len(AGAIN)) - 1]:
                self._tried = [[] for _ in PAUSES_S]
                self.seconds = PAUSES_S[-1]
            return
        self._tried[PAUSES_S.index(self.seconds)].append(seconds)
        left = [i for i, each in enumerate(self._tried) if len(each) < EACH]
        if left:
            self.seconds = PAUSES_S[min(left, key=lambda i: (len(self._tried[i]), -i))]
            return
        found = [_usual(each) for each in self._tried]
        self._chosen_s = self._average_s = min(found)
        self.seconds = PAUSES_S[found.index(self._chosen_s)]
        self._trials, self._since = self._trials + 1, 0


def _usual(seconds: Sequence[float]) -> float:
    return sum(sorted(seconds)[:-1]) / (len(seconds) - 1)
