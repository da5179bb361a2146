"""Chunks of letters in transactions: what is committed, tried again, left out, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from stream.deadline import Deadline
from stream.errors import Aborted, DeliveryFailed, Fenced, OutcomeUnknown, StreamError
from stream.records import Outgoing, Place
from stream.redrive.replay_marks import Mark, Replayed, TopicId
from stream.redrive.resending import Resending, Topics
from stream.testing import batch_of
from stream.transport import BY_KEY, Refusal
from tests.unit.redrive.letters import stored

DEAD, INPUT, MARKS = TopicId("dead", "id-1"), TopicId("in", "id-2"), "dead.replayed"


class Memory:
    """
    A channel that keeps what is committed.

    Attributes:
        committed: topic, key, value and partition of each record.
        faults: raised by the next commits, in order; None = none. `True` beside it: the commit happens all the same.
        refuse: values that are refused.
    """

    timeout_s = 5.0

    def __init__(self) -> None:
        self.committed: list[tuple[str, bytes | None, bytes | None, int]] = []
        self.faults: list[tuple[StreamError, bool]] = []
        self.refuse: set[bytes] = set()
        self.aborts = self.starts = self.commits = 0
        self.stamps: list[int] = []
        self.silent = False
        self._open: list[tuple[str, bytes | None, bytes | None, int]] = []
        self._next = 0

    def start(self, deadline: Deadline) -> None:
        """Take the id."""
        self.starts += 1

    def renew(self) -> None:
        """Forget what is open."""
        self._open = []

    def begin(self) -> None:
        """Open a transaction."""
        assert [] == self._open

    def place(
        self, records: Outgoing, partitions: Sequence[int], written: Callable[[int, Place], None]
    ) -> None:
        """Records get offsets in the order in which they come, aborted ones too, as on Kafka."""
        for number, (key, value, stamp, _) in enumerate(records.rows()):
            self._open.append((records.topic, key, value, partitions[number]))
            self.stamps.append(stamp)
            if value not in self.refuse:
                written(
                    number,
                    Place(records.topic, max(0, partitions[number]), -1 if self.silent else self._next),
                )
                self._next += 1

    def send(self, records: Outgoing) -> None:
        """Records whose place does not count."""
        self._open += [(records.topic, key, value, 0) for key, value, _, _ in records.rows()]

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """What is refused."""
        return [
            Refusal(topic, key, value, (("mine", b"1"),), "timestamp_refused", "INVALID_TIMESTAMP", "too old")
            for topic, key, value, _ in self._open
            if value in self.refuse
        ]

    def commit(self, deadline: Deadline) -> None:
        """Commit, or fail as planned."""
        fault, done = self.faults.pop(0) if self.faults else (None, True)
        if done:
            self.commits += 1
            self.committed += self._open
        if fault is not None:
            raise fault
        self._open = []

    def abort(self, deadline: Deadline) -> None:
        """Nothing of it becomes visible."""
        self.aborts += 1
        self._open = []

    @property
    def marks(self) -> list[bytes | None]:
        """The marks that are committed."""
        return [value for topic, _, value, _ in self.committed if topic == MARKS]

    @property
    def originals(self) -> list[bytes | None]:
        """The originals that are committed."""
        return [value for topic, _, value, _ in self.committed if topic == INPUT.name]


def resending(memory: Memory, ends: Mapping[int, int] | None = None) -> Resending:
    """A replay of letters to an input topic of 4 partitions."""

    def reread() -> Replayed:
        found = Replayed(DEAD, INPUT)
        found.add(batch_of(memory.marks))
        return found

    return Resending(memory, Topics(MARKS, 4, ends or {0: 100}, reread), reread())


LETTERS = [stored(offset, b"%d" % offset) for offset in (3, 4, 6)]
VALUES = [b"3", b"4", b"6"]


def test_originals_and_their_mark_are_one_transaction() -> None:
    """The mark names the letters, their ends, and where the originals are."""
    memory = Memory()
    sender = resending(memory)
    sender.send(LETTERS)

    assert (1, VALUES) == (memory.commits, memory.originals)
    [mark] = memory.marks
    assert Mark(DEAD, {0: [(3, 4), (6, 6)]}, {0: 100}, INPUT, {0: [(0, 2)]}) == Mark.read(mark, "")
    assert (3, {}) == (sender.sent, sender.refused)
    assert [1_700_000_000_003, 1_700_000_000_004, 1_700_000_000_006] == memory.stamps


@pytest.mark.parametrize(
    ("key", "came_from", "partition"),
    [(b"k", 2, BY_KEY), (None, 2, 2), (None, 4, BY_KEY), (None, None, BY_KEY), (b"", 2, BY_KEY)],
)
def test_original_goes_to_the_partition_of_its_key_or_to_its_own(
    key: bytes | None, came_from: int | None, partition: int
) -> None:
    """Without a key to where it was, as long as that partition is there."""
    memory = Memory()
    place = (came_from, 0)
    resending(memory).send([stored(0, b"v", key=key, came_from=place)])  # type: ignore[arg-type]

    assert partition == memory.committed[0][3]


@pytest.mark.parametrize(
    ("fault", "done"),
    [(Aborted(), False), (OutcomeUnknown(), False), (OutcomeUnknown(), True)],
    ids=["aborted", "unknown: it was not committed", "unknown: it was"],
)
def test_each_original_is_committed_once_whatever_becomes_of_a_commit(fault: StreamError, done: bool) -> None:
    """Where nobody knows, the marks tell."""
    memory = Memory()
    memory.faults = [(fault, done)]
    sender = resending(memory)
    sender.send(LETTERS)

    assert (VALUES, 3) == (memory.originals, sender.sent)


def test_another_replay_ends_this_one() -> None:
    """It is not fenced back: the two would go on for ever."""
    memory = Memory()
    memory.faults = [(OutcomeUnknown(fenced=True), False)]

    with pytest.raises(Fenced, match="another replay has taken over"):
        resending(memory).send(LETTERS)
    assert ([], 0) == (memory.originals, memory.starts)


def test_what_the_broker_refuses_is_left_out_and_the_others_are_sent() -> None:
    """Each is named with the broker's words, and no mark names it."""
    memory = Memory()
    memory.refuse = {b"4"}
    sender = resending(memory)
    sender.send(LETTERS)

    assert ([b"3", b"6"], 2) == (memory.originals, sender.sent)
    assert {"0:4": "timestamp_refused: too old"} == sender.refused
    assert not sender.topics.reread().sent(0, 4)


