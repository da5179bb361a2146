"""What a worker reports over HTTP: alive, ready, and the numbers behind both."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from stream.app.worker_parts import Parts
from stream.live import OF_WORKER, Counters, SeenLetter, Trail
from stream.records import Partition
from stream.telemetry import CounterName, GaugeName, Metrics
from stream.worker import State

__all__ = ["Probe", "Rate", "Status", "state_name"]

REACHED_S = 15.0
"""A broker that answered within this time counts as reachable; it is asked every 5 s."""


def state_name(state: State, joined: bool, partitions: int, ready: bool) -> str:
    """
    A state's name for people. A member of the group that was given no partitions is `standing by` where it is ready;
    one that lost them, since no broker answers or the topic is gone, is `waiting`.
    """
    without = state in (State.JOINING, State.RUNNING) and joined and not partitions
    if without:
        return "standing by" if ready else State.WAITING.value
    return state.value


class Rate:
    """Events per second over the last seconds, from a running total."""

    def __init__(self, window_s: float = 10.0) -> None:
        """
        Args:
            window_s: how far back to look.
        """
        self._window_s = window_s
        self._seen: deque[tuple[float, float]] = deque()

    def __call__(self, now: float, total: float) -> float:
        """
        Args:
            now: monotonic seconds.
            total: the running total.
        Returns: events per second since the oldest look within the window; 0 at the first look.
        """
        self._seen.append((now, total))
        while len(self._seen) > 2 and now - self._seen[1][0] >= self._window_s:
            self._seen.popleft()
        then, before = self._seen[0]
        return (total - before) / (now - then) if now > then else 0.0


@dataclass(slots=True)
class Probe:
    """
    When a broker last answered.

    Attributes:
        answered: monotonic seconds; None = never yet.
        missing: topics of the configuration that the broker no longer has.
        missing_since: monotonic seconds; None = none is missing.
    """

    answered: float | None = None
    missing: tuple[str, ...] = ()
    missing_since: float | None = None

    def note(self, now: float, missing: tuple[str, ...]) -> None:
        """A broker has answered, and these topics are not there."""
        self.answered = now
        self.missing = missing
        if not missing:
            self.missing_since = None
        elif self.missing_since is None:
            self.missing_since = now

    def gone_s(self, now: float) -> float:
        """For how long a topic has been missing; 0 when none is."""
        return 0.0 if self.missing_since is None else now - self.missing_since

    def reachable(self, now: float) -> bool:
        """Whether a broker answered lately."""
        return self.answered is not None and now - self.answered < REACHED_S


@dataclass(slots=True)
class Status:
    """
    The state of one worker, put together when asked.

    Attributes:
        parts: the worker.
        probe: when a broker last answered.
        clock: monotonic seconds.
    """

    parts: Parts
    probe: Probe = field(default_factory=Probe)
    clock: Callable[[], float] = time.monotonic
    _trail: Trail = field(default_factory=lambda: Trail(OF_WORKER))
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def live(self) -> bool:
        """Whether the engine's loop makes progress, or has not been started yet."""
        engine = self.parts.engine
        return not engine.progress.stuck and engine.life.state is not State.FAILED

    def state(self, ready: bool) -> str:
        """Its state's name for people."""
        source = self.parts.source
        return state_name(self.parts.engine.life.state, source.joined, len(source.owned), ready)

    def lacking(self) -> list[str]:
        """Why the worker is not ready; empty = ready."""
        state = self.parts.engine.life.state
        reasons: list[str] = []
        if state not in (State.JOINING, State.RUNNING):
            reasons.append(f"engine is {state.value}")
        elif not self.parts.source.joined:
            reasons.append("the group has not assigned partitions yet")
        if self.probe.missing:
            reasons.append(f"topics are gone: {', '.join(self.probe.missing)}")
        if blocked := self.parts.engine.blocked:
            reasons.append(f"a batch waits: {blocked}")
        if not self.probe.reachable(self.clock()):
            trouble = self.parts.source.connection.trouble
            reasons.append(f"no broker has answered lately{f' ({trouble})' if trouble else ''}")
        return reasons

    def note(self) -> dict[str, float | None]:
        """
        Keep the counters of this moment; called every few seconds, whether anybody looks or not.

        Returns: what the last seconds were like: rates, latency, and what a batch and its stages took.
        """
        with self._one:
            counters = Counters.read(self.parts.metrics, self.clock())
            return {**self._trail.now(counters), **self._trail.stages(counters)}

    def refresh(self) -> None:
        """Bring the gauges up to date; called before they are shown."""
        parts, backlog = self.parts, self.parts.engine.backlog
        parts.metrics.set("stream_partitions", len(parts.source.owned))
        _show(parts.metrics, "stream_lag_records", backlog.lag)
        _show(parts.metrics, "stream_consumable_lag_records", backlog.consumable)
        _show(parts.metrics, "stream_lag_seconds", backlog.wait_s())
        parts.metrics.set("stream_unacknowledged_records", len(parts.sink))
        parts.metrics.set("stream_last_progress_seconds", parts.engine.progress.pause_s)
        parts.metrics.set("stream_ready", 0 if self.lacking() else 1)

    def as_dict(self) -> dict[str, object]:
        """The JSON of `/api/status`."""
        self.refresh()
        parts, metrics, now, lacking = self.parts, self.parts.metrics, self.note(), self.lacking()
        return {
            "state": self.state(not lacking),
            "live": self.live,
            "ready": not lacking,
            "lacking": lacking,
            "group": parts.settings.kafka.group,
            "instance": parts.instance,
            "guarantee": parts.settings.delivery.guarantee,
            "model": parts.engine.model,
            "model_created": parts.package.manifest.created,
            "model_since": _moment(metrics.value("stream_model_loaded_timestamp_seconds")),
            "reload": asdict(parts.reloader.last),
            "topics": {
                "input": parts.settings.input.topic,
                "output": parts.settings.output.topic,
                "dead_letters": parts.settings.dead_letters.topic,
            },
            "partitions": [p.index for p in parts.source.owned],
            "lag": self._lag(),
            "records": int(metrics.value("stream_records_total")),
            "predictions": int(metrics.value("stream_predictions_total")),
            "dead_letters": {
                "total": int(metrics.value("stream_dead_letters_total")),
                "by_reason": _counts(metrics, "stream_dead_letters_total", "reason"),
                "recent": [_letter(each) for each in list(parts.tally.seen.letters)],
            },
            "skips": int(metrics.value("stream_skips_total")),
            "records_per_second": round(now["records_per_second"] or 0.0, 1),
            "now": now,
            "commits": _counts(metrics, "stream_commits_total", "result"),
            "last_commit": _moment(metrics.value("stream_last_commit_timestamp_seconds")),
            "rebalances": _counts(metrics, "stream_rebalances_total", "kind"),
            "last_progress_seconds": round(parts.engine.progress.pause_s, 3),
        }

    def _lag(self) -> dict[str, object]:
        backlog = self.parts.engine.backlog
        lag, seconds = backlog.lag, backlog.wait_s()
        return {
            "total": sum(lag.values()),
            "by_partition": {str(p.index): n for p, n in lag.items()},
            "consumable": sum(backlog.consumable.values()),
            "seconds": round(max(seconds.values(), default=0.0), 3),
            "seconds_by_partition": {str(p.index): round(s, 3) for p, s in seconds.items()},
        }


def _counts(metrics: Metrics, name: CounterName, label: str) -> dict[str, int]:
    return {value: int(count) for value, count in metrics.by(name, label).items()}


def _moment(epoch_s: float) -> str | None:
    """RFC 3339, UTC; None for 0, which a gauge has before it is set."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds") if epoch_s else None


def _letter(seen: SeenLetter) -> dict[str, str | None]:
    message = "redacted" if seen.message is None else seen.message
    return {"place": seen.place, "stage": seen.stage, "reason": seen.reason, "message": message}


def _show(metrics: Metrics, name: GaugeName, values: Mapping[Partition, float]) -> None:
    """Set a gauge of partitions to these, and to no others."""
    metrics.clear(name)
    for partition, value in values.items():
        metrics.set(name, value, partition=str(partition.index))
