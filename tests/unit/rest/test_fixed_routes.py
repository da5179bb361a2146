"""Paths that are looked up are answered as Starlette's own router answers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from stream.rest.fixed_routes import FixedRoutes


async def _says_path(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {request.url.path} {request.path_params}")


async def _fails(request: Request) -> Response:
    raise ValueError("a bug")


async def _of_name(request: Request) -> Response:
    return PlainTextResponse(f"named {request.path_params['name']}")


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield


_ROUTES = [
    Route("/models/{name}", _of_name, methods=["GET"]),
    Route("/models/fixed", _says_path, methods=["GET"]),
    Route("/", _says_path, methods=["GET"]),
    Route("/predict", _says_path, methods=["POST"]),
    Route("/predict", _fails, methods=["POST"]),
    Route("/fails", _fails, methods=["POST"]),
]


@pytest.mark.parametrize("root_path", ["", "/below"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/predict", "/predict/", "/fails", "/models/a", "/models/fixed", "/nothing", "/%70redict"]
)
def test_answers_are_those_of_starlettes_router(path: str, method: str, root_path: str) -> None:
    """Whatever is asked: a route before another one, methods that are not there, a bug, a redirection."""
    theirs = Starlette(routes=_ROUTES)
    ours = Starlette()
    ours.router = FixedRoutes(_ROUTES, _lifespan)

    found = []
    for app in (ours, theirs):
        with TestClient(app, raise_server_exceptions=False, root_path=root_path) as client:
            answer = client.request(method, path, follow_redirects=False)
            found.append((answer.status_code, answer.text, dict(answer.headers)))

    assert found[0] == found[1]
