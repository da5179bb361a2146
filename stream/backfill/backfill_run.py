"""
One process of a backfill, from its plan to the end of the range.

The engine runs in a thread of its own; this one watches the group's offsets, which tell what all processes have
committed. When they have come to the end of every partition's range, each process ends, and notes it on the topic of
plans.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from stream.app import REPORT_S
from stream.backfill.backfill_parts import Parts, assembled
from stream.backfill.plan import Plan
from stream.backfill.plan_topic import PlanTopic
from stream.backfill.process_slot import claimed, forget_slots
from stream.settings import Settings
from stream.store import Package
from stream.transport import Reader

__all__ = ["Backfill"]

LOOK_S = 0.5
"""Between two looks at the group's offsets."""

ANSWER_S = 2.0
"""For one answer to such a look; without one, the next look tells."""


@dataclass(slots=True)
class Backfill:
    """
    One process's share of a backfill.

    Attributes:
        plan: the range.
        settings: the configuration that its processes work by.
        package: what answers.
        book: where it is noted that the backfill is finished.
        rate: records a second, of this process; None = no limit.
        predictions: that this process committed.
        dead_letters: that it committed.
        skips: records that it passed over, as `[input] null_value` asks.
    """

    plan: Plan
    settings: Settings
    package: Package
    book: PlanTopic
    rate: float | None
    predictions: int = 0
    dead_letters: int = 0
    skips: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask the run to finish what it has in hand, and leave. May be called from a signal's handler."""
        self._stop.set()

    def run(self, progress: Callable[[int], object]) -> bool:
        """
        Score until the range is done, by this process and others.

        Args:
            progress: called with the number of offsets that are done.
        Returns: True when it is done; False when `stop` was called before.
        Raises: Stopped when it can't go on; what was committed stays, and the command can be run again.
        """
        host = socket.gethostname()
        with claimed(self.settings, host) as own:
            parts = assembled(own, host, self.package, self.plan, self.rate)
            try:
                # A second client, since the engine's thread owns the other.
                group = Reader(self.settings.kafka, self.settings.input.topic, (), ANSWER_S)
                with _running(parts) as engine, closing(group):
                    done = self._watch(group, engine, progress)
            finally:
                self._count(parts)
        if done:
            self.book.finish(self.plan)
            forget_slots(self.settings)
        return done

    def _watch(self, group: Reader, engine: _Running, progress: Callable[[int], object]) -> bool:
        while engine.runs and not self._stop.wait(LOOK_S):
            left = self._left(group)
            if left is not None:
                progress(self.plan.offsets - left)
            if left == 0:
                return True
        return False

    def _left(self, group: Reader) -> int | None:
        """Offsets that are not done; None where no broker answers."""
        committed = group.committed(self.plan.extents)
        return None if committed is None else self.plan.left(committed)

    def _count(self, parts: Parts) -> None:
        counted = parts.metrics
        self.predictions = int(counted.value("stream_predictions_total"))
        self.dead_letters = int(sum(counted.by("stream_dead_letters_total", "reason").values()))
        self.skips = int(sum(counted.by("stream_skips_total", "reason").values()))


class _Running:
    """An engine in a thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="backfill", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._parts.engine.run(self._parts.source)
        except BaseException as error:  # noqa: BLE001 - carried to the thread that waits for it, and raised there
            self._error = error

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Let it finish what it has in hand. Raises: what ended it."""
        self._parts.engine.stop()
        self._thread.join()
        if self._error is not None:
            raise self._error


@contextmanager
def _running(parts: Parts) -> Iterator[_Running]:
    if parts.reporting is not None:
        parts.reporting.reporter.start(lambda: None)
    running = _Running(parts)
    try:
        yield running
        running.end()
    finally:
        parts.engine.stop()
        parts.sink.close()
        if parts.reporting is not None:
            parts.reporting.reporter.stop(REPORT_S)
