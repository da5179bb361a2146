"""The thread that sends spans and metrics. Nobody waits for it, but for a moment when the process ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opentelemetry.sdk.metrics.export import MetricsData

from stream.telemetry import Metrics
from stream.tracing.collector import MetricCollector, SpanCollector
from stream.tracing.span_queue import SpanQueue

__all__ = ["Reporter"]

LINGER_S = 1.0
"""How long a span may wait for others."""


class Reporter:
    """Started once the process will not fork any more; ends with it."""

    def __init__(
        self,
        metrics: Metrics,
        queue: SpanQueue | None,
        spans: SpanCollector | None,
        measure: Callable[[], MetricsData],
        measured: MetricCollector | None,
        interval_s: float,
    ) -> None:
        """
        Args:
            metrics: count what becomes of spans.
            queue: where they are; None with `spans`.
            spans: takes them; None = none are made.
            measure: the metrics, now; called by the thread.
            measured: takes them; None = they are not sent.
            interval_s: between two times that they are.
        """
        self._metrics = metrics
        self._queue = queue
        self._spans = spans
        self._measure = measure
        self._measured = measured
        self._interval_s = interval_s
        self._ending = threading.Event()
        self._wake = threading.Event() if queue is None else queue.full
        self._refresh: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)

    def start(self, refresh: Callable[[], None]) -> None:
        """
        Begin to send.

        Args:
            refresh: brings the gauges up to date, before they are sent; called by the thread.
        """
        self._refresh = refresh
        self._thread.start()

    def stop(self, budget_s: float) -> None:
        """
        Send what is left, to a collector that took the last, and end. Idempotent.

        Blocks for the budget; what is not sent by then is lost, and whatever the thread waits for is left to itself.
        """
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(budget_s)
        if self._thread.is_alive():
            for collector in (self._spans, self._measured):
                if collector is not None:
                    collector.give_up()

    def _run(self) -> None:
        due = time.monotonic() + self._interval_s
        while not self._ending.is_set():
            left = due - time.monotonic()
            self._wake.wait(min(LINGER_S, left) if self._queue is not None else left)
            self._send_spans()
            if time.monotonic() >= due and not self._ending.is_set():
                self._send_metrics()
                due = time.monotonic() + self._interval_s
        while self._queue and self._spans and not self._spans.down:
            self._send_spans()
        if self._measured is not None and not self._measured.down:
            self._send_metrics()

    def _send_spans(self) -> None:
        if self._queue is None or self._spans is None:
            return
        if spans := self._queue.take():
            result = "sent" if self._spans.take(spans) else "failed"
            self._metrics.add("stream_spans_total", len(spans), result=result)

    def _send_metrics(self) -> None:
        if self._measured is not None:
            self._refresh()
            self._measured.take(self._measure())