def test_all_that_is_refused_leaves_nothing_to_commit() -> None:
    """No empty transaction, no mark."""
    memory = Memory()
    memory.refuse = set(VALUES)
    sender = resending(memory)
    sender.send(LETTERS)

    assert (0, 3, []) == (sender.sent, len(sender.refused), memory.committed)


def test_brokers_that_are_away_for_too_long_end_the_replay() -> None:
    """Nothing is sent outside a committed transaction."""
    memory = Memory()
    memory.faults = [(Aborted("no broker"), False)] * 9

    with pytest.raises(DeliveryFailed, match="3 letters could not be sent in 5 tries: no broker"):
        resending(memory).send(LETTERS)
    assert [] == memory.committed


def test_record_whose_place_is_not_told_is_not_committed() -> None:
    """Its mark could not name it, and the loop would be open."""
    memory = Memory()
    memory.silent = True

    with pytest.raises(DeliveryFailed, match="did not say where"):
        resending(memory).send(LETTERS)
    assert [] == memory.committed


def test_interrupt_leaves_nothing_half_sent() -> None:
    """Ctrl-C aborts the open transaction."""
    memory = Memory()

    def interrupted(deadline: Deadline) -> None:
        raise KeyboardInterrupt

    memory.commit = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        resending(memory).send(LETTERS)
    assert (1, []) == (memory.aborts, memory.committed)


def test_letters_that_differ_in_their_times_only_are_refused_one_by_one() -> None:
    """A refusal has no time: the one that was written is not left out with the one that was refused."""

    class Late(Memory):
        """Refuses the first of equal records."""

        def place(
            self, records: Outgoing, partitions: Sequence[int], written: Callable[[int, Place], None]
        ) -> None:
            """The first of them is not written."""
            first = 1_700_000_000_003 in (stamp for _, _, stamp, _ in records.rows())
            super().place(
                records, partitions, lambda n, place: None if first and n == 0 else written(n, place)
            )
            self.first = first

        def flush(self, deadline: Deadline) -> list[Refusal]:
            """It is refused for its time."""
            refused, self.first = self.first, False
            return [
                Refusal(INPUT.name, b"key", b"same", (("mine", b"1"),), "timestamp_refused", "E", "late")
            ][: int(refused)]

    memory = Late()
    sender = resending(memory)
    sender.send([stored(offset, b"same") for offset in (3, 4)])

    assert ([b"same"], 1) == (memory.originals, sender.sent)
    assert ["0:3"] == list(sender.refused)


@pytest.mark.parametrize(("done", "sent"), [(True, 6), (False, 3)])
def test_interrupted_commit_is_told_as_perhaps(done: bool, sent: int) -> None:
    """Ctrl-C may come when the broker has committed: what was sent is not known, and no number is made up."""

    class Interrupted(Memory):
        """Ctrl-C within the second commit."""

        def commit(self, deadline: Deadline) -> None:
            """It happens, or not."""
            if self.commits:
                if done:
                    super().commit(deadline)
                raise KeyboardInterrupt
            super().commit(deadline)

    memory = Interrupted()
    sender = resending(memory)
    sender.send(LETTERS)
    assert 0 == sender.perhaps
    with pytest.raises(KeyboardInterrupt):
        sender.send([stored(offset, b"later") for offset in (7, 8, 9)])

    assert (3, 3) == (sender.sent, sender.perhaps)
    assert sent == len(memory.originals)
