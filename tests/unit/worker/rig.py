"""The engine with its fakes, for either guarantee: a scripted source, and a sink in memory."""

from __future__ import annotations

import time
from typing import Self

from stream.deadletter import Author
from stream.records import Batch, DeadLetter, Outcome, Partition, Skip
from stream.settings import DeadLetterSettings
from stream.telemetry import Metrics
from stream.testing import MemorySink, MemoryTransactions, ScriptedSource
from stream.testing.script import Step
from stream.tracing import BatchSpans
from stream.worker import (
    AtLeastOnce,
    Brake,
    Delivery,
    Engine,
    ExactlyOnce,
    Outlets,
    Progress,
    Publisher,
    Tally,
    Timing,
    Topics,
)
from stream.worker.phases import Phase

P0, P1 = Partition("in", 0), Partition("in", 1)


class Echo:
    """Scores `x…` as a dead letter, `s…` as a skip, everything else as itself."""

    def __init__(self, name: str = "m@1") -> None:
        """Under a model's name."""
        self.name = name
        self.golden_s = 0.0

    def process(self, batch: Batch) -> list[Outcome]:
        """One outcome per record."""
        return [self.outcome(value) for value in batch.values]

    def outcome(self, value: bytes | None) -> Outcome:
        """What becomes of one value."""
        if value is None or not value.startswith((b"x", b"s")):
            return value
        return (
            Skip("asked") if value.startswith(b"s") else DeadLetter("decode", "bad", "Bad", "begins with x")
        )


class Rig:
    """An engine that plays a script to its end; `clock_s` is what a test adds to the clock."""

    engine: Engine
    source: ScriptedSource

    def __init__(self, sink: MemorySink | MemoryTransactions, spans: BatchSpans | None = None) -> None:
        self.metrics = Metrics()
        self.clock_s = 0.0
        self.outlets = Outlets(
            Publisher(sink, Topics("out", "dead"), Author("group", 0)),
            Tally(self.metrics),
            self.metrics,
            Progress(self.clock),
            self.clock,
            spans,
        )

    def clock(self) -> float:
        """Monotonic seconds, moved on by the test."""
        return time.monotonic() + self.clock_s

    def build(self, delivery: Delivery, timing: Timing, stop_above: float, script: tuple[Step, ...]) -> None:
        """Make the engine of its parts, and the source that plays to it."""
        progress = self.outlets.progress
        brake = Brake(DeadLetterSettings(stop_above=stop_above))
        self.engine = Engine(Echo(), delivery, brake, self.metrics, progress, timing, self.clock)
        self.source = ScriptedSource(script, self.at_end)
        self.source.listener = self.engine
        self.source.before_poll = lambda: let_end(delivery)

    def at_end(self) -> None:
        """The script is over."""
        self.engine.stop()

    def run(self) -> Self:
        """Run until the script is over and nothing is in hand."""
        self.engine.run(self.source)
        return self


class AtLeastOnceRig(Rig):
    """With offsets that are committed by the source."""

    def __init__(
        self, *script: Step, stop_above: float = 1.0, span_s: float = 0.0, spans: BatchSpans | None = None
    ) -> None:
        self.sink = MemorySink()
        super().__init__(self.sink, spans)
        timing = Timing(span_s=span_s)
        self.build(AtLeastOnce(self.outlets, self.sink, timing), timing, stop_above, script)

    def values(self, topic: str) -> list[bytes | None]:
        """Values acknowledged on a topic, in order."""
        return [sent.value for sent in self.sink.on(topic)]


class ExactlyOnceRig(Rig):
    """With transactions; what is in hand is tried again until it is committed, or never will be."""

    def __init__(
        self, *script: Step, span_s: float = 0.0, hold_s: float = 60.0, spans: BatchSpans | None = None
    ) -> None:
        self.sink = MemoryTransactions()
        super().__init__(self.sink, spans)
        timing = Timing(span_s=span_s, hold_s=hold_s, idle_s=0.001)
        self.delivery = ExactlyOnce(self.outlets, self.sink, timing)
        self.build(self.delivery, timing, 1.0, script)
        # Something always waits, so that a transaction ends for its age alone.
        self.source.drained = not span_s
        self._rounds_left = 500

    def at_end(self) -> None:
        """The script is over; the worker stops once nothing is in hand, or after 500 rounds."""
        self._rounds_left -= 1
        if self.delivery.phases.now is Phase.READY or self._rounds_left < 0:
            self.engine.stop()

    def values(self, topic: str = "out") -> list[bytes | None]:
        """Values committed on a topic, in order."""
        return [sent.value for sent in self.sink.on(topic)]


def let_end(delivery: Delivery) -> None:
    """Give a span in the background time to end: a script's polls take none of their own."""
    until = time.monotonic() + 0.2
    while delivery.settling and time.monotonic() < until:
        time.sleep(0.001)
