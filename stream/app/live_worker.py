"""What the live page shows of a worker, put together each second for as long as somebody looks."""

from __future__ import annotations

import time
from importlib.metadata import version

from stream.app.live_model import model_view
from stream.app.worker_status import Status, state_name
from stream.live import OF_WORKER, Counters, FlowView, Snapshot, TopicView, Trail, letters_by_reason, written
from stream.shown import shown

__all__ = ["WorkerLive"]


class WorkerLive:
    """The worker's side of the live page. `snapshot` and `tick` are called by one thread at a time each."""

    def __init__(self, status: Status) -> None:
        """
        Args:
            status: of the worker.
        """
        self._status = status
        self._parts = status.parts
        self._version = version("prediction-stream")
        self._started_ms = _now_ms()
        self._trail = Trail(OF_WORKER)

    def watch(self, watched: bool) -> None:
        """Somebody begins to look, or nobody does any longer."""

    def tick(self) -> None:
        """A step of the trail is over; called whether anybody looks or not."""
        lag = self._parts.engine.backlog.lag
        counters = Counters.read(self._parts.metrics, time.monotonic())
        self._trail.tick(counters, sum(lag.values()) if lag else None)

    def snapshot(self) -> bytes:
        """The worker at this moment, as one line of JSON."""
        self._status.refresh()
        counters = Counters.read(self._parts.metrics, time.monotonic())
        return written(self._snapshot(counters))

    def _snapshot(self, counters: Counters) -> Snapshot:
        parts, settings = self._parts, self._parts.settings
        lacking = self._status.lacking()
        lag = parts.engine.backlog.lag
        return Snapshot(
            kind="worker",
            at_ms=_now_ms(),
            started_ms=self._started_ms,
            group=settings.kafka.group,
            instance=parts.instance,
            version=self._version,
            state=state_name(parts.engine.life.state, parts.source.joined, len(parts.source.owned)),
            ready=not lacking,
            lacking=[shown(each) for each in lacking],
            guarantee=str(settings.delivery.guarantee),
            redacted=settings.dead_letters.redact,
            model=model_view(parts.reloader),
            flow=self._flow(),
            now={
                **self._trail.now(counters),
                "lag_records": sum(lag.values()) if lag else None,
                "lag_seconds": _most(counters, "stream_lag_seconds"),
            },
            history=self._trail.history(),
            totals={
                "records": int(counters.total("stream_records_total")),
                "predictions": int(counters.total("stream_predictions_total")),
                "dead_letters": int(counters.total("stream_dead_letters_total")),
                "skips": int(counters.total("stream_skips_total")),
            },
            scores=None,
            latest=(),
            dead_letters={
                "by_reason": letters_by_reason(counters.by("stream_dead_letters_total", "reason", "stage")),
                "recent": (),
            },
            partitions=None,
            transactions=self._transactions(counters),
            requests=None,
        )

    def _flow(self) -> FlowView:
        settings = self._parts.settings
        topics = (settings.input.topic, settings.output.topic, settings.dead_letters.topic)
        return FlowView(*(TopicView(topic, None) for topic in topics))

    def _transactions(self, counters: Counters) -> dict[str, int | None]:
        by_result = counters.by("stream_commits_total", "result")
        counts = {result: int(count) for (result,), count in by_result.items()}
        last_s = counters.known("stream_last_commit_timestamp_seconds")
        return {
            "committed": counts.get("ok", 0),
            "aborted": counts.get("aborted", 0),
            "moved_on": counts.get("moved_on", 0),
            "unknown": counts.get("unknown", 0),
            "uncommitted_records": int(counters.total("stream_unacknowledged_records")),
            "last_commit_ms": round(1_000 * last_s) if last_s else None,
        }


def _most(counters: Counters, name: str) -> float | None:
    """The largest of a gauge's values; None where it has none."""
    values = [value for _, value in counters.samples.get(name, ())]
    return round(max(values), 3) if values else None


def _now_ms() -> int:
    return round(time.time() * 1_000)
