"""Workers that are killed, stopped and fail at random, one after the other: each input has one output, in order."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter

import pytest

from stream.deadletter import Author
from stream.errors import Stopped
from stream.records import Batch, DeadLetter, Outcome, Partition, Skip
from stream.settings import DeadLetterSettings
from stream.telemetry import Metrics
from stream.worker import Brake, Engine, ExactlyOnce, Outlets, Progress, Publisher, Tally, Timing, Topics
from tests.unit.worker.random_world import Killed, World, WorldSink, WorldSource, fate

TROUBLED = 8
"""Lives; those after them have no faults, so that all comes to its end."""

CALM_AFTER = 400
"""Rounds of a life."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short, and any number of producers may be made."""
    monkeypatch.setattr("stream.worker.producer_life.AT_MOST", 10**6)
    for module in ("producer_life", "exactly_once"):
        monkeypatch.setattr(f"stream.worker.{module}.AGAIN_S", 0.0005)


class Fates:
    """A model of which some records are dead letters, and some skipped."""

    name, golden_s = "m@1", 0.0

    def process(self, batch: Batch) -> list[Outcome]:
        """The same for the same value."""
        return [_outcome(value) for value in batch.values]


def _is_skip(value: bytes | None) -> bool:
    return fate(value) % 31 == 0


def _outcome(value: bytes | None) -> Outcome:
    if _is_skip(value):
        return Skip("asked")
    return DeadLetter("decode", "bad", "Bad", "bad") if fate(value) % 17 == 0 else value


class Life:
    """One worker, from its start to its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        chance = world.chance
        self._killed_at, self._stopped_at = (chance.choice((0, 0, chance.randint(1, 200))) for _ in range(2))
        source = WorldSource(world, lambda: self.engine, self._round)
        sink = WorldSink(world, source)
        metrics, clock = Metrics(), time.monotonic
        progress = Progress(clock)
        publisher = Publisher(sink, Topics("out", "dead"), Author("group", 0))
        outlets = Outlets(publisher, Tally(metrics), metrics, progress, clock, None)
        timing = Timing(idle_s=0.0005, quiet_s=0.0005, span_s=chance.choice((0.0, 0.002, 0.01)))
        self._source = source
        self.delivery = ExactlyOnce(outlets, sink, timing)
        brake = Brake(DeadLetterSettings(stop_above=1.0))
        self.engine = Engine(Fates(), self.delivery, brake, metrics, progress, timing, clock)

    def _round(self, number: int) -> None:
        if number == self._killed_at:
            raise Killed
        if number > CALM_AFTER:
            self._world.trouble = self._world.unrest = 0.0
        if number == self._stopped_at or self._world.done:
            self.engine.stop()

    def lead(self) -> None:
        """Work until it is killed, stopped or can't go on."""
        with contextlib.suppress(Killed, Stopped):
            self.engine.run(self._source)
        while self.delivery.settling:  # its thread dies with it
            time.sleep(0.0005)
        self._world.pending = set()


@pytest.mark.parametrize(
    "seed", [*range(16), *(pytest.param(n, marks=pytest.mark.slow) for n in range(16, 80))]
)
def test_each_input_has_one_output_in_order(seed: int) -> None:
    """Whatever call fails, whoever takes partitions for a while, and whenever a worker ends."""
    chance = random.Random(seed)
    partitions = [Partition("in", index) for index in range(chance.choice((1, 2, 4)))]
    trouble, unrest = chance.choice((0.0, 0.02, 0.1, 0.3)), chance.choice((0.0, 0.02, 0.1))
    world = World(chance, partitions, chance.choice((5, 40, 150)), trouble, unrest)
    lives = 0
    while not world.done:
        world.trouble, world.unrest = (trouble, unrest) if lives < TROUBLED else (0.0, 0.0)
        Life(world).lead()
        lives += 1

    sent = [b"%d:%d" % (each.index, number) for each in partitions for number in range(world.count)]
    found = Counter(value for _, value in world.outputs)
    assert {} == {value: count for value, count in found.items() if count > 1}
    assert {value for value in sent if not _is_skip(value)} <= found.keys()
    for each in partitions:
        places = [value.split(b":") for topic, value in world.outputs if topic == "out" and value]
        offsets = [int(offset) for index, offset in places if int(index) == each.index]
        assert sorted(offsets) == offsets
