"""The topics that a configuration needs, and what the cluster has of them."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["TopicState", "WantedTopic"]


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """
    A topic that a configuration needs.

    Attributes:
        name: its name.
        role: `input`, `output` or `dead letters`.
        partitions: how many, when it is created.
        replication: replicas, when it is created; None = the broker's default.
        config: topic settings, when it is created.
    """

    name: str
    role: str
    partitions: int
    replication: int | None = None
    config: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the cluster has it; partitions None = it is not there."""

    name: str
    role: str
    partitions: int | None
    created: bool = False
