"""The service: what its endpoints share, and the ASGI application that they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.batching import Batcher
from stream.rest.body import Intake, aside
from stream.rest.problems import unfit
from stream.rest.served import Answer, Served
from stream.settings import ServeSettings
from stream.telemetry import Metrics

__all__ = ["Row", "Service", "create_app", "json_response", "row_error"]

Row: TypeAlias = Mapping[str, Any]
"""One row of a request."""

_ASIDE_ROWS = 500
"""From here on an answer is written in a thread: some 2 ms of JSON."""


class Service:
    """
    A model behind HTTP. Belongs to one event loop; `swap` may be called by any thread.

    Attributes:
        served: the model that answers.
        settings: limits.
        metrics: what it says of itself.
        batcher: scores.
        intake: reads bodies.
        cut_off: requests that the end of the process left without an answer.
    """

    def __init__(self, served: Served, settings: ServeSettings, metrics: Metrics) -> None:
        self.served = served
        self.settings = settings
        self.metrics = metrics
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
        """Let another version answer requests that come from now on."""
        self.served = served

    async def answer(
        self,
        served: Served,
        rows: Sequence[Row],
        size_bytes: int,
        *,
        text: bool = False,
        single: bool = False,
    ) -> list[Answer]:
        """
        Score the rows of a request.

        Args:
            served: the model, as the request found it.
            rows: n rows.
            size_bytes: of the body that they came in.
            text: whether texts stand for numbers, dates … (csv).
            single: whether the request is one row, not a list of rows.
        Returns: n answers; a DeadLetter is what the model could not score.
        Raises: Problem 422 with every field that does not fit, 503 or 413 for want of room.
        """
        events, wrong = await aside(size_bytes, lambda: served.read(rows, text=text))
        if not wrong:
            answers, wrong = await self.batcher.score(served, events)
        if wrong:
            raise unfit(served.title, wrong, single=single)
        if served.carried:
            await aside(size_bytes, lambda: _leave_out(served, rows, answers))
        failed = sum(isinstance(answer, DeadLetter) for answer in answers)
        self.metrics.add("stream_rows_total", len(answers) - failed, result="prediction")
        self.metrics.add("stream_rows_total", failed, result="error")
        return answers


def _leave_out(served: Served, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
    """Take carried fields out of the predictions of rows that had none."""
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(answer, dict):
            for name in set(served.carried.values()) - served.given(row):
                del answer[name]


def row_error(fault: DeadLetter) -> dict[str, Any]:
    """The answer for a row that the model could not score."""
    return {
        "error": {
            "stage": fault.stage,
            "reason": fault.reason,
            "exception": fault.exception,
            "message": fault.message,
        }
    }


async def json_response(content: object, rows: int = 0, status: int = 200) -> Response:
    """
    Args:
        content: of the body.
        rows: how many it holds; many are written in a thread.
        status: of HTTP.
    """
    body = await asyncio.to_thread(_json, content) if rows > _ASIDE_ROWS else _json(content)
    return Response(body, status, media_type="application/json")


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8",
        "backslashreplace",  # half a surrogate pair, in a message that quotes one: JSON writes it so
    )


def create_app(service: Service, beside: Sequence[Callable[[], Awaitable[None]]] = ()) -> Starlette:
    """
    The ASGI application.

    Args:
        service: what answers.
        beside: what else runs as long as it does, such as the look-out for a new version.
    """
    from stream.rest.routes import HANDLERS, routes

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(run()) for run in (service.batcher.run, *beside)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            service.batcher.close()

    return Starlette(routes=routes(service), lifespan=lifespan, exception_handlers=HANDLERS)
