"""How fast it goes: over the last seconds, and step by step over the last quarter of an hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.live.counters import Counters
from stream.telemetry import quantile

__all__ = ["OF_SERVICE", "OF_WORKER", "STEP_S", "Sources", "Trail"]

STEP_S = 10
"""Of the quarter of an hour; and about as far back as `now` looks."""

STEPS = 90
"""A quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Source:
    """A counter, or its part with these labels."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def total(self, counters: Counters) -> float:
        """Its value."""
        return counters.total(self.name, self.labels)


@dataclass(frozen=True, slots=True)
class Sources:
    """
    Where a kind of process counts what the page shows.

    Attributes:
        records: records read, or rows asked for.
        predictions: of them.
        dead_letters: of them: dead letters, or rows without a prediction.
        latency: the histogram of how long one takes, in seconds.
    """

    records: Source
    predictions: Source
    dead_letters: Source
    latency: str


OF_WORKER = Sources(
    Source("stream_records_total"),
    Source("stream_predictions_total"),
    Source("stream_dead_letters_total"),
    "stream_latency_seconds",
)
OF_SERVICE = Sources(
    Source("stream_rows_total"),
    Source("stream_rows_total", {"result": "prediction"}),
    Source("stream_rows_total", {"result": "error"}),
    "stream_request_seconds",
)


@dataclass(frozen=True, slots=True)
class _Step:
    """What happened in `STEP_S` seconds; None = nothing was seen."""

    records: float
    dead_letters: float
    lag: int | None
    p50_ms: float | None
    p99_ms: float | None


class Trail:
    """Used by one thread at a time."""

    def __init__(self, sources: Sources) -> None:
        """
        Args:
            sources: where things are counted.
        """
        self._sources = sources
        self._seen: deque[Counters] = deque()
        self._ticked: Counters | None = None
        self._steps: deque[_Step] = deque(maxlen=STEPS)

    def tick(self, counters: Counters, lag: int | None) -> None:
        """
        A step is over; called every `STEP_S`, whether anybody looks or not.

        Args:
            counters: of now.
            lag: records not read yet; None = not known, or there is no such thing.
        """
        if self._ticked is not None:
            self._steps.append(self._step(self._ticked, counters, lag))
        self._ticked = counters
        self._note(counters)

    def _step(self, before: Counters, after: Counters, lag: int | None) -> _Step:
        sources = self._sources
        p50, p99 = _quantiles_ms(sources.latency, before, after)
        return _Step(
            _rate(sources.records, before, after), _rate(sources.dead_letters, before, after), lag, p50, p99
        )

    def _note(self, counters: Counters) -> Counters:
        """Keep what is needed for the last `STEP_S`. Returns: the oldest of it."""
        self._seen.append(counters)
        while len(self._seen) > 2 and counters.at - self._seen[1].at >= STEP_S:
            self._seen.popleft()
        return self._seen[0]

    def now(self, counters: Counters) -> dict[str, float | None]:
        """
        The last seconds.

        Args:
            counters: of now.
        Returns: the snapshot's `now`, without the lag; None = nothing was seen.
        """
        sources, before = self._sources, self._note(counters)
        p50, p99 = _quantiles_ms(sources.latency, before, counters)
        return {
            "records_per_second": _rate(sources.records, before, counters),
            "predictions_per_second": _rate(sources.predictions, before, counters),
            "dead_letters_per_second": _rate(sources.dead_letters, before, counters),
            "p50_ms": p50,
            "p99_ms": p99,
            "batch_records": _mean("stream_batch_records", before, counters, 1),
            "process_ms": _mean("stream_process_seconds", before, counters, 1_000),
            "publish_ms": _mean("stream_publish_seconds", before, counters, 1_000),
            "commit_ms": _mean("stream_commit_seconds", before, counters, 1_000),
        }

    def stages(self, counters: Counters) -> dict[str, float | None]:
        """How many milliseconds each stage of a batch took on average since the oldest moment that `now` keeps."""
        before = self._seen[0] if self._seen else counters
        return {
            f"{stage}_ms": _mean("stream_stage_seconds", before, counters, 1_000, {"stage": stage})
            for stage in ("decode", "score", "encode")
        }

    def history(self) -> dict[str, object]:
        """The snapshot's `history`, the oldest step first."""
        return {
            "step_s": STEP_S,
            "records_per_second": [step.records for step in self._steps],
            "dead_letters_per_second": [step.dead_letters for step in self._steps],
            "lag_records": [step.lag for step in self._steps],
            "p50_ms": [step.p50_ms for step in self._steps],
            "p99_ms": [step.p99_ms for step in self._steps],
        }


def _rate(source: Source, before: Counters, after: Counters) -> float:
    seconds = after.at - before.at
    return round((source.total(after) - source.total(before)) / seconds, 2) if seconds > 0 else 0.0


def _mean(
    name: str, before: Counters, after: Counters, scale: float, labels: Mapping[str, str] | None = None
) -> float | None:
    """The mean of what a histogram took in between two moments; None = nothing."""
    count, total = (
        after.total(name + part, labels) - before.total(name + part, labels) for part in ("_count", "_sum")
    )
    return round(scale * total / count, 3) if count > 0 else None


def _quantiles_ms(name: str, before: Counters, after: Counters) -> tuple[float | None, float | None]:
    """The median and the 99th percentile of what a histogram of seconds took in between two moments."""
    earlier, later = dict(before.buckets(name)), dict(after.buckets(name))
    counts = [count - earlier.get(bound, 0) for bound, count in later.items()]
    p50, p99 = (quantile(list(later), counts, share) for share in (0.5, 0.99))
    return _ms(p50), _ms(p99)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1_000 * seconds, 3)
