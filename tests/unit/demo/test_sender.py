"""Sending at a steady rate, and no faster than it comes back; on the embedded broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from stream.deadline import Deadline
from stream.demo.ledger import Ledger
from stream.demo.sender import Sender
from stream.settings import KafkaSettings
from stream.transport import EmbeddedBroker, Sink
from tests.unit.demo.accounts import ledger_of, row

TOPIC = "sender"


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    """An embedded broker with one topic."""
    with closing(EmbeddedBroker()) as broker:
        broker.create([TOPIC])
        yield KafkaSettings(broker.bootstrap_servers)


def unsent(count: int) -> Ledger:
    """Accounts of as many flights, none of them sent."""
    ledger = ledger_of(*[True] * count)
    ledger.sent_at.clear()
    return ledger


def until(condition: Callable[[], bool], what: str) -> None:
    """Block until the condition holds."""
    deadline = Deadline.after(20)
    while not condition():
        assert not deadline.over, f"waited for {what}"
        time.sleep(0.005)


def test_events_are_sent_at_the_rate(kafka: KafkaSettings) -> None:
    """100 events at 200 a second: each has its moment, and half a second lies between first and last."""
    ledger = unsent(100)
    with closing(Sink(kafka)) as sink, Sender(ledger, sink, TOPIC, 200) as sender:
        until(sender.check, "all to be sent")

    moments = list(ledger.sent_at.values())
    assert len(moments) == 100
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] >= 0.45


def test_nothing_more_is_sent_while_too_little_comes_back(kafka: KafkaSettings) -> None:
    """With a largest lag of 10, a handful is sent; when it has come back, the rest follows."""
    ledger = unsent(60)
    with closing(Sink(kafka)) as sink, Sender(ledger, sink, TOPIC, 500, max_lag=10) as sender:
        until(lambda: ledger.sent > 10, "the lag to be reached")
        held = ledger.sent
        quiet = Deadline.after(0.3)
        while not quiet.over:
            assert held <= ledger.sent <= 20
            assert not sender.check()
        while not sender.check():
            for flight_id in list(ledger.sent_at):
                if flight_id not in ledger.sightings:
                    ledger.predicted(row(flight_id, 0.9), time.monotonic())

    assert ledger.sent == 60


def test_leaving_ends_the_sending(kafka: KafkaSettings) -> None:
    """A sender that is left in the middle sends no more, and leaving does not wait for the rest."""
    ledger = unsent(1_000)
    started = time.monotonic()
    with closing(Sink(kafka)) as sink, Sender(ledger, sink, TOPIC, 100):
        until(lambda: ledger.sent > 0, "the first event")

    assert ledger.sent < 1_000
    assert time.monotonic() - started < 8
