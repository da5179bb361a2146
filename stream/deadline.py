"""One moment by which all steps of a procedure must be over, so that their budgets do not add up."""

from __future__ import annotations

import time
from dataclasses import dataclass

__all__ = ["Deadline"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock; `at` in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left_s(self, at_most: float | None = None) -> float:
        """
        Seconds left, never negative.

        Args:
            at_most: an upper bound, for a step that has one of its own.
        """
        left = max(0.0, self.at - time.monotonic())
        return left if at_most is None else min(left, at_most)

    @property
    def over(self) -> bool:
        """Whether the moment has passed."""
        return time.monotonic() >= self.at
