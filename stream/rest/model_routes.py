"""
The API of SageMaker's multi-model endpoints.

Source: docs.aws.amazon.com/sagemaker, "Custom Containers Contract for Multi-Model Endpoints".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stream.rest.application import HANDLERS
from stream.rest.endpoint import EndpointOf
from stream.rest.fixed_routes import FixedRoutes
from stream.rest.guard import Rate, guarded
from stream.rest.invocations import error_body, invoke, ping
from stream.rest.loaded_models import Loaded, LoadedModels
from stream.rest.pages import metrics_text
from stream.rest.problems import Problem, wrong_shape
from stream.rest.request_body import offload, parse_json
from stream.rest.responses import json_response
from stream.types import shown

__all__ = ["create_models_app"]

_MOST_NAME = 1_024
"""Characters; SageMaker's are digests."""


def create_models_app(
    models: LoadedModels, folder: Path, background: Sequence[Callable[[], Awaitable[None]]] = ()
) -> Starlette:
    """
    The ASGI application of many models.

    Args:
        models: that it loads and asks.
        folder: packages below it may be loaded, no others.
        background: what else runs for as long as the application does.
    """
    rate = Rate(models.settings)
    routes = [
        Route(one.path, guarded(models, one, rate), methods=[one.method], name=f"{one.method} {one.path}")
        for one in _endpoints(folder)
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(run()) for run in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            models.close()

    app = Starlette(exception_handlers=HANDLERS)
    app.router = FixedRoutes(routes, lifespan)
    return app


def _endpoints(folder: Path) -> tuple[EndpointOf[LoadedModels], ...]:
    home = os.path.realpath(folder)

    async def load(models: LoadedModels, request: Request, body: bytes) -> Response:
        name, url = _wanted(await offload(len(body), lambda: parse_json(body)))
        if not Path(os.path.realpath(url)).is_relative_to(home):
            raise Problem(400, f"url: expected a folder below {folder}, found {shown(url)}")
        await models.load(name, url)
        return await json_response({"status": f"model {name}: is loaded"})

    return (
        EndpointOf("GET", "/ping", ping, open=True),
        EndpointOf("GET", "/metrics", _metrics),
        EndpointOf("GET", "/models", _list),
        EndpointOf("POST", "/models", load),
        EndpointOf("GET", "/models/{name}", _get),
        EndpointOf("DELETE", "/models/{name}", _unload),
        EndpointOf("POST", "/models/{name}/invoke", _invoke, error_body=error_body),
    )


def _wanted(content: object) -> tuple[str, str]:
    """A name and a folder."""
    name, url = (content.get(key) if isinstance(content, dict) else None for key in ("model_name", "url"))
    if not (
        isinstance(name, str) and isinstance(url, str) and 0 < len(name) <= _MOST_NAME and "\0" not in url
    ):
        raise wrong_shape(f"expected an object with the texts model_name and url, found {shown(content)}")
    return name, url


async def _metrics(models: LoadedModels, request: Request, body: bytes) -> Response:
    return await metrics_text(models.metrics)


async def _list(models: LoadedModels, request: Request, body: bytes) -> Response:
    return await json_response({"models": [_described(one) for one in models.listed()]})


async def _get(models: LoadedModels, request: Request, body: bytes) -> Response:
    return await json_response(_described(models.found(request.path_params["name"])))


async def _unload(models: LoadedModels, request: Request, body: bytes) -> Response:
    name = request.path_params["name"]
    await models.unload(name)
    return await json_response({"status": f"model {name}: is unloaded"})


async def _invoke(models: LoadedModels, request: Request, body: bytes) -> Response:
    with models.found(request.path_params["name"]).in_use() as service:
        return await invoke(service, request, body)


def _described(one: Loaded) -> dict[str, str]:
    return {"modelName": one.name, "modelUrl": one.url}
