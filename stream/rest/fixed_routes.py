"""Starlette's router, which looks a fixed path up instead of trying the pattern of each route in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

__all__ = ["FixedRoutes"]

_Answers: TypeAlias = Callable[[Request], Awaitable[Response]]


class FixedRoutes(Router):
    """
    The routes of an application.

    For a path without `{…}` the route's own function is called; Starlette finds all else, what has no route included.
    """

    def __init__(self, routes: Sequence[BaseRoute], lifespan: Callable[..., object]) -> None:
        """
        Args:
            routes: the first one that matches answers; their functions are `async` and take the request.
            lifespan: as Starlette has it.
        """
        super().__init__(routes, lifespan=lifespan)  # type: ignore[arg-type]
        self._fixed: dict[tuple[str, str], _Answers] = {}
        patterns: list[Route] = []
        for route in routes:
            if not isinstance(route, Route):
                continue
            if "{" in route.path:
                patterns.append(route)
            elif not any(before.path_regex.match(route.path) for before in patterns):
                for method in route.methods or ():
                    self._fixed.setdefault((method, route.path), route.endpoint)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run for as long as the application does."""
        answers = None
        if scope["type"] == "http" and not scope["root_path"]:
            answers = self._fixed.get((scope["method"], scope["path"]))
        if answers is None:
            await super().app(scope, receive, send)
        else:
            response = await answers(Request(scope, receive, send))
            await response(scope, receive, send)
