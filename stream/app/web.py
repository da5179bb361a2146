"""The worker's web: health, metrics and status on Faust's own server. Nothing here changes anything."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import faust
from faust.web.base import Request, Response
from faust.web.drivers import aiohttp as driver
from faust.web.views import View

from stream.app.worker_status import Status

__all__ = ["Web", "serve_views"]


class Web(driver.Web):
    """Faust's web server without the pages that it opens by itself (`/table`, `/router`, an index)."""

    default_blueprints: ClassVar[list[Any]] = []
    production_blueprints: ClassVar[list[Any]] = []
    debug_blueprints: ClassVar[list[Any]] = []
    optional_blueprints: ClassVar[list[Any]] = []


def serve_views(app: faust.App, status: Status) -> None:
    """
    Add the worker's views to a Faust app.

    Args:
        app: the Faust app.
        status: what they answer from.
    """

    async def live(view: View, request: Request) -> Response:
        """Whether the process makes progress; 503 when its engine is stuck or dead."""
        pause = round(status.parts.engine.progress.pause_s, 3)
        body = {"live": status.live, "last_progress_seconds": pause}
        return view.json(body, status=200 if status.live else 503)

    async def ready(view: View, request: Request) -> Response:
        """Whether it is assigned, loaded and connected; 503 with what is lacking."""
        lacking = status.lacking()
        return view.json({"ready": not lacking, "lacking": lacking}, status=503 if lacking else 200)

    async def metrics(view: View, request: Request) -> Response:
        """Prometheus' text exposition."""
        await asyncio.to_thread(status.refresh)
        body = status.parts.metrics.text()
        return view.bytes(body, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def show(view: View, request: Request) -> Response:
        """Everything as JSON."""
        return view.json(await asyncio.to_thread(status.as_dict))

    for path, answer in {
        "/health/live": live,
        "/health/ready": ready,
        "/metrics": metrics,
        "/api/status": show,
    }.items():
        app.page(path)(answer)
