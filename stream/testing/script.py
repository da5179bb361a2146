"""A source that plays a script: batches, rebalances, errors; it keeps what is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeAlias

from stream.deadline import Deadline
from stream.errors import StreamError
from stream.records import Batch, Partition
from stream.transport import GroupMetadata, Listener

__all__ = ["ScriptedSource", "Step", "batch_of"]

Step: TypeAlias = Batch | StreamError | Callable[[], None]
"""A batch to return, an error to raise, or a function to call."""


def batch_of(
    values: Sequence[bytes | None], *, topic: str = "in", partition: int = 0, first_offset: int = 0
) -> Batch:
    """
    A batch of one partition with consecutive offsets.

    Args:
        values: shape (n,).
        topic: its topic.
        partition: its partition.
        first_offset: offset of the first record.
    Returns: keys are `k<offset>`, timestamps 1,000 + offset, no headers.
    """
    offsets = list(range(first_offset, first_offset + len(values)))
    return Batch(
        topic,
        [partition] * len(values),
        offsets,
        [1_000 + offset for offset in offsets],
        [b"k%d" % offset for offset in offsets],
        list(values),
        [None] * len(values),
    )


class ScriptedSource:
    """
    Behaves as `stream.transport.Source`; state is readable.

    A step of the script is a batch to return, an error to raise, or a function to call (for rebalances, with
    `assign`, `revoke`, `lose`); `then` adds steps. When the script is over, `at_end` is called and polls come back
    empty.

    Attributes:
        offsets: per partition the last committed offset.
        commits: every commit, in order.
        commit_errors: what becomes of the next commits, one each.
        generation: of the group; -1 while this is not a member.
        group_offsets: what `committed` tells; by default what was committed here.
        served: how often rebalances were served without taking records.
        drained: whether a poll found less than it could have taken.
        before_poll: called by each poll.
        asked: how many records each poll asked for at most; a step of the script comes whole unless `splits`.
        splits: whether a poll gives no more records than it was asked for.
        failed: what `not_committed` will tell.
        reached_ends: what `ends` will tell.
        waited: of every commit, whether it was waited for.
        closed: whether `close` was called.
    """

    def __init__(self, script: Sequence[Step], at_end: Callable[[], None]) -> None:
        """
        Args:
            script: the steps, one a poll.
            at_end: called by each poll after the last step.
        """
        self._script: list[Step] = list(script)
        self._at_end = at_end
        self.before_poll: Callable[[], None] = lambda: None
        self.asked: list[int] = []
        self.splits = False
        self.listener: Listener | None = None
        self.owned: list[Partition] = []
        self.offsets: dict[Partition, int] = {}
        self.commits: list[dict[Partition, int]] = []
        self.commit_errors: list[StreamError] = []
        self.failed: dict[Partition, int] = {}
        self.waited: list[bool] = []
        self.reached_ends: dict[Partition, int] = {}
        self.generation = 1
        self.group_offsets: Mapping[Partition, int] | None = None
        self.served = 0
        self.drained = True
        self.joined = False
        self.closed = False

    def then(self, *steps: Step) -> Self:
        """
        Add steps to the end of the script; also while it is played.

        Args:
            steps: see the class.
        Returns: the source itself.
        """
        self._script += steps
        return self

    def subscribe(self) -> None:
        """See `Source.subscribe`; owns partition 0 of topic `in` at once."""
        self.assign([Partition("in", 0)])

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """See `Source.poll`."""
        self.before_poll()
        self.asked.append(most)
        if not self._script:
            self._at_end()
            return Batch("in")
        step = self._script.pop(0)
        if isinstance(step, Batch):
            if self.splits and len(step) > most:
                self._script.insert(0, step.take(range(most, len(step))))
                step = step.take(range(most))
            return step
        if isinstance(step, StreamError):
            raise step
        step()
        return Batch("in")

    def ends(self) -> dict[Partition, int]:
        """See `Source.ends`: what `reached_ends` holds, once."""
        ends, self.reached_ends = self.reached_ends, {}
        return ends

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """See `Source.commit`; without waiting, an error comes with `not_committed`."""
        self.waited.append(wait)
        if self.commit_errors:
            error = self.commit_errors.pop(0)
            if wait:
                raise error
            self.failed.update(offsets)
            return
        self.commits.append(dict(offsets))
        self.offsets.update(offsets)

    def not_committed(self) -> dict[Partition, int]:
        """See `Source.not_committed`."""
        failed, self.failed = self.failed, {}
        return failed

    def group(self) -> GroupMetadata:
        """See `Source.group`."""
        return GroupMetadata(GroupMetadata.MAGIC + self.generation.to_bytes(4, "little", signed=True))

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """See `Source.committed`."""
        known = self.offsets if self.group_offsets is None else self.group_offsets
        return {p: known[p] for p in partitions if p in known}

    def serve(self, wait_s: float) -> None:
        """See `Source.serve`: a step of the script that is a function is done, batches wait."""
        self.served += 1
        if self._script and not isinstance(self._script[0], Batch | StreamError):
            self._script.pop(0)()  # type: ignore[operator]
        elif not self._script:
            self._at_end()

    def unread(self) -> dict[Partition, range]:
        """See `Source.unread`; nothing is behind."""
        return dict.fromkeys(self.owned, range(0))

    def close(self) -> None:
        """See `Source.close`."""
        self.revoke(list(self.owned))
        self.closed = True

    def assign(self, partitions: Sequence[Partition]) -> None:
        """A rebalance gives partitions."""
        self.owned = sorted({*self.owned, *partitions})
        self.joined = True
        if self.listener is not None:
            self.listener.assigned(partitions)

    def revoke(self, partitions: Sequence[Partition]) -> None:
        """A rebalance takes partitions, in good order."""
        if self.listener is not None:
            self.listener.revoked(partitions, lost=False)
        self.owned = [p for p in self.owned if p not in partitions]

    def lose(self, partitions: Sequence[Partition]) -> None:
        """Partitions have gone to others already."""
        if self.listener is not None:
            self.listener.revoked(partitions, lost=True)
        self.owned = [p for p in self.owned if p not in partitions]
