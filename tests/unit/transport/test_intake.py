"""How much a batch takes from the client, and what waits for the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, cycle, repeat

import pytest
from confluent_kafka import Message

from stream.deadline import Deadline
from stream.settings import BatchingSettings, Bytes
from stream.transport import intake
from stream.transport.intake import Intake

LIMIT = 1_000

SOON = 5.0


class Client:
    """Has as many records as are asked for, of the sizes that are given, one of them for each that is consumed."""

    def __init__(self, sizes: Iterator[int], behind: int | None = None) -> None:
        self.sizes = sizes
        self.behind = behind
        self.given = 0
        self.asked = 0

    def consume(self, records: int, wait_s: float) -> list[Message]:
        """At most as many as are behind."""
        self.asked += 1
        count = records if self.behind is None else min(records, self.behind - self.given)
        found = [
            Message(topic="in", partition=0, offset=self.given + i, value=bytes(next(self.sizes)))
            for i in range(count)
        ]
        self.given += count
        return found


def intake_of(client: Client, records: int = 100) -> Intake:
    """With batches of 1,000 bytes."""
    return Intake(client.consume, print, BatchingSettings(max_records=records, max_bytes=Bytes(LIMIT)))


def test_large_records_do_not_pile_up_while_a_batch_waits_for_company() -> None:
    """However long it waits, and however many batches there are: no more than one beyond what fits."""
    client = Client(repeat(90))
    one = intake_of(client)
    taken = 0
    for turn in range(50):
        batch = one.batch(SOON, 100, Deadline.after(SOON))
        taken += len(batch)
        assert 11 == len(batch)
        if turn > 10:  # what came before a size was known is used up
            assert client.given - taken <= 1
        assert not one.drained


def test_size_that_was_not_seen_before_is_learned_at_once() -> None:
    """What comes beyond the limit waits, in order, and is taken before any other."""
    client = Client(chain(repeat(1, 300), repeat(90)))
    one = intake_of(client)
    offsets, most = [], 0
    for _ in range(60):
        batch = one.batch(SOON, 100, Deadline.after(SOON))
        assert sum(map(len, batch)) <= LIMIT
        offsets += [message.offset() for message in batch]
        most = max(most, client.given - len(offsets))

    assert list(range(len(offsets))) == offsets
    assert most <= 100
    assert client.given - len(offsets) <= 1


def test_one_large_record_does_not_make_batches_small() -> None:
    """They are full while it is remembered, and after."""
    client = Client(chain([900], repeat(1)))
    one = intake_of(client)

    assert [100] * 20 == [len(one.batch(SOON, 100, Deadline.after(0.0))) for _ in range(20)]
    asked = client.asked
    one.batch(SOON, 100, Deadline.after(0.0))
    assert client.asked - asked <= 10


def test_record_beyond_the_limit_comes_alone() -> None:
    """It can't be left out."""
    one = intake_of(Client(chain([LIMIT * 3] * 3, repeat(1))))

    sizes = [[len(message) for message in one.batch(SOON, 100, Deadline.after(0.0))] for _ in range(3)]

    assert [[LIMIT * 3]] * 3 == sizes


@pytest.mark.parametrize("size", [1, 90, LIMIT * 2])
def test_drained_is_told_of_records_of_any_size(size: int) -> None:
    """When a batch found less than it could have taken."""
    client = Client(repeat(size), behind=1)
    one = intake_of(client)

    batch = one.batch(0.0, 100, Deadline.after(0.0))
    again = one.batch(0.0, 100, Deadline.after(0.0))

    assert (1, 0) == (len(batch), len(again))
    assert one.drained


def test_what_waits_while_nothing_may_be_taken_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is asked on, so that the group keeps this member, and each time it may give a record."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    client = Client(repeat(90))
    one = intake_of(client)
    for _ in range(2_400):  # 240 s
        one.serve(0.1)
        now[0] += 0.1

    assert 11 < client.given <= 11 + 240 / intake.FULL_S
    assert 240 / intake.FULL_S <= client.asked


def test_records_beyond_the_limit_now_and_then_do_not_make_batches_small() -> None:
    """Each comes alone; those between two of them come together."""
    one = intake_of(Client(cycle([LIMIT * 60, *[1] * 99])))

    assert [1, 99] * 20 == [len(one.batch(SOON, 100, Deadline.after(0.0))) for _ in range(40)]


@pytest.mark.parametrize("size", [0, 1, LIMIT * 2])
def test_what_waits_becomes_less_though_each_batch_has_one_record(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However much the client has; and it does not grow from one wait to the next."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    client = Client(repeat(size))
    one = intake_of(client)
    for _ in range(500):
        one.serve(0.0)
    before = client.given
    taken = [len(one.batch(0.0, 1, Deadline.after(0.0))) for _ in range(before)]

    assert [1] * before == taken
    assert before <= 100
    assert client.given - before <= 1
