"""What a request to the worker's web passes before a page answers: 1 its turn, 2 the name it uses, 3 the token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from stream.app.web_connections import PER_S, Turns
from stream.http_access import bears, is_called
from stream.live import page_files
from stream.settings import WebSettings

__all__ = ["OPEN", "Access"]

OPEN = frozenset({"/health/live", "/health/ready", *page_files()})
"""
Answered without a token: probes have none, and tell less then; the live page's own files tell nothing, and a browser
asks for the token once it has them.
"""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Access:
    """
    The guard of all pages, a user's own too. Belongs to one event loop.

    Attributes:
        open: paths that need no token.
    """

    def __init__(self, settings: WebSettings) -> None:
        """
        Args:
            settings: names and token.
        """
        self._settings = settings
        self._turns = Turns(PER_S)
        self.open = OPEN

    def apply_to(self, application: web.Application) -> None:
        """Guard an application; before it is started."""

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        application.middlewares.append(guard)
        application.on_response_prepare.append(_keep_version)

    def may_see_all(self, headers: Mapping[str, str]) -> bool:
        """Whether a request has come with the token, or none is asked for."""
        token = self._settings.token
        return token is None or bears(token, headers.get("Authorization", ""))

    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        held = getattr(request.protocol, "held", None)  # absent in aiohttp's own test server
        if held is None:
            return await self._admitted(request, handler)
        held.asked = held.busy = True
        held.since = asyncio.get_running_loop().time()
        try:
            return await self._admitted(request, handler)
        finally:
            held.busy = False
            held.since = asyncio.get_running_loop().time()

    async def _admitted(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        await self._turns.wait()  # 1
        if refusal := self._misnamed(request):  # 2
            return refusal
        if request.path not in self.open and not self.may_see_all(request.headers):  # 3
            text = "a bearer token is needed: `Authorization: Bearer …` ([web] token)"
            return _refusal(401, text, {"WWW-Authenticate": "Bearer"})
        return await handler(request)

    def _misnamed(self, request: web.Request) -> web.Response | None:
        """The refusal of a request whose `Host` is not ours; one without (HTTP/1.0) comes from no browser."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) > 1 or (not hosts and request.version >= (1, 1)):
            return _refusal(400, "a request has one `Host`")
        if not hosts or is_called(hosts[0], self._settings.host, self._settings.hosts):
            return None
        return _refusal(
            403,
            "not called by this name: ask for the address it listens on, or list the name in [web] hosts",
        )


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)


async def _keep_version(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)
