"""A cluster in memory that fails at random: topics, a group, one transactional id, and other members at times."""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stream.deadline import Deadline
from stream.errors import Aborted, MovedOn, OutcomeUnknown, Retriable
from stream.records import Batch, Outgoing, Partition
from stream.transport import GroupMetadata, Listener, Refusal

__all__ = ["Killed", "World", "WorldSink", "WorldSource", "fate"]

PAUSE_S = 0.002
"""At most, where a broker takes its time."""

TOO_MANY = 3_000
"""Rounds in which anything must have come to its end."""


class Killed(BaseException):
    """kill -9."""


def fate(value: bytes | None) -> int:
    """A number that a value always has: what becomes of it depends on that."""
    return zlib.crc32(value or b"")


@dataclass(slots=True)
class World:
    """
    Attributes:
        chance: decides everything.
        partitions: of the input.
        count: records of each.
        trouble: how likely a call is to fail.
        unrest: how likely a rebalance is at a poll.
        offsets: of the group.
        outputs: topic and value of each that is committed, in order.
        pending: whether offsets belong to an open transaction: for which partitions.
        generation: of the group.
    """

    chance: random.Random
    partitions: list[Partition]
    count: int
    trouble: float
    unrest: float
    offsets: dict[Partition, int] = field(default_factory=dict)
    outputs: list[tuple[str, bytes | None]] = field(default_factory=list)
    pending: set[Partition] = field(default_factory=set)
    generation: int = 1
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def done(self) -> bool:
        """Whether the group has everything."""
        return all(self.offsets.get(each, 0) >= self.count for each in self.partitions)

    def strikes(self) -> bool:
        """Whether this call fails."""
        return self.chance.random() < self.trouble

    def linger(self) -> None:
        """Take some time, or none."""
        if self.chance.random() < 0.3:
            time.sleep(self.chance.random() * PAUSE_S)

    def others_work(self, partitions: Sequence[Partition]) -> None:
        """Another member has these for a while, unless it would wait for the open transaction."""
        with self.lock:
            if self.pending & set(partitions):
                return
            for each in partitions:
                start = self.offsets.get(each, 0)
                stop = min(self.count, start + self.chance.choice((0, 0, 3, 10)))
                self.outputs += [("out", b"%d:%d" % (each.index, n)) for n in range(start, stop)]
                self.offsets[each] = stop


class WorldSink:
    """`Transacting`: each call may fail as Kafka's client does, a commit also after it has counted."""

    timeout_s = 5.0

    def __init__(self, world: World, source: WorldSource) -> None:
        self._world = world
        self._source = source
        self._open: list[tuple[str, bytes | None, bytes | None]] | None = None
        self._staged: dict[Partition, int] = {}
        self._singly = False

    def start(self, deadline: Deadline) -> None:
        """Ends the open transaction of the producer before."""
        if self._world.strikes():
            raise self._world.chance.choice((Retriable("start"), OutcomeUnknown("start")))
        with self._world.lock:
            self._world.pending = set()

    def renew(self) -> None:
        """The producer is discarded; what it had open stays so until `start`."""
        self._open = None

    def begin(self) -> None:
        """See `Transacting.begin`."""
        assert self._open is None, "a transaction is open already"
        self._fail_or_not("begin", Aborted, OutcomeUnknown)
        self._open, self._staged = [], {}

    def _fail_or_not(self, doing: str, *kinds: type[Aborted | MovedOn | OutcomeUnknown]) -> None:
        if self._world.strikes():
            raise self._world.chance.choice(kinds)(doing)

    def send(self, records: Outgoing) -> None:
        """See `Transacting.send`."""
        assert self._open is not None, "no transaction is open"
        self._fail_or_not("send", Aborted, OutcomeUnknown)
        self._open += [(records.topic, key, value) for key, value, _, _ in records.rows()]

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """Some predictions are always refused; whether a neighbour may be meant is open until they are sent singly."""
        assert self._open is not None, "no transaction is open"
        self._world.linger()
        self._fail_or_not("flush", Aborted, OutcomeUnknown)
        refused = [
            Refusal(topic, key, value, (), "record_refused", "FAKE", "refused", doubtful=not self._singly)
            for topic, key, value in self._open
            if topic == "out" and fate(value) % 53 == 0
        ]
        self._singly = self._singly or bool(refused)
        return refused

    def add_offsets(
        self, next_offsets: Mapping[Partition, int], group: GroupMetadata, deadline: Deadline
    ) -> None:
        """The group takes them of its members of today only, and never goes back."""
        self._world.linger()
        self._fail_or_not("offsets", Aborted, OutcomeUnknown, MovedOn)
        with self._world.lock:
            if group.generation != self._world.generation:
                raise MovedOn("the group has another generation")
            for partition, offset in next_offsets.items():
                assert partition in self._source.positions, f"{partition} is not owned"
                assert offset >= self._world.offsets.get(partition, 0), f"{partition} goes back to {offset}"
            self._staged = dict(next_offsets)
            self._world.pending = set(next_offsets)

    def commit(self, deadline: Deadline) -> None:
        """See `Transacting.commit`."""
        self._world.linger()
        counts = True
        try:
            self._fail_or_not("commit", Aborted, MovedOn, OutcomeUnknown, OutcomeUnknown)
        except OutcomeUnknown:
            counts = self._world.chance.random() < 0.5
            raise
        except (Aborted, MovedOn):
            counts = False
            raise
        finally:
            if counts:
                self._count()
        self._singly = False

    def _count(self) -> None:
        assert self._open is not None, "no transaction is open"
        with self._world.lock:
            self._world.outputs += [(topic, value) for topic, _, value in self._open]
            self._world.offsets |= self._staged
            self._world.pending = set()
        self._open = None

    def abort(self, deadline: Deadline) -> None:
        """See `Transacting.abort`."""
        self._fail_or_not("abort", OutcomeUnknown)
        with self._world.lock:
            self._world.pending = set()
        self._open = None


