"""A worker's web on a port of the loopback, and its clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from stream.app.address import listeners
from stream.app.web_access import Access
from stream.app.web_connections import Connections, Turns, runner_of
from stream.settings import WebSettings

HEALTH = "/health/live"


def no_more(application: web.Application) -> None:
    """The pages of the rig are enough."""


class Rig:
    """A web with a few pages on a port of the loopback, and its clients."""

    def __init__(self, connections: Connections, port: int, clients: contextlib.ExitStack) -> None:
        self.connections = connections
        self.port = port
        self.hanging = False
        self._clients = clients

    async def ask(self, path: str = HEALTH, host: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
        """Status and whole answer to one request."""
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{given}\r\n"
        return await self.say(head.encode("latin-1"))

    async def say(self, request: bytes) -> tuple[int, str]:
        """Status and whole answer to some bytes."""
        [client] = await self.connect(1, request)
        answer = (await rest(client)).decode()
        client.close()
        return int(answer.split(" ", 2)[1]), answer

    async def connect(self, number: int, said: bytes) -> list[socket.socket]:
        """Clients that say this and no more."""
        made: list[socket.socket] = []
        for _ in range(number):
            client = self._clients.enter_context(socket.create_connection(("127.0.0.1", self.port)))
            client.setblocking(False)
            made.append(client)
            await asyncio.sleep(0)
            with contextlib.suppress(ConnectionError):  # it may have been dropped already
                client.sendall(said)
        return made


async def rest(client: socket.socket) -> bytes:
    """Everything until the connection's end."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := await asyncio.get_running_loop().sock_recv(client, 65_536):
            found += part
    return found


@asynccontextmanager
async def served(
    settings: WebSettings | None = None,
    most: int = 10,
    tls: ssl.SSLContext | None = None,
    add: Callable[[web.Application], None] = no_more,
) -> AsyncIterator[Rig]:
    """A web with the worker's guard, and whatever else is added to it."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def hang(request: web.Request) -> web.Response:
        rig.hanging = True
        await asyncio.sleep(3_600)
        raise AssertionError

    application = web.Application()
    application.router.add_get(HEALTH, answer)
    application.router.add_get("/api/status", answer)
    application.router.add_get("/hangs", hang)
    add(application)
    Access(settings or WebSettings()).apply_to(application)
    runner = runner_of(application)
    await runner.setup()
    assert runner.server is not None
    connections = Connections(runner.server, tls, most, Turns(100_000))
    opened = listeners("127.0.0.1", 0, 64)
    clients = contextlib.ExitStack()
    rig = Rig(connections, opened[0].getsockname()[1], clients)
    task = asyncio.create_task(connections.serve(opened))
    try:
        with clients:
            yield rig
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for one in opened:
            one.close()
        await connections.close()
        await runner.cleanup()
