"""What the worker needs from the rooms that it is wired to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from stream.deadline import Deadline
from stream.records import Batch, Outcome, Outgoing, Partition
from stream.transport import GroupMetadata, Refusal

__all__ = ["Measured", "Process", "Reading", "Sending", "Transacting"]


class Reading(Protocol):
    """What the engine needs of `stream.transport.Source`."""

    @property
    def drained(self) -> bool:
        """See `Source.drained`."""

    @property
    def owned(self) -> list[Partition]:
        """See `Source.owned`."""

    def subscribe(self) -> None:
        """See `Source.subscribe`."""

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """See `Source.poll`."""

    def ends(self) -> dict[Partition, int]:
        """See `Source.ends`."""

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """See `Source.commit`."""

    def not_committed(self) -> dict[Partition, int]:
        """See `Source.not_committed`."""

    def group(self) -> GroupMetadata:
        """See `Source.group`."""

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """See `Source.committed`."""

    def serve(self, wait_s: float) -> None:
        """See `Source.serve`."""

    def unread(self) -> dict[Partition, range]:
        """See `Source.unread`."""

    def close(self) -> None:
        """See `Source.close`."""


class Process(Protocol):
    """What is needed of `stream.pipeline.Pipeline`."""

    @property
    def name(self) -> str:
        """`name@version` of its model."""

    def process(self, batch: Batch) -> list[Outcome]:
        """See `Pipeline.process`."""


class Measured(Process, Protocol):
    """What the engine scores with."""

    @property
    def golden_s(self) -> float:
        """How long the model takes for its golden rows, in seconds: a single record takes less."""


class Sending(Protocol):
    """What the publisher and a delivery need of `stream.transport.Sink`."""

    def send(self, records: Outgoing) -> None:
        """See `Sink.send`."""

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """See `Sink.flush`."""


class Transacting(Sending, Protocol):
    """What an exactly-once delivery needs of `stream.transport.TransactionalSink`."""

    timeout_s: float

    def start(self, deadline: Deadline) -> None:
        """See `TransactionalSink.start`."""

    def renew(self) -> None:
        """See `TransactionalSink.renew`."""

    def begin(self) -> None:
        """See `TransactionalSink.begin`."""

    def add_offsets(
        self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline
    ) -> None:
        """See `TransactionalSink.add_offsets`."""

    def commit(self, deadline: Deadline) -> None:
        """See `TransactionalSink.commit`."""

    def abort(self, deadline: Deadline) -> None:
        """See `TransactionalSink.abort`."""
