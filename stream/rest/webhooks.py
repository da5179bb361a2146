"""An endpoint for another system's signed calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.responses import json_response
from stream.rest.service import Service

__all__ = ["webhook_endpoint"]

_Take: TypeAlias = Callable[[Mapping[str, str], bytes], tuple[int, dict[str, object]]]


def webhook_endpoint(path: str, take: _Take) -> Endpoint:
    """
    Args:
        path: of the endpoint.
        take: from headers and body to the answer's status and JSON; proves the signature, which stands for the token.
    """

    async def answer(service: Service, request: Request, body: bytes) -> Response:
        status, found = take(request.headers, body)
        return await json_response(found, status=status)

    return Endpoint("POST", path, answer, public=True)
