"""The live page at a worker's web: its files for everybody, its snapshots for those who may see them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress

from aiohttp import web

from stream.live import EVENT_HEADERS, STEP_S, Audience, PageFile, page_files

__all__ = ["serve_live"]

SEND_S = 10.0
"""For a viewer to take what it was sent before; one that takes longer is let go, and may come again."""

UNSENT_BYTES = 65_536
"""What the process holds for a viewer that is slow, and the system beside it: a few snapshots."""

AGAIN_S = 5
"""After a refusal a viewer may try again."""

NOT_MADE = "the page could not be made: see the worker's log"


def serve_live(application: web.Application, audience: Audience, tick: Callable[[], None]) -> None:
    """
    Add the live page to a web application, before that is started.

    Args:
        application: guarded already.
        audience: who looks.
        tick: called in a thread every `STEP_S` seconds while the application runs.
    """

    async def state(request: web.Request) -> web.Response:
        snapshot = b"" if audience.full else await audience.state()
        if not snapshot:
            return _refusal(audience.full or NOT_MADE)
        headers = {name: EVENT_HEADERS[name] for name in ("Cache-Control", "X-Content-Type-Options")}
        return web.Response(body=snapshot, content_type="application/json", headers=headers)

    async def events(request: web.Request) -> web.StreamResponse:
        return _refusal(audience.full) if audience.full else await _stream(request, audience)

    async def ticking(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_tick_on(tick), name="live page's trail")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    for path, file in page_files().items():
        application.router.add_get(path, _answering(file))
    application.router.add_get("/live/state", state)
    application.router.add_get("/live/events", events, allow_head=False)
    application.cleanup_ctx.append(ticking)


async def _tick_on(tick: Callable[[], None]) -> None:
    while True:
        await asyncio.to_thread(tick)
        await asyncio.sleep(STEP_S)


def _answering(file: PageFile) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if file.is_known(request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=file.headers)
        return web.Response(body=file.content, headers=file.headers)

    return answer


def _refusal(why: str) -> web.Response:
    return web.json_response({"error": why}, status=503, headers={"Retry-After": str(AGAIN_S)})


async def _stream(request: web.Request, audience: Audience) -> web.StreamResponse:
    """Send snapshots until the viewer goes, is too slow, or the process ends."""
    response = web.StreamResponse(headers=dict(EVENT_HEADERS))
    try:
        await response.prepare(request)
        _hold_little(request)
        async with aclosing(audience.events()) as found:
            async for event in found:
                async with asyncio.timeout(SEND_S):
                    await response.write(event)
        async with asyncio.timeout(SEND_S):
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # it is gone
    return response


def _hold_little(request: web.Request) -> None:
    transport = request.transport
    if transport is not None:
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
