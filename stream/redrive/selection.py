"""Which letters a replay sends: each once, the group's own, none that has come back or would be deleted at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stream.redrive.header_dialects import OURS, StoredLetter
from stream.redrive.letter_counts import clipped
from stream.redrive.replay_marks import Replayed

__all__ = ["LEFT_OUT", "Home", "Selection"]

LEFT_OUT = {
    "already": "already replayed",
    "again": "came back from a replay and failed again (--again sends them)",
    "pointer": "hold no original: the share group did not copy it",
    "topic": "their records were on another topic (--topic T sends those of T)",
    "group": "another group's, which may have replayed them itself (--group G sends those of G)",
    "expired": "as old as what the input topic deletes, or nearly: no worker might read them (raise its retention.ms)",
}
"""Why a letter is left out."""


@dataclass(frozen=True, slots=True)
class Home:
    """
    Where letters must come from to be sent. A dead-letter topic may be shared, and its headers name strangers.

    Attributes:
        topic: of the original; None = any.
        group: that wrote the letter, where a worker of ours did; None = any.
        oldest_ms: the earliest time of an original, in milliseconds since 1970.
    """

    topic: str | None = None
    group: str | None = None
    oldest_ms: int = 0


class Selection:
    """
    Goes through letters.

    Attributes:
        left_out: how many were left out so far, by a key of `LEFT_OUT`.
        strangers: of those of other topics and groups, how many by name.
    """

    def __init__(self, replayed: Replayed, home: Home, *, again: bool, limit: int | None) -> None:
        """
        Args:
            replayed: what the marks say.
            home: where letters must come from.
            again: take those that came back, too.
            limit: letters at most, of those that are not left out.
        """
        self._replayed, self._home, self._again, self._limit = replayed, home, again, limit
        self.left_out: Counter[str] = Counter()
        self.strangers: dict[str, Counter[str]] = {"topic": Counter(), "group": Counter()}

    def of(self, letters: Iterable[StoredLetter]) -> Iterator[StoredLetter]:
        """
        Those to be sent.

        Args:
            letters: in any order.
        """
        left = self._limit
        for stored in letters:
            if why := self._why_not(stored):
                self._leave(stored, why)
                continue
            yield stored
            left = None if left is None else left - 1
            if left == 0:
                return

    def _leave(self, stored: StoredLetter, why: str) -> None:
        self.left_out[why] += 1
        if why in self.strangers:
            name = stored.letter.topic if why == "topic" else stored.letter.connector
            self.strangers[why][clipped(name or "unknown")] += 1

    def _why_not(self, stored: StoredLetter) -> str:
        letter, home = stored.letter, self._home
        if self._replayed.sent(stored.partition, stored.offset):
            return "already"
        if not stored.copied:
            return "pointer"
        if home.topic is not None and letter.topic not in (None, home.topic):
            return "topic"
        # Kafka Connect names a connector there, and others a group that never was ours.
        if home.group is not None and stored.writer == OURS and letter.connector not in (None, home.group):
            return "group"
        # By where it stands, not by `stream.error.count`: a producer may write that header as it likes.
        if not self._again and self._replayed.came_back(stored):
            return "again"
        return "expired" if 0 < letter.timestamp_ms < home.oldest_ms else ""
