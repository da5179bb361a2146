"""A case whose cluster is a fake: what a check sees is what a test puts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from stream.deadline import Deadline
from stream.doctor import Case
from stream.errors import StreamError
from stream.first_opening import FirstOpening
from stream.records import Partition
from stream.rights import Right
from stream.settings import (
    DeadLetterSettings,
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    OutputSettings,
    Settings,
)
from stream.transport import GroupView, Survey, TopicLayout

__all__ = ["FakeSurvey", "case_of", "layout", "settings"]


def layout(partitions: int = 4, replicas: int = 3, in_sync: int | None = None) -> TopicLayout:
    """A topic whose partitions are all alike."""
    inside = replicas if in_sync is None else in_sync
    return TopicLayout((replicas,) * partitions, (inside,) * partitions, (inside > 0,) * partitions)


@dataclass
class FakeSurvey:
    """
    A cluster as a test wants it; the methods are `Survey`'s.

    Attributes:
        layouts: per topic; one that is absent is not there.
        configs: per topic; one that is absent may not be seen.
        rights: what is held; None = the broker does not tell.
        groups: the views of the group, one after the other; the last stays.
        low_high: per partition of the input.
        offsets: of the group.
        since: answers of `first_since`, the first for the oldest time.
        newest: per topic the time of its newest record.
        refusal: raised by `group` and `settings_of`.
        brokers: none before the login.
    """

    layouts: dict[str, TopicLayout] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    rights: dict[Right, bool | None] = field(default_factory=dict)
    groups: list[GroupView] = field(default_factory=list)
    low_high: dict[Partition, tuple[int, int]] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)
    since: list[dict[Partition, int]] = field(default_factory=list)
    newest: dict[str, int | None] = field(default_factory=dict)
    refusal: StreamError | None = None
    brokers: list[str] = field(default_factory=lambda: ["broker-1"])
    seen: int = 0

    def layout(self, topic: str) -> TopicLayout | None:
        """See `Survey`."""
        return self.layouts.get(topic)

    def settings_of(self, topic: str) -> dict[str, str] | None:
        """See `Survey`."""
        if self.refusal is not None:
            raise self.refusal
        return self.configs.get(topic)

    def held(self, right: Right) -> bool | None:
        """See `Survey`."""
        return self.rights.get(right, True)

    def group(self, name: str, deadline: Deadline) -> GroupView:
        """See `Survey`."""
        if self.refusal is not None:
            raise self.refusal
        self.seen += 1
        return self.groups[min(self.seen, len(self.groups)) - 1]

    def ends(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """See `Survey`."""
        return self.low_high

    def committed(self, group: str, topic: str) -> Mapping[Partition, int]:
        """See `Survey`."""
        return self.offsets

    def first_since(self, topic: str, time_ms: int) -> dict[Partition, int]:
        """See `Survey`."""
        return self.since.pop(0)

    def refresh(self) -> None:
        """See `Survey`."""

    def newest_ms(self, topic: str) -> int | None:
        """See `Survey`."""
        return self.newest.get(topic)


def settings(base: Path = Path("/nowhere")) -> Settings:
    """A configuration with short names."""
    return Settings(
        kafka=KafkaSettings("broker-1:9093", "scorer"),
        input=InputSettings("in"),
        output=OutputSettings("out"),
        dead_letters=DeadLetterSettings("dead"),
        delivery=DeliverySettings(instance="scorer-0"),
        base=base,
    )


def case_of(own: Settings, survey: FakeSurvey | None = None, seconds: float = 5.0) -> Case:
    """The case, with a deadline in so many seconds."""
    fake = cast(Survey, survey or FakeSurvey())
    return Case(own, "stream.toml", "host", Deadline.after(seconds), FirstOpening(), survey=fake)
