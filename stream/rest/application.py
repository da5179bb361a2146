"""The ASGI application: every endpoint, guarded, and the background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stream.rest import batch_transform, bigquery_calls, invocations, kserve_v1, open_inference, predict
from stream.rest.endpoint import Endpoint
from stream.rest.fixed_routes import FixedRoutes
from stream.rest.guard import Rate, guarded
from stream.rest.pages import pages_of
from stream.rest.responses import json_response
from stream.rest.service import Service

__all__ = ["ENDPOINTS", "HANDLERS", "create_app"]

_ANSWERS = (
    *predict.ENDPOINTS,
    *invocations.ENDPOINTS,
    *batch_transform.ENDPOINTS,
    *kserve_v1.ENDPOINTS,
    *open_inference.ENDPOINTS,
    *bigquery_calls.ENDPOINTS,
)
ENDPOINTS = (*_ANSWERS, *pages_of(_ANSWERS))
"""Every endpoint: the routes and the OpenAPI document are made from this table."""


def create_app(
    service: Service,
    background: Sequence[Callable[[], Awaitable[None]]] = (),
    more: Sequence[Endpoint] = (),
) -> Starlette:
    """
    The ASGI application.

    Args:
        service: what answers.
        background: what else runs for as long as the application does, such as the check for a new version.
        more: endpoints beside those of the table, which they come before.
    """
    rate = Rate(service.settings)
    routes = [
        Route(one.path, guarded(service, one, rate), methods=[one.method], name=f"{one.method} {one.path}")
        for one in (*more, *ENDPOINTS)
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(run()) for run in (service.batcher.run, *background)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            service.batcher.close()
            service.intake.close()

    app = Starlette(exception_handlers=HANDLERS)
    app.router = FixedRoutes(routes, lifespan)
    return app


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    advice = (
        "/docs lists the endpoints" if error.status_code == 404 else f"{request.method} is not supported here"
    )
    content = {"error": f"{error.detail}: {advice}"}
    return await json_response(content, status=error.status_code, headers=error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    """A bug: uvicorn logs its traceback; the client gets no details."""
    return await json_response({"error": "internal error; see the service's log"}, status=500)


HANDLERS: Mapping[Any, Any] = {HTTPException: _no_route, Exception: _failed}
"""For errors that no endpoint has answered."""
