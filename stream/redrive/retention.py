"""How long the input topic keeps what a replay sends: Kafka deletes by the records' own times; originals are old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Retention"]

ROOM_MS = 3_600_000
"""For a worker to come to it: an hour; of a topic that keeps records for less than ten hours, a tenth."""


@dataclass(frozen=True, slots=True)
class Retention:
    """
    A topic's retention.

    Attributes:
        seen: whether this user may see it.
        ms: how long a record is kept after its own time; None = that time does not count, or is not known.
    """

    seen: bool
    ms: int | None = None

    @classmethod
    def of(cls, settings: Mapping[str, str] | None) -> Retention:
        """
        From a topic's settings.

        Args:
            settings: by Kafka's names; None = they may not be seen.
        """
        if settings is None:
            return cls(seen=False)
        ms = int(settings.get("retention.ms", "-1"))
        stamped = settings.get("message.timestamp.type") == "LogAppendTime"
        deletes = "delete" in settings.get("cleanup.policy", "delete")
        return cls(seen=True, ms=ms if ms >= 0 and deletes and not stamped else None)

    def oldest_ms(self, now_ms: int) -> int:
        """
        The earliest time that a record may have, to be read before it is deleted.

        Args:
            now_ms: milliseconds since 1970.
        Returns: likewise; 0 = any time.
        """
        return 0 if self.ms is None else max(0, now_ms - self.ms + min(ROOM_MS, self.ms // 10))
