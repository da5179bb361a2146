"""What the live page shows of `stream serve`, put together each second for as long as somebody looks."""

from __future__ import annotations

import time
from collections import Counter, deque

from stream.app.live_answers import LiveAnswers
from stream.app.live_model import model_view
from stream.app.reload import Reloader
from stream.live import OF_SERVICE, STEP_S, Counters, Snapshot, Trail, letter_view, letters_by_reason, written
from stream.rest import LIVE_PATHS, Service

__all__ = ["ServiceLive"]

REFUSED = 400
"""Statuses from here on are no answers."""


class ServiceLive:
    """The service's side of the live page. `snapshot` and `tick` are called by one thread at a time each."""

    def __init__(self, service: Service, reloader: Reloader) -> None:
        """
        Args:
            service: that answers.
            reloader: looks for a new version of its model.
        """
        self._service = service
        self._reloader = reloader
        self._answers = LiveAnswers(reloader.settings, service.seen)
        self._started_ms = _now_ms()
        self._trail = Trail(OF_SERVICE)
        self._requests: deque[tuple[float, float]] = deque()

    def watch(self, watched: bool) -> None:
        """Somebody begins to look, or nobody does any longer."""
        self._service.seen.watch(watched)

    def tick(self) -> None:
        """A step of the trail is over; called whether anybody looks or not."""
        self._trail.tick(Counters.read(self._service.metrics, time.monotonic()), None)

    def snapshot(self) -> bytes:
        """The service at this moment, as one line of JSON."""
        self._answers.take_in(self._reloader.package)
        return written(self._snapshot(Counters.read(self._service.metrics, time.monotonic())))

    def _snapshot(self, counters: Counters) -> Snapshot:
        service = self._service
        state, lacking = _state_of(service)
        return Snapshot(
            kind="service",
            at_ms=_now_ms(),
            started_ms=self._started_ms,
            group=None,
            instance=None,
            version=service.program_version,
            state=state,
            ready=not lacking,
            lacking=lacking,
            guarantee=None,
            redacted=service.seen.redact,
            model=model_view(self._reloader),
            flow=None,
            now={**self._trail.now(counters), "lag_records": None, "lag_seconds": None},
            history=self._trail.history(),
            totals={
                "records": int(counters.total("stream_rows_total")),
                "predictions": int(counters.total("stream_rows_total", {"result": "prediction"})),
                "dead_letters": int(counters.total("stream_rows_total", {"result": "error"})),
                "skips": 0,
            },
            scores=self._answers.scores(),
            latest=self._answers.latest.rows(),
            dead_letters={
                "by_reason": letters_by_reason(dict(service.seen.reasons)),
                "recent": [letter_view(row, None) for row in reversed(list(service.seen.letters))],
            },
            partitions=None,
            transactions=None,
            requests=self._requests_of(counters),
        )

    def _requests_of(self, counters: Counters) -> dict[str, object]:
        counts: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for (path, status), count in counters.by("stream_requests_total", "endpoint", "status").items():
            if path not in LIVE_PATHS:
                counts[path] += int(count)
                errors[path] += int(count) * (int(status) >= REFUSED)
                statuses[status] += int(count)
        return {
            "per_second": self._per_second(counters.at, counts.total()),
            "in_flight": self._service.unanswered,
            "queue_rows": int(counters.total("stream_queue_rows")),
            "by_status": dict(sorted(statuses.items())),
            "by_endpoint": [
                {"endpoint": path, "count": count, "errors": errors[path]}
                for path, count in counts.most_common()
            ],
        }

    def _per_second(self, at: float, total: float) -> float:
        seen = self._requests
        seen.append((at, total))
        while len(seen) > 2 and at - seen[1][0] >= STEP_S:
            seen.popleft()
        then, before = seen[0]
        return round((total - before) / (at - then), 2) if at > then else 0.0


def _state_of(service: Service) -> tuple[str, list[str]]:
    """The state in a word, and why it is not ready."""
    if service.draining:
        return "draining", ["the process is about to end: what was asked is answered"]
    if not service.live:
        return "stuck", ["the model has worked on one batch for longer than a request may take"]
    return "running", []


def _now_ms() -> int:
    return round(time.time() * 1_000)
