"""Would a topic delete what a backfill writes? Predictions and dead letters have the times of their records."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from stream.backfill.plan import Extent
from stream.deadline import Deadline
from stream.errors import SettingsError
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.transport import OffsetRange, Reader

__all__ = ["check_retention", "compacted", "first_records", "keeps_ms"]

READ_S = 20.0
"""For reading the first records; what did not come is not judged."""

DAY_MS = 86_400_000


def keeps_ms(config: Mapping[str, str]) -> int | None:
    """
    How long a topic keeps a record after the record's own time, in milliseconds; None = for ever, or by another clock.

    Args:
        config: the topic's settings.
    """
    by_record = config.get("message.timestamp.type", "CreateTime") == "CreateTime"
    if not by_record or "delete" not in config.get("cleanup.policy", "delete"):
        return None
    kept = int(config.get("retention.ms", "-1"))
    return kept if kept >= 0 else None


def compacted(topics: Mapping[str, Mapping[str, str]]) -> list[str]:
    """
    What should be known of topics that keep the last record of each key; for people.

    Args:
        topics: settings by name, of those that are there.
    """
    return [
        f"{name} is compacted: of each key it keeps what was written last, so what is written for an older record"
        " replaces what is there of a newer one, and records without a key are refused"
        for name, config in topics.items()
        if "compact" in config.get("cleanup.policy", "")
    ]


def first_records(kafka: KafkaSettings, topic: str, extents: Mapping[int, Extent], each: int) -> Batch:
    """
    The first records of a range, so many of each partition at most; fewer where they do not come in time.

    Args:
        kafka: the cluster.
        topic: the input.
        extents: by partition number.
        each: of a partition.
    Raises: Stopped when the broker refuses.
    """
    ranges = [OffsetRange(i, e.start, e.end, each) for i, e in extents.items() if e.offsets]
    batch, deadline = Batch(topic), Deadline.after(READ_S)
    with closing(Reader(kafka, topic, ranges)) as reader:
        while not reader.finished and not deadline.over:
            batch.extend(reader.poll(deadline.left_s(0.2)))
    return batch


def check_retention(topics: Mapping[str, Mapping[str, str]], timestamps_ms: Sequence[int]) -> None:
    """
    Refuse a topic that would delete the range's first outputs as soon as it looks.

    Args:
        topics: settings by name, of those that are there.
        timestamps_ms: of the range's first records; 0 = none.
    Raises: SettingsError.
    """
    oldest = min((stamp for stamp in timestamps_ms if stamp > 0), default=None)
    for name, config in topics.items():
        kept = keeps_ms(config)
        if kept is not None and oldest is not None and oldest < time.time() * 1_000 - kept:
            age = (time.time() * 1_000 - oldest) / DAY_MS
            raise SettingsError(
                f"{name} deletes what is older than {kept / DAY_MS:.3g} days (retention.ms), and the range begins"
                f" with records of {age:.3g} days ago: their predictions have their time, and would be deleted at once",
                hint=f"raise retention.ms of {name}, or let the command make a topic that keeps everything:"
                " without --output, or with a new name there",
            )