class WorldSource:
    """`Reading`: batches of any size and mixture; rebalances inside polls; a marker stands behind each last record."""

    def __init__(self, world: World, listener: Callable[[], Listener], rounds: Callable[[int], None]) -> None:
        """
        Args:
            world: where it reads.
            listener: told of rebalances.
            rounds: told of each poll, with its number.
        """
        self._world = world
        self._listener = listener
        self._rounds = rounds
        self._number = 0
        self._ends: dict[Partition, int] = {}
        self.positions: dict[Partition, int] = {}
        self.drained = True

    @property
    def owned(self) -> list[Partition]:
        """See `Reading.owned`."""
        return sorted(self.positions)

    def subscribe(self) -> None:
        """All are its own at once."""
        self._take_over(self._world.partitions)

    def _take_over(self, partitions: Sequence[Partition]) -> None:
        with self._world.lock:
            self._world.pending -= set(partitions)  # the broker's time-out, which a new owner waits for
            self._world.generation += 1
            self.positions |= {each: self._world.offsets.get(each, 0) for each in partitions}
        self._listener().assigned(partitions)

    def _round(self) -> None:
        self._number += 1
        assert self._number < TOO_MANY, f"it comes to no end: {self._world.offsets}"
        chance = self._world.chance
        if self.positions and chance.random() < self._world.unrest:
            some = chance.sample(self.owned, chance.randint(1, len(self.positions)))
            lost = chance.random() < 0.3
            self._world.generation += lost or chance.random() < 0.5
            self._listener().revoked(some, lost=lost)
            for each in some:
                del self.positions[each]
            self._world.others_work(some)
            self._take_over(some)
        self._rounds(self._number)

    def poll(self, idle_s: float, most: int, company: Deadline) -> Batch:
        """See `Reading.poll`."""
        self._round()
        chance = self._world.chance
        wanted = min(most, chance.choice((1, 2, 5, 30)))
        taken: list[tuple[int, int]] = []
        for each in self.owned:
            while len(taken) < wanted and self.positions[each] < self._world.count and chance.random() < 0.9:
                taken.append((each.index, self.positions[each]))
                self.positions[each] += 1
            if self.positions[each] == self._world.count:
                self._ends[each] = self._world.count + 1
        self.drained = len(taken) < most and chance.random() < 0.8
        self._world.linger()
        n = len(taken)
        values: list[bytes | None] = [b"%d:%d" % place for place in taken]
        indexes, offsets = [index for index, _ in taken], [offset for _, offset in taken]
        return Batch("in", indexes, offsets, [5] * n, [b"k"] * n, values, [None] * n)

    def serve(self, wait_s: float) -> None:
        """See `Reading.serve`."""
        self._round()

    def ends(self) -> dict[Partition, int]:
        """See `Reading.ends`."""
        ends, self._ends = self._ends, {}
        return {each: end for each, end in ends.items() if each in self.positions}

    def group(self) -> GroupMetadata:
        """See `Reading.group`."""
        return GroupMetadata(GroupMetadata.MAGIC + self._world.generation.to_bytes(4, "little", signed=True))

    def committed(self, partitions: Sequence[Partition], deadline: Deadline) -> dict[Partition, int]:
        """See `Reading.committed`."""
        if self._world.strikes():
            raise self._world.chance.choice((Retriable("asked"), MovedOn("asked")))
        return {each: self._world.offsets[each] for each in partitions if each in self._world.offsets}

    def commit(self, offsets: Mapping[Partition, int], *, wait: bool) -> None:
        """Offsets are committed in transactions."""
        raise AssertionError(offsets)

    def not_committed(self) -> dict[Partition, int]:
        """See `Reading.not_committed`."""
        return {}

    def unread(self) -> dict[Partition, range]:
        """Nobody looks."""
        return {}

    def close(self) -> None:
        """Leaves the group."""
        self._listener().revoked(self.owned, lost=False)
        self.positions = {}
