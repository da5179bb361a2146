"""Every endpoint in one table, and what each goes through: token, rate, room, time."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stream.rest import bigquery_calls, invocations, open_inference
from stream.rest.pages import docs, index, metrics, openapi
from stream.rest.predict import predict
from stream.rest.problems import Problem, too_late, too_many, unauthorised
from stream.rest.service import Service, json_response
from stream.settings import Secret, ServeSettings

__all__ = ["ENDPOINTS", "HANDLERS", "Endpoint", "routes"]

Handler: TypeAlias = Callable[[Service, Request, bytes], Awaitable[Response]]
Shape: TypeAlias = Callable[[Problem], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One endpoint.

    Attributes:
        method: of HTTP.
        path: as Starlette writes it.
        handler: answers.
        shape: the body of an error.
        open: whether it needs no token: what a load balancer asks.
    """

    method: str
    path: str
    handler: Handler
    shape: Shape = Problem.body
    open: bool = False


ENDPOINTS = (
    Endpoint("POST", "/predict", predict),
    Endpoint("POST", "/invocations", invocations.invocations, invocations.problem_body),
    Endpoint("GET", "/ping", invocations.ping, open=True),
    Endpoint("GET", "/health", invocations.ping, open=True),
    Endpoint("GET", "/version", invocations.version, open=True),
    Endpoint("GET", "/v2/health/live", open_inference.live, open=True),
    Endpoint("GET", "/v2/health/ready", open_inference.ready, open=True),
    Endpoint("GET", "/v2", open_inference.server_metadata),
    Endpoint("GET", "/v2/models/{name}", open_inference.model_metadata),
    Endpoint("GET", "/v2/models/{name}/versions/{version}", open_inference.model_metadata),
    Endpoint("GET", "/v2/models/{name}/ready", open_inference.model_ready),
    Endpoint("GET", "/v2/models/{name}/versions/{version}/ready", open_inference.model_ready),
    Endpoint("POST", "/v2/models/{name}/infer", open_inference.infer),
    Endpoint("POST", "/v2/models/{name}/versions/{version}/infer", open_inference.infer),
    Endpoint("POST", "/bigquery", bigquery_calls.bigquery, bigquery_calls.problem_body),
    Endpoint("GET", "/docs", docs),
    Endpoint("GET", "/openapi.json", openapi),
    Endpoint("GET", "/metrics", metrics),
    Endpoint("GET", "/", index),
)


def routes(service: Service) -> list[Route]:
    """The endpoints, guarded by the service's settings."""
    rate = _Rate(service.settings)
    return [
        Route(one.path, _guarded(service, one, rate), methods=[one.method], name=f"{one.method} {one.path}")
        for one in ENDPOINTS
    ]


class _Rate:
    """Requests per second and client address."""

    def __init__(self, settings: ServeSettings) -> None:
        self._item = None if settings.rate is None else RateLimitItemPerSecond(settings.rate)
        self._limiter = None if settings.rate is None else SlidingWindowCounterRateLimiter(MemoryStorage())

    def admit(self, request: Request) -> None:
        """Raises Problem 429."""
        client = request.client.host if request.client else ""
        if self._item and self._limiter and not self._limiter.hit(self._item, client):
            raise too_many(self._item.amount)


def _guarded(service: Service, endpoint: Endpoint, rate: _Rate) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint as Starlette calls it."""

    async def call(request: Request) -> Response:
        started = time.monotonic()
        service.in_flight(1)
        try:
            async with asyncio.timeout(service.settings.timeout):
                response = await _admitted(service, endpoint, rate, request)
        except TimeoutError:
            response = await _refusal(endpoint, too_late(service.settings.timeout))
        except Problem as problem:
            response = await _refusal(endpoint, problem)
        except asyncio.CancelledError:
            service.cut_off += 1
            raise
        finally:
            service.in_flight(-1)
        service.metrics.add("stream_requests_total", endpoint=endpoint.path, status=str(response.status_code))
        service.metrics.observe("stream_request_seconds", time.monotonic() - started)
        return response

    return call


async def _admitted(service: Service, endpoint: Endpoint, rate: _Rate, request: Request) -> Response:
    """1 token, 2 rate, 3 body, 4 handler."""
    if not endpoint.open:
        _check_token(service.settings.token, request)  # 1
        rate.admit(request)  # 2
    if endpoint.method != "POST":
        return await endpoint.handler(service, request, b"")
    with service.intake.hold() as mine:
        body = await service.intake.read(request, mine)  # 3
        return await endpoint.handler(service, request, body)  # 4


def _check_token(token: str | None, request: Request) -> None:
    if token is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Compared in constant time: how long it takes must not say how much of it is right.
    plain = token.reveal() if isinstance(token, Secret) else token
    # A header's bytes arrive as Latin-1, whatever the client meant: as bytes they are the token's in UTF-8.
    right = hmac.compare_digest(given.strip(" \t").encode("latin-1"), plain.encode())
    if scheme.lower() != "bearer" or not right:
        raise unauthorised()


async def _refusal(endpoint: Endpoint, problem: Problem) -> Response:
    response = await json_response(endpoint.shape(problem), status=problem.status)
    response.headers.update(problem.headers)
    return response


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    advice = (
        "see /docs for what there is" if error.status_code == 404 else f"{request.method} is not taken here"
    )
    response = await json_response({"error": f"{error.detail}: {advice}"}, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _failed(request: Request, error: Exception) -> Response:
    """A bug: uvicorn logs its traceback, the client is told nothing of our insides."""
    return await json_response({"error": "internal error; see the service's log"}, status=500)


HANDLERS: Mapping[Any, Any] = {HTTPException: _no_route, Exception: _failed}
"""What Starlette does with errors that are not the endpoints' own."""
