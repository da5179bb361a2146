"""The bounded source: which records pass, when a partition is read, how fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from stream.backfill.plan import Extent
from stream.backfill.range_source import Pacer, RangeSource
from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Batch, Partition
from stream.transport import Listener


class Client:
    """What `stream.transport.Source` would say, poll by poll."""

    def __init__(self, listener: Listener, found: Mapping[int, int]) -> None:
        self.listener, self.found = listener, dict(found)
        self.owned: list[Partition] = []
        self.drained = False
        self.paused: list[int] = []
        self.served: list[float] = []
        self.next: list[tuple[int, int]] = []
        self.reached: dict[Partition, int] = {}

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """The records that were put there; the partitions come with the first."""
        if not self.owned:
            self.owned = [Partition("in", index) for index in (0, 1, 2)]
            self.listener.assigned(self.owned)
        places, self.next = self.next, []
        count = len(places)
        return Batch(
            "in", [p for p, _ in places], [o for _, o in places],
            [0] * count, [None] * count, [None] * count, [None] * count,
        )  # fmt: skip

    def ends(self) -> dict[Partition, int]:
        """Ends of partitions that were put there."""
        ends, self.reached = self.reached, {}
        return ends

    def pause(self, indexes: Iterable[int]) -> None:
        """Noted."""
        self.paused += sorted(indexes)

    def serve(self, wait_s: float) -> None:
        """Noted."""
        self.served.append(wait_s)


class Silent:
    """A listener that does nothing."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Nothing."""

    def revoked(self, partitions: Sequence[Partition], *, lost: bool) -> None:
        """Nothing."""


class Rig:
    """A source of offsets 10 to 20 of partition 0 and 5 to 6 of partition 1; partition 2 is not in the range."""

    def __init__(self, found: Mapping[int, int] | None = None, pacer: Pacer | None = None) -> None:
        def connect(listener: Listener) -> Any:
            self.client = Client(listener, {0: 10, 1: 5, 2: 0} if found is None else found)
            return self.client

        extents = {0: Extent(10, 20), 1: Extent(5, 6), 2: Extent(0, 0)}
        self.source = RangeSource(connect, Silent(), "in", extents, pacer or Pacer(None, lambda: 0.0))

    def poll(self, *places: tuple[int, int], **ends: int) -> list[tuple[int, int]]:
        """The records that pass of these; `p0=12`: partition 0 was read to there."""
        self.client.next = [*places]
        self.client.reached = {Partition("in", int(name[1:])): end for name, end in ends.items()}
        batch = self.source.poll(0.1, 500, Deadline.after(0.0))
        return [*zip(batch.partitions, batch.offsets, strict=True)]

    @property
    def ends(self) -> dict[int, int]:
        """What is to be committed beyond the records."""
        return {partition.index: end for partition, end in self.source.ends().items()}


def test_only_records_of_the_range_pass() -> None:
    """One at its end or behind it means that the partition is read: it is paused, and its end committed."""
    rig = Rig()

    assert [(0, 10), (1, 5), (0, 19)] == rig.poll((0, 10), (1, 5), (2, 7), (0, 19), (0, 20), (0, 21))
    assert {0: 20, 1: 6} == rig.ends
    assert [0, 1, 2] == sorted(rig.client.paused)
    assert {Partition("in", 0): range(20, 20), Partition("in", 1): range(6, 6)} == rig.source.unread()


@pytest.mark.parametrize(("reached", "end", "paused"), [(15, 15, [2]), (20, 20, [2, 0]), (400, 20, [2, 0])])
def test_end_of_the_partition_ends_the_range(reached: int, end: int, paused: list[int]) -> None:
    """Markers and removed records at the range's end: nothing comes, and still it ends."""
    rig = Rig()
    rig.poll((0, 12))
    rig.ends  # noqa: B018 - takes them

    assert [] == rig.poll(p0=reached)
    assert {0: end} == rig.ends
    assert sorted(paused) == sorted(rig.client.paused)


def test_partition_that_is_done_already_is_not_read() -> None:
    """By another process, or before a stop: the group's offset tells."""
    rig = Rig({0: 20, 1: 6, 2: 0})

    assert [] == rig.poll((0, 20), (1, 6))
    assert ([0, 1, 2], {}) == (rig.client.paused, rig.ends)


def test_group_without_offset_stops() -> None:
    """It had one when the backfill began: it has expired, and nothing is scored by guess."""
    with pytest.raises(Stopped, match=r"in\[1\]: the group's offset is gone"):
        Rig({0: 10, 2: 0}).poll()


def test_partition_that_comes_back_is_looked_at_anew() -> None:
    """What was not committed when it went is read again, by whoever has it then."""
    rig = Rig()
    rig.poll((1, 5))
    partition = Partition("in", 1)
    rig.source.revoked([partition], lost=True)
    assert {} == rig.ends
    rig.source.assigned([partition])

    assert [(1, 5)] == rig.poll((1, 5))
    assert {1: 6} == rig.ends
    assert [2, 1, 1] == rig.client.paused


def test_partition_that_was_added_later_is_not_read() -> None:
    """It is not of the range, whatever the group says of it."""
    rig = Rig()
    rig.poll()
    rig.client.owned.append(Partition("in", 3))
    rig.source.assigned([Partition("in", 3)])

    assert [] == rig.poll((3, 0), (3, 1))
    assert [2, 3] == rig.client.paused


def test_rate_is_kept_without_making_up_for_a_pause() -> None:
    """The group is served while it waits; what a slow model did not use is not used later."""
    now = [0.0]
    rig = Rig(pacer=Pacer(2.0, lambda: now[0]))

    assert [(0, 10), (0, 11), (0, 12)] == rig.poll((0, 10), (0, 11), (0, 12))
    assert [] == rig.poll((0, 13))
    now[0] = 1.45
    assert [] == rig.poll((0, 13))
    assert pytest.approx([0.1, 0.05]) == rig.client.served
    now[0] = 100.0
    assert [(0, 13)] == rig.poll((0, 13))
    assert [] == rig.poll((0, 14))
