"""Stops a worker when nearly all of its records fail: that is a bad deploy, not bad data."""

from __future__ import annotations

from collections import deque

from stream.errors import TooManyDeadLetters
from stream.records import DeadLetter
from stream.settings import DeadLetterSettings

__all__ = ["WINDOW", "Brake"]

WINDOW = 1_000
"""The share is taken over the last so many records or more: the whole batches that make up this many."""


class Brake:
    """Counts the dead letters among the last records."""

    def __init__(self, letters: DeadLetterSettings) -> None:
        """
        Args:
            letters: the share of the window above which it stops, and whether a text may be told that quotes a payload.
        """
        self._limit = letters.stop_above
        self._redact = letters.redact
        self._batches: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

    def check(self, records: int, dead: int, example: DeadLetter | None) -> None:
        """
        Take a batch into account, before anything of it is published.

        Args:
            records: of the batch.
            dead: how many of them are dead letters.
            example: one of them, for the error.
        Raises: TooManyDeadLetters when the share is above the limit; the batch must not be published, so
            that its records are scored once the cause is corrected.
        """
        self._batches.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._batches[0][0] >= WINDOW:
            gone = self._batches.popleft()
            self._records -= gone[0]
            self._dead -= gone[1]
        if self._records >= WINDOW and self._dead > self._limit * self._records:
            raise TooManyDeadLetters(
                f"{self._dead} of the last {self._records} records are dead letters, more than"
                f" [dead_letters] stop_above = {self._limit:g} allows; the last of them: {self._told(example)}",
                hint="correct the producer or the model; the last batch's records are not lost. A start with the model"
                " corrected scores them. Those that a wrong producer sent stop each start anew, until one with"
                " STREAM_DEAD_LETTERS__STOP_ABOVE=1 lets them go to the dead-letter topic",
            )

    def _told(self, example: DeadLetter | None) -> str:
        if example is None:
            return "of an earlier batch"
        return f"{example.reason}: {'redacted' if self._redact else example.message}"
