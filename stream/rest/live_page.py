"""The live page of the service: its files for everybody, its snapshots for those who may see them."""

from __future__ import annotations

from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from stream.http_access import is_called, is_loopback
from stream.live import EVENT_HEADERS, Audience, PageFile, page_files
from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import JSON
from stream.rest.problems import Problem
from stream.rest.service import Service

__all__ = ["LIVE_PATHS", "live_page"]

EVENTS, STATE = "/live/events", "/live/state"

LIVE_PATHS = frozenset({EVENTS, STATE, *page_files()} - {"/"})
"""Requests for these say nothing of the service's work."""

NOT_MADE = "the page could not be made: see the service's log"


class _Events(StreamingResponse):
    """Snapshots for one viewer, whose place is free again as soon as it is gone."""

    def __init__(self, audience: Audience) -> None:
        self._events = audience.events()
        super().__init__(self._events, headers=dict(EVENT_HEADERS))

    async def stream_response(self, send: Send) -> None:
        """Called by Starlette."""
        async with aclosing(self._events):
            await super().stream_response(send)


def live_page(audience: Audience) -> tuple[Endpoint, ...]:
    """
    The page's endpoints.

    Args:
        audience: who looks.
    """

    async def state(service: Service, request: Request, body: bytes) -> Response:
        _check_name(service, request)
        _check_room(audience)
        snapshot = await audience.state()
        if not snapshot:
            raise _refused(audience.full or NOT_MADE)
        headers = {name: EVENT_HEADERS[name] for name in ("Cache-Control", "X-Content-Type-Options")}
        return Response(snapshot, media_type=JSON, headers=headers)

    async def events(service: Service, request: Request, body: bytes) -> Response:
        _check_name(service, request)
        if request.method == "HEAD":
            return Response(headers=EVENT_HEADERS)  # it takes nobody's place
        _check_room(audience)
        return _Events(audience)

    return (
        *(_endpoint(path, file) for path, file in page_files().items()),
        Endpoint("GET", STATE, state),
        Endpoint("GET", EVENTS, events),
    )


def _endpoint(path: str, file: PageFile) -> Endpoint:
    async def answer(service: Service, request: Request, body: bytes) -> Response:
        if file.is_known(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=file.headers)
        return Response(file.content, headers=file.headers)

    return Endpoint("GET", path, answer, public=True)


def _check_name(service: Service, request: Request) -> None:
    """
    A page of the web that has its own name point at this machine (`stream.http_access`) sees nobody's predictions.

    Raises: Problem 403 where this machine alone may ask, without a token, and is called by a name that isn't its own.
    """
    settings = service.settings
    own = settings.token is not None or not is_loopback(settings.host)
    if not own and not is_called(request.headers.get("host", settings.host), settings.host, ()):
        why = "not called by this name: ask for the address that it listens on, or set [serve] token"
        raise Problem(403, why)


def _check_room(audience: Audience) -> None:
    """Raises: Problem 503 when no further viewer is taken."""
    if audience.full:
        raise _refused(audience.full)


def _refused(why: str) -> Problem:
    return Problem(503, why, headers={"retry-after": "5"})
