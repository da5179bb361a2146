"""Nothing is lost: kills, signals, workers that come and go, a broker that dies."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import visits
from tests.acceptance.conftest import PARTITIONS, make_setup
from tests.acceptance.feed import Feed
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import Outputs, ends, reading
from tests.kafka.broker import Broker
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

Workers = Callable[..., Worker]
Make = Callable[..., Setup]

SMALL_BATCHES = {"batching": {"max_records": 100}}
"""Slows the worker to some 10,000 events/s, so that a kill finds it at work."""

AT_LEAST_ONCE = {"delivery": {"guarantee": "at-least-once"}}

SPAN_RECORDS = 5_000
"""More than an at-least-once worker can have published and not committed: a span is 0.1 s and the batch that makes
it so."""

STOP_S = 10.0
"""After SIGTERM."""

FOLLOW_S = 90.0


@pytest.fixture
def guarantee(request: pytest.FixtureRequest) -> Any:
    """The settings of a guarantee; the default one unless the test asks for others."""
    return getattr(request, "param", {})


@pytest.fixture
def slow_setup(make: Make, guarantee: Any) -> Setup:
    """A worker with small batches."""
    return make({**SMALL_BATCHES, **guarantee})


@pytest.fixture
def slow_outputs(slow_setup: Setup) -> Iterator[Outputs]:
    """What comes out of it."""
    with reading(slow_setup.bootstrap, slow_setup.output, slow_setup.dead, slow_setup.package) as found:
        yield found


def _assert_whole(
    setup: Setup, outputs: Outputs, count: int, worker: Worker, records: int | None = None
) -> None:
    """
    Every input has an output, and the group's offsets are the topic's end.

    Args:
        count: of different events.
        records: on the input topic; None = as many as events.
    """
    records = count if records is None else records
    outputs.inputs(records, worker, FOLLOW_S).to_end()
    assert (records, []) == (len(outputs.count), outputs.letters)
    assert set(range(count)) == {seen.fields["id"] for seen in outputs.predictions}

    def committed() -> bool:
        found, high = ends(setup.bootstrap, setup.group, setup.input)
        return found == high

    wait_for(committed, FOLLOW_S, "the last offsets to be committed")


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("guarantee", "doubled"),
    [
        pytest.param({}, 0, id="exactly-once"),
        pytest.param(AT_LEAST_ONCE, 4 * SPAN_RECORDS, id="at-least-once"),
    ],
    indirect=["guarantee"],
)
def test_kill_9_loses_nothing(
    slow_setup: Setup, slow_outputs: Outputs, workers: Workers, doubled: int
) -> None:
    """Killed four times at any moment and started again, every event is scored, and by default none twice."""
    count, kills = 100_000, 4
    moments = random.Random(4)
    visits.send(slow_setup.bootstrap, slow_setup.input, map(visits.event, range(count)))

    for life in range(kills):
        worker = workers(slow_setup, f"worker-{life}")
        seen = len(slow_outputs.count) + moments.randrange(1, 9_000)
        slow_outputs.inputs(seen, worker, FOLLOW_S)
        worker.kill()
        assert len(slow_outputs.to_end().count) < count, "it was killed too late: nothing was left to do"
    _assert_whole(slow_setup, slow_outputs, count, workers(slow_setup, "worker-last"))

    sys.stdout.write(f"{slow_outputs.doubled} of {count} events were scored twice\n")
    assert slow_outputs.doubled <= doubled


@pytest.mark.fault
@pytest.mark.fault_core
def test_sigterm_finishes_what_was_read(slow_setup: Setup, slow_outputs: Outputs, workers: Workers) -> None:
    """SIGTERM in the middle: exit 0 within 10 s, all that was read is committed, so nothing is scored twice."""
    count = 80_000
    visits.send(slow_setup.bootstrap, slow_setup.input, map(visits.event, range(count)))
    first = workers(slow_setup, "first")
    slow_outputs.inputs(3_000, first, FOLLOW_S)

    first.terminate()
    asked = time.monotonic()
    code = first.end(2 * STOP_S)
    took = time.monotonic() - asked

    assert 0 == code, first.tail()
    assert took < STOP_S
    before = slow_outputs.to_end()
    committed, _ = ends(slow_setup.bootstrap, slow_setup.group, slow_setup.input)
    assert len(before.count) == sum(max(0, offset) for offset in committed.values()) < count
    _assert_whole(slow_setup, slow_outputs, count, workers(slow_setup, "second"))
    assert 0 == slow_outputs.doubled


def _both(a: Worker, b: Worker) -> set[int]:
    """Partitions that two workers both claim; the first is asked before and after the second, since partitions move."""
    before, other, after = a.partitions(), b.partitions(), a.partitions()
    return set(before) & set(other) & set(after)


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_come_and_go(setup: Setup, outputs: Outputs, workers: Workers) -> None:
    """A second worker joins, the first leaves, the second is killed, a third takes over: nothing is lost."""
    shared: set[int] = set()
    with Feed(setup.bootstrap, setup.input, 2_000) as feed:
        first = workers(setup, "first").ready()
        second = workers(setup, "second")

        def split() -> bool:
            shared.update(_both(first, second))
            outputs.poll(0)
            return len(first.partitions()) == len(second.partitions()) == PARTITIONS // 2

        second.until(split, FOLLOW_S, "the workers to share the partitions")
        first.terminate()

        def alone() -> bool:
            outputs.poll(0)
            return len(second.partitions()) == PARTITIONS

        second.until(alone, FOLLOW_S, "the second to own all partitions")
        assert 0 == first.end(STOP_S), first.tail()
        outputs.inputs(feed.sent, second, FOLLOW_S).to_end()

        outputs.inputs(feed.sent + 500, second, FOLLOW_S)
        second.kill()
        third = workers(setup, "third")
        third.until(
            lambda: len(third.partitions()) == PARTITIONS, FOLLOW_S, "the third to own all partitions"
        )
        count = feed.stop()
    _assert_whole(setup, outputs, count, third)

    assert set() == shared
    assert 0 == outputs.doubled


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_broker_stops_nobody(broker: Broker, tmp_path: Path, package: Path, workers: Workers) -> None:
    """While its broker is down a worker is alive and not ready; when the broker is back, nothing is missing."""
    setup = make_setup(tmp_path, Topics(broker.bootstrap), package)
    with reading(broker.bootstrap, setup.output, setup.dead, package) as outputs:
        with Feed(broker.bootstrap, setup.input, 1_000) as feed:
            worker = workers(setup).ready()
            outputs.inputs(1_000, worker, FOLLOW_S)
            alive: set[int] = set()

            def turned(code: int) -> Callable[[], bool]:
                def asked() -> bool:
                    alive.add(worker.get("/health/live")[0])
                    return worker.get("/health/ready")[0] == code

                return asked

            broker.kill()
            worker.until(turned(503), 60, "readiness to turn red")
            broker.start()
            worker.until(turned(200), 60, "readiness to turn green")
            outputs.inputs(feed.sent, worker, FOLLOW_S)
            count = feed.stop()
        # A batch that the broker wrote and did not acknowledge before it died is sent again: the feed's own doubles
        # are inputs like others.
        records = sum(ends(setup.bootstrap, setup.group, setup.input)[1].values())
        assert count <= records
        _assert_whole(setup, outputs, count, worker, records)

    assert 0 == outputs.doubled
    assert {200} == alive
    worker.terminate()
    assert 0 == worker.end(STOP_S), worker.tail()
