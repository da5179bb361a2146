"""What the worker needs of the rooms that it is wired to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stream.records import Batch, Outcome, Partition

__all__ = ["Committing", "Process", "Reading"]


class Reading(Protocol):
    """What the engine needs of `stream.transport.Source`."""

    joined: bool

    @property
    def owned(self) -> list[Partition]:
        """See `Source.owned`."""

    def subscribe(self) -> None:
        """See `Source.subscribe`."""

    def poll(self, idle_s: float) -> Batch:
        """See `Source.poll`."""

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """See `Source.commit`."""

    def not_committed(self) -> dict[Partition, int]:
        """See `Source.not_committed`."""

    def lag(self) -> dict[Partition, int]:
        """See `Source.lag`."""

    def close(self) -> None:
        """See `Source.close`."""


class Process(Protocol):
    """What the engine needs of `stream.pipeline.Pipeline`."""

    @property
    def name(self) -> str:
        """`name@version` of its model."""

    def process(self, batch: Batch) -> list[Outcome]:
        """See `Pipeline.process`."""


class Committing(Protocol):
    """What the delivery needs of `stream.transport.Source`."""

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """See `Source.commit`."""

    def not_committed(self) -> dict[Partition, int]:
        """See `Source.not_committed`."""
