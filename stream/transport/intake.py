"""How much is taken from the client for a batch, so that it keeps to its limits; what is beyond them waits here."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from stream.deadline import Deadline
from stream.settings import BatchingSettings
from stream.transport.client_records import Message, all_errors, partitions_of, without_partitions

__all__ = ["Intake"]

FULL_S = 5.0
"""Between two records that are taken while as much waits as may: the client must be asked now and then."""

_FORGET = 0.875
"""What is thought of the largest record's size shrinks to this with each batch."""


def _bytes(messages: Sequence[Message]) -> int:
    return sum(map(len, messages))


class Intake:
    """The messages of one consumer; used by its owner's thread alone."""

    def __init__(
        self,
        consume: Callable[[int, float], list[Message]],
        begin_again: Callable[[Collection[int]], None],
        batching: BatchingSettings,
    ) -> None:
        """
        Args:
            consume: the client's: at most so many messages, after at most so many seconds; runs rebalances.
            begin_again: reads these partitions again from where they began, as far as they are owned.
            batching: a batch's limits; a single record beyond `max_bytes` still comes, alone.
        """
        self._consume = consume
        self._begin_again = begin_again
        self._most_bytes: int = batching.max_bytes
        self._most_records: int = batching.max_records
        self._waiting: list[Message] = []
        self._gone: set[int] = set()
        self._taken_bytes = 0
        self._largest = 0.0
        self._asked_s = 0.0
        self.drained = True
        """Whether the last batch found less than it could have taken: nothing waits."""

    def batch(self, idle_s: float, most: int, company: Deadline) -> list[Message]:
        """
        What is there. Blocks for idle_s and until `company`, longer only in a rebalance.

        Args:
            idle_s: how long to wait for a first record.
            most: records that it may have, ≥ 1; no more than `max_records`.
            company: until when it may wait for more, once it has one.
        Returns: records, and errors in their place; those of one partition in their order.
        """
        most = min(most, self._most_records)
        taken, self._waiting = self._waiting, []
        self._taken_bytes = _bytes(taken)
        full = True
        if not taken:
            taken, full = self._more(taken, 1, idle_s)
        elif self._room(taken, most) == 0 and self._due:
            taken, full = self._more(taken, 1, 0.0)
        if taken and full:
            taken, full = self._fill(taken, most, None, full=full)
        if taken and not full and company.left_s() > 0 and not all_errors(taken):
            taken, full = self._fill(taken, most, company, full=full)
        taken, self._waiting = self._within(taken, most)
        self.drained = not full and not self._waiting
        return taken

    def _fill(
        self, taken: list[Message], most: int, until: Deadline | None, *, full: bool
    ) -> tuple[list[Message], bool]:
        """Add what is there, or comes until then; as many at a time as fit if each were as large as the largest."""
        while (asked := self._room(taken, most)) > 0:
            taken, full = self._more(taken, asked, until.left_s() if until else 0.0)
            if not full:
                break
        return taken, full

    def _more(self, taken: list[Message], asked: int, wait_s: float) -> tuple[list[Message], bool]:
        """
        What was taken and what comes now, without what is of partitions that go meanwhile.

        A partition may come back in the same call, and whether a record of it is from before or after can't be seen:
        none is taken, and it is read from its new beginning.
        Returns: and whether as much came as was asked for.
        """
        self._gone.clear()
        self._asked_s = time.monotonic()
        found = self._consume(asked, wait_s)
        sizes = list(map(len, found))
        self._largest = max(self._largest, max(sizes, default=0))
        self._taken_bytes += sum(sizes)
        full = len(found) >= asked
        taken += found  # in place: where one record is large, those after it are asked for one by one
        if self._gone:
            taken = without_partitions(taken, self._gone)
            self._taken_bytes = _bytes(taken)
            self._begin_again(self._gone.intersection(partitions_of(found)))
        return taken, full

    def went(self, partitions: Iterable[int]) -> None:
        """Told of partitions that go, inside a call of the client."""
        self._gone.update(partitions)

    def _room(self, taken: Sequence[Message], most: int) -> int:
        """
        How many records may be taken beside these, were each as large as the largest of late.

        One for as long as the limits are not reached: it may be beyond them, but no more than that one waits then, and
        a large record does not make the batches after it small.
        """
        bytes_left = self._most_bytes - self._taken_bytes
        if bytes_left <= 0 or len(taken) >= most:
            return 0
        return min(most - len(taken), max(1, int(bytes_left / max(self._largest, 1.0))))

    @property
    def _due(self) -> bool:
        """
        Whether the client must be asked even if as much waits as a batch may have.

        A member that does not poll is put out of its group; but each time it may give a record, so that what waits
        would never become less.
        """
        return time.monotonic() - self._asked_s >= FULL_S

    def _within(self, taken: list[Message], most: int) -> tuple[list[Message], list[Message]]:
        """A batch within the limits, and what is beyond them."""
        self._largest *= _FORGET
        if len(taken) <= most and self._taken_bytes <= self._most_bytes:
            return taken, []
        room = self._most_bytes
        for i, message in enumerate(taken):
            room -= len(message)
            if (room < 0 and i) or i == most:
                return taken[:i], taken[i:]
        return taken, []

    def serve(self, wait_s: float) -> None:
        """
        Let rebalances happen without taking a batch; what comes all the same waits for the next.

        Blocks for wait_s at most, longer only while a rebalance is under way. When as much waits as a batch may have,
        the client is asked every `FULL_S` only.
        """
        over = Deadline.after(wait_s)
        self._taken_bytes = _bytes(self._waiting)
        if self._room(self._waiting, self._most_records) > 0 or self._due:
            self._waiting, _ = self._more(self._waiting, 1, wait_s)
        time.sleep(over.left_s())

    def waiting_from(self) -> dict[int, int]:
        """Per partition of which records wait here the offset of the first."""
        records = [message for message in reversed(self._waiting) if message.error() is None]
        return {message.partition(): message.offset() for message in records}

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget what waits of these partitions."""
        gone = set(partitions)
        self._waiting = [message for message in self._waiting if message.partition() not in gone]

    def clear(self) -> None:
        """Forget all that waits."""
        self._waiting = []
