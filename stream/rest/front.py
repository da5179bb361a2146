"""What a process that answers requests is, whatever it answers with: limits, what requests hold, how it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from stream.rest.request_body import Intake
from stream.settings import ServeSettings
from stream.telemetry import Metrics

if TYPE_CHECKING:
    from stream.tracing import RequestSpans

__all__ = ["Front"]


class Front(ABC):
    """
    One process's end of HTTP. Belongs to one event loop.

    Attributes:
        settings: limits.
        metrics: counts and times of requests, rows and batches.
        spans: of requests, for a collector; None = none are made.
        intake: reads bodies.
        cut_off: requests without an answer when the process ended.
        draining: whether the process is about to end: what still comes is answered, but is better sent elsewhere.
    """

    def __init__(
        self,
        settings: ServeSettings,
        metrics: Metrics,
        spans: RequestSpans | None = None,
        intake: Intake | None = None,
    ) -> None:
        """
        Args:
            settings: limits.
            metrics: of the process.
            spans: see the attribute.
            intake: another's, where memory is shared with it; None: its own.
        """
        self.settings = settings
        self.metrics = metrics
        self.spans = spans
        self.intake = intake or Intake(settings)
        self._in_flight = 0
        self.cut_off = 0
        self.draining = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What answers."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether a batch is being scored."""

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether requests are answered: False while the model is stuck."""

    @property
    def ready(self) -> bool:
        """Whether more requests are welcome: False while the model is stuck, and before the process ends."""
        return self.live and not self.draining

    @property
    def unanswered(self) -> int:
        """How many requests have no answer yet."""
        return self._in_flight

    @property
    def fails(self) -> bool:
        """Whether a process that ends now leaves requests without an answer."""
        return self.busy or self._in_flight > 0 or self.cut_off > 0

    def in_flight(self, change: int) -> None:
        """Count requests that begin and end."""
        self._in_flight += change
        self.metrics.set("stream_requests_in_flight", self._in_flight)
