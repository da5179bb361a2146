"""What an endpoint is: how it is reached, what handles it, and how the OpenAPI document describes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.front import Front
from stream.rest.json_schemas import ERROR, JSON, Schema
from stream.rest.problems import Problem
from stream.rest.served_model import Served
from stream.rest.service import Service

__all__ = ["Endpoint", "EndpointOf", "Handler"]

F = TypeVar("F", bound=Front)

Handler: TypeAlias = Callable[[F, Request, bytes], Awaitable[Response]]
"""Answers a request, whose body was read already; for GET it is empty."""


@dataclass(frozen=True, slots=True)
class EndpointOf(Generic[F]):
    """
    One endpoint of a kind of front.

    Attributes:
        method: `GET`, `POST` or `DELETE`.
        path: may hold the model's `{name}` and `{version}`.
        handler: answers its requests.
        summary: one sentence; empty for pages that the document leaves out, such as itself.
        operation: its name in the document, once there, by which generated clients call it; in camel case.
        tag: the group in the document that it belongs to (`openapi_document.TAGS`).
        description: what else a caller needs to know; empty where the summary says it all.
        answer: the schema of an answer with status 200; None for one without content.
        media_type: of that answer.
        also: the schemas of the same answer in other formats, by media type, where the header `accept` chooses one.
        content: from the model, the request's body by media type; None where there is no body.
        error: the schema of an answer with any other status.
        error_body: such an answer's body.
        stuck: the schema of a probe's 503 while the model is stuck; None for other endpoints.
        open: whether it needs no token and doesn't count against the rate, as for a load balancer's probes.
        public: whether it needs no token, but counts against the rate: a page that shows nothing of the model's data.
    """

    method: str
    path: str
    handler: Handler[F]
    summary: str = ""
    operation: str = ""
    tag: str = ""
    description: str = ""
    answer: Schema | None = None
    media_type: str = JSON
    also: Mapping[str, Schema] = field(default_factory=dict)
    content: Callable[[Served], Schema] | None = None
    error: Schema = field(default_factory=lambda: ERROR)
    error_body: Callable[[Problem], dict[str, object]] = Problem.body
    stuck: Schema | None = None
    open: bool = False
    public: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint(EndpointOf[Service]):
    """One endpoint of the service of one model."""
