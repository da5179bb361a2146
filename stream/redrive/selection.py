"""Which letters a replay sends: each once, none that has come back, and none that holds no original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from stream.redrive.header_dialects import StoredLetter
from stream.redrive.replay_marks import Replayed

__all__ = ["LEFT_OUT", "Selection"]

LEFT_OUT = {
    "already": "already replayed",
    "again": "came back from a replay and failed again (--again sends them)",
    "pointer": "hold no original: the share group did not copy it",
}
"""Why a letter is left out."""


class Selection:
    """
    Goes through letters.

    Attributes:
        left_out: how many were left out so far, by a key of `LEFT_OUT`.
    """

    def __init__(self, replayed: Replayed, *, again: bool, limit: int | None) -> None:
        """
        Args:
            replayed: what the marks say.
            again: take those that came back, too.
            limit: letters at most, of those that are not left out.
        """
        self._replayed, self._again, self._limit = replayed, again, limit
        self.left_out: Counter[str] = Counter()

    def of(self, letters: Iterable[StoredLetter]) -> Iterator[StoredLetter]:
        """
        Those to be sent.

        Args:
            letters: in any order.
        """
        left = self._limit
        for stored in letters:
            if why := self._why_not(stored):
                self.left_out[why] += 1
                continue
            yield stored
            left = None if left is None else left - 1
            if left == 0:
                return

    def _why_not(self, stored: StoredLetter) -> str:
        if self._replayed.sent(stored.partition, stored.offset):
            return "already"
        if not stored.copied:
            return "pointer"
        # By where it stands, not by `stream.error.count`: a producer may write that header as it likes.
        if not self._again and self._replayed.came_back(stored):
            return "again"
        return ""
