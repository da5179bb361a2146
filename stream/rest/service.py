"""What every endpoint works with: the model that answers, the limits, and the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from stream.records import DeadLetter
from stream.rest.batcher import Batcher
from stream.rest.problems import unfit
from stream.rest.request_body import Intake, offload
from stream.rest.served_model import Answer, Served
from stream.settings import ServeSettings
from stream.telemetry import Metrics

__all__ = ["PROGRAM", "Service"]

PROGRAM = "prediction-stream"
"""The distribution that serves."""


class Service:
    """
    A model behind HTTP. Belongs to one event loop; `swap` may be called by any thread.

    Attributes:
        served: the model that answers.
        settings: limits.
        metrics: counts and times of requests, rows and batches.
        program_version: of `PROGRAM`.
        batcher: scores rows.
        intake: reads bodies.
        cut_off: requests without an answer when the process ended.
    """

    def __init__(self, served: Served, settings: ServeSettings, metrics: Metrics) -> None:
        self.served = served
        self.settings = settings
        self.metrics = metrics
        self.program_version = version(PROGRAM)
        self.batcher = Batcher(settings, metrics)
        self.intake = Intake(settings)
        self._in_flight = 0
        self.cut_off = 0

    @property
    def ready(self) -> bool:
        """Whether requests are answered: False while the model is stuck."""
        return not self.batcher.stuck

    def in_flight(self, change: int) -> None:
        """Count requests that begin and end."""
        self._in_flight += change
        self.metrics.set("stream_requests_in_flight", self._in_flight)

    def swap(self, served: Served) -> None:
        """Let another version answer the requests from now on."""
        self.served = served

    async def answer(
        self,
        served: Served,
        rows: Sequence[object],
        size_bytes: int,
        *,
        text: bool = False,
        single: bool = False,
    ) -> list[Answer]:
        """
        Score the rows of a request.

        Args:
            served: the model when the request began.
            rows: n rows; one that is not a mapping is a field that does not fit.
            size_bytes: of the request's body.
            text: whether texts represent numbers, dates … (csv).
            single: whether the request is one row, not a list of rows.
        Returns: n answers: a DeadLetter for each row that the model could not score.
        Raises: Problem 422 with every field that does not fit, 413 when there are too many rows, 503 when too many
            wait already.
        """
        events, wrong = await offload(size_bytes, lambda: served.read(rows, text=text))
        if not wrong:
            answers, wrong = await self.batcher.score(served, events)
        if wrong:
            raise unfit(served.title, wrong, single=single)
        if served.carried:
            await offload(size_bytes, lambda: served.drop_absent(rows, answers))
        failed = sum(isinstance(answer, DeadLetter) for answer in answers)
        self.metrics.add("stream_rows_total", len(answers) - failed, result="prediction")
        self.metrics.add("stream_rows_total", failed, result="error")
        return answers
