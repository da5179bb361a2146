"""The worker's web: health, metrics and status on Faust's own server. Nothing here changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Generic, TypeVar

import faust
from aiohttp import web
from faust.web.base import Request, Response
from faust.web.drivers import aiohttp as driver
from faust.web.views import View

from stream.app.address import listeners, server_tls
from stream.app.live_web import serve_live
from stream.app.live_worker import WorkerLive
from stream.app.version_bell import VersionBell
from stream.app.web_access import Access
from stream.app.web_connections import BACKLOG, Connections, most_connections, runner_of
from stream.app.worker_status import Status
from stream.live import Audience
from stream.mlflow import WEBHOOK_PATH
from stream.settings import Settings

__all__ = ["Web", "serve_views"]

SHARED_S = 0.25
"""For how long an answer is given again: it takes milliseconds of the engine's time to put together."""

T = TypeVar("T")


class Web(driver.Web):
    """
    Faust's web server, guarded, and with connections of our own.

    Without the pages that Faust opens by itself (`/table`, `/router`, an index).
    """

    default_blueprints: ClassVar[list[Any]] = []
    production_blueprints: ClassVar[list[Any]] = []
    debug_blueprints: ClassVar[list[Any]] = []
    optional_blueprints: ClassVar[list[Any]] = []

    def __init__(self, app: faust.App, settings: Settings) -> None:
        """
        Args:
            app: whose web it is.
            settings: where it listens, and who may ask.
        Raises: SettingsError when its certificate can't be used.
        """
        super().__init__(app)
        self._settings = settings.web
        self._tls = server_tls("[web]", settings.web.certificate, settings.web.key, settings.path)
        self._connections: Connections | None = None
        self._serving: asyncio.Task[None] | None = None
        self._crashing: asyncio.Future[None] | None = None
        self._runner = runner_of(self.web_app)
        self._audience: Audience | None = None
        self.access = Access(settings.web)
        self.access.apply_to(self.web_app)

    def show(self, live: WorkerLive) -> None:
        """Serve the live page; before the server is started."""
        self._audience = Audience(live.snapshot, live.watch, most_connections() // 2)
        serve_live(self.web_app, self._audience, live.tick)

    def take_webhooks(self, bell: VersionBell) -> None:
        """Take MLflow's webhooks, whose signature stands for the token; before the server is started."""

        async def take(request: web.Request) -> web.Response:
            status, answer = bell.take(request.headers, await request.read())
            return web.json_response(answer, status=status)

        self.access.open |= {WEBHOOK_PATH}
        self.web_app.router.add_post(WEBHOOK_PATH, take)

    async def start_server(self) -> None:
        """Listen. Called by Faust."""
        await self._runner.setup()
        assert self._runner.server is not None  # since `setup`
        self._connections = Connections(self._runner.server, self._tls)
        self._open = listeners(self._settings.host, self._settings.port, BACKLOG)
        self._serving = asyncio.create_task(self._connections.serve(self._open), name="web")
        self._serving.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug ended it: a worker that can't be looked at must not go on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashing = asyncio.ensure_future(self.crash(error))

    async def stop_server(self) -> None:
        """Listen no longer, and end what is connected. Called by Faust."""
        if self._audience is not None:
            self._audience.close()
        if self._serving is not None and self._connections is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving
            for listener in self._open:
                listener.close()
            await self._connections.close()
        await super().stop_server()


class _Shared(Generic[T]):
    """An answer that several requests share, put together in a thread. Belongs to one event loop."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: asyncio.Future[T] | None = None
        self._at = 0.0

    async def __call__(self) -> T:
        loop = asyncio.get_running_loop()
        if self._made is None or (self._made.done() and loop.time() - self._at > SHARED_S):
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
            self._made.add_done_callback(lambda _: setattr(self, "_at", loop.time()))
        return await asyncio.shield(self._made)


def serve_views(app: faust.App, access: Access, status: Status) -> None:
    """
    Add the worker's views to a Faust app.

    Args:
        app: the Faust app.
        access: knows who may see what.
        status: what they answer from.
    """

    async def live(view: View, request: Request) -> Response:
        """Whether the process makes progress; 503 when its engine is stuck or dead."""
        pause = round(status.parts.engine.progress.pause_s, 3)
        body = {"live": status.live, "last_progress_seconds": pause}
        return view.json(body, status=200 if status.live else 503)

    async def ready(view: View, request: Request) -> Response:
        """Whether it is assigned, loaded and connected; 503 with what is lacking, where the caller may know."""
        lacking = status.lacking()
        body: dict[str, object] = {"ready": not lacking}
        if access.may_see_all(request.headers):
            body["lacking"] = lacking
        return view.json(body, status=503 if lacking else 200)

    text, whole = _Shared(lambda: _metrics_of(status)), _Shared(status.as_dict)

    async def metrics(view: View, request: Request) -> Response:
        """Prometheus' text exposition."""
        return view.bytes(
            await text(), content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"}
        )

    async def show(view: View, request: Request) -> Response:
        """Everything as JSON."""
        return view.json(await whole())

    for path, answer in {
        "/health/live": live,
        "/health/ready": ready,
        "/metrics": metrics,
        "/api/status": show,
    }.items():
        app.page(path)(answer)


def _metrics_of(status: Status) -> bytes:
    status.refresh()
    return status.parts.metrics.text()
