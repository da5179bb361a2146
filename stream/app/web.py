"""The worker's web: health, metrics and status on Faust's own server. Nothing here changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from faust.web.drivers import aiohttp as driver

from stream.app.worker_status import Status

__all__ = ["Web", "serve_views"]


class Web(driver.Web):
    """Faust's web server without the pages that it opens by itself (`/table`, `/router`, an index)."""

    default_blueprints: ClassVar[list[Any]] = []
    production_blueprints: ClassVar[list[Any]] = []
    debug_blueprints: ClassVar[list[Any]] = []
    optional_blueprints: ClassVar[list[Any]] = []


def serve_views(app: Any, status: Status) -> None:
    """
    Add the worker's views to a Faust app.

    Args:
        app: the Faust app.
        status: what they answer from.
    """
    view = Callable[[Any, Any], Awaitable[Any]]

    async def live(web: Any, request: Any) -> Any:
        """Whether the process makes progress; 503 when its engine is stuck or dead."""
        pause = round(status.parts.engine.progress.pause_s, 3)
        body = {"live": status.live, "last_progress_seconds": pause}
        return web.json(body, status=200 if status.live else 503)

    async def ready(web: Any, request: Any) -> Any:
        """Whether it is assigned, loaded and connected; 503 with what is lacking."""
        lacking = status.lacking()
        return web.json({"ready": not lacking, "lacking": lacking}, status=503 if lacking else 200)

    async def metrics(web: Any, request: Any) -> Any:
        """Prometheus' text exposition."""
        await asyncio.to_thread(status.refresh)
        body = status.parts.metrics.text()
        return web.bytes(body, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def show(web: Any, request: Any) -> Any:
        """Everything as JSON."""
        return web.json(await asyncio.to_thread(status.as_dict))

    routes: dict[str, view] = {
        "/health/live": live,
        "/health/ready": ready,
        "/metrics": metrics,
        "/api/status": show,
    }
    for path, handler in routes.items():
        app.page(path)(handler)
