"""What a request passes before an endpoint answers: token, rate, room, time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request
from starlette.responses import Response

from stream.http_access import bears
from stream.rest.endpoint import EndpointOf
from stream.rest.front import Front
from stream.rest.problems import RETRY, Problem, overloaded
from stream.rest.responses import json_response
from stream.settings import ServeSettings

if TYPE_CHECKING:
    from stream.tracing import RequestSpans

__all__ = ["Rate", "guarded"]

F = TypeVar("F", bound=Front)

_CUT_OFF = 0
"""The status of a request that ends with the process: nobody counts it any more."""


class Rate:
    """The limit of requests per second from one client address."""

    def __init__(self, settings: ServeSettings) -> None:
        self._item = None if settings.rate is None else RateLimitItemPerSecond(settings.rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def admit(self, request: Request) -> None:
        """Raises Problem 429."""
        client = request.client.host if request.client else ""
        if self._item and not self._limiter.hit(self._item, client):
            raise Problem(
                429, f"more than {self._item.amount} requests per second from one address", headers=RETRY
            )


def guarded(service: F, endpoint: EndpointOf[F], rate: Rate) -> Callable[[Request], Awaitable[Response]]:
    """
    An endpoint as Starlette calls it.

    Args:
        service: what answers.
        endpoint: which.
        rate: shared by all endpoints.
    """

    async def call(request: Request) -> Response:
        started = time.monotonic()
        service.in_flight(1)
        status = 500  # what the client gets for an exception that nothing here expects
        try:
            async with asyncio.timeout(service.settings.timeout):
                response = await _admitted(service, endpoint, rate, request)
            status = response.status_code
        except TimeoutError:
            late = f"no answer within {service.settings.timeout:g} s ([serve] timeout)"
            status = 504
            response = await _refusal(endpoint, Problem(504, late))
        except Problem as problem:
            status = problem.status
            response = await _refusal(endpoint, problem)
        except asyncio.CancelledError:
            service.cut_off += 1
            status = _CUT_OFF
            if not service.draining:
                raise
            response = await _refusal(endpoint, overloaded("the process ends before the answer is there"))
        finally:
            service.in_flight(-1)
            if status != _CUT_OFF:
                service.metrics.add("stream_requests_total", endpoint=endpoint.path, status=str(status))
                if endpoint.method == "POST":  # pages and probes hide how long those take
                    service.metrics.observe("stream_request_seconds", time.monotonic() - started)
                if service.spans is not None:
                    _trace(service.spans, service.title, endpoint, request, status, started)
        if service.draining:
            response.headers["connection"] = "close"
        return response

    return call


async def _admitted(service: F, endpoint: EndpointOf[F], rate: Rate, request: Request) -> Response:
    """1 token, 2 rate, 3 body, 4 handler."""
    if not endpoint.open:
        if not endpoint.public:
            _check_token(service.settings.token, request)  # 1
        rate.admit(request)  # 2
    if endpoint.method != "POST":
        return await endpoint.handler(service, request, b"")
    with service.intake.request() as mine:
        body = await service.intake.read(request, mine)  # 3
        return await endpoint.handler(service, request, body)  # 4


def _trace(
    spans: RequestSpans, model: str, endpoint: EndpointOf[F], request: Request, status: int, started: float
) -> None:
    from stream.tracing import Exchange

    headers = request.headers
    exchange = Exchange(endpoint.method, request.url.scheme, endpoint.path, status, model)
    spans.answered(exchange, headers.getlist("traceparent"), headers.getlist("tracestate"), started)


def _check_token(token: str | None, request: Request) -> None:
    if token is not None and not bears(token, request.headers.get("authorization", "")):
        raise Problem(
            401, "a bearer token is needed: `Authorization: Bearer …`", headers={"www-authenticate": "Bearer"}
        )


async def _refusal(endpoint: EndpointOf[F], problem: Problem) -> Response:
    return await json_response(endpoint.error_body(problem), status=problem.status, headers=problem.headers)
