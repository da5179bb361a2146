"""What an endpoint is: how it is reached, who answers, and what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.problems import Problem
from stream.rest.served_model import Served
from stream.rest.service import Service

__all__ = ["BOOLEAN", "ERROR", "JSON", "TEXT", "Endpoint", "Handler", "Schema", "list_of", "object_of", "ref"]

Handler: TypeAlias = Callable[[Service, Request, bytes], Awaitable[Response]]
"""Answers a request; its body has been read already, and is empty for GET."""

Schema: TypeAlias = dict[str, Any]
"""A JSON schema; it may refer to the components of the OpenAPI document."""

JSON = "application/json"


def ref(name: str) -> Schema:
    """A component of the document: Features, Prediction, RowError, Answer, Error or Tensor."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """A list of such items."""
    return {"type": "array", "items": items}


def object_of(**properties: Schema) -> Schema:
    """An object with these properties, all of them required."""
    return {"type": "object", "required": list(properties), "properties": properties}


TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
ERROR = ref("Error")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One endpoint.

    Attributes:
        method: of HTTP.
        path: `{name}` and `{version}` in it are the model's.
        handler: answers.
        summary: one sentence; empty for the pages that the document leaves out, such as itself.
        answer: the schema of an answer with status 200; None for one without content.
        media_type: of that answer.
        content: given the model, the request's body by media type; None where there is none.
        error: the schema of an answer with any other status.
        error_body: what such an answer says.
        stuck: the schema of the 503 with which a probe answers while the model is stuck; None for other endpoints.
        open: whether it needs no token and doesn't count against the rate: a load balancer's probes.
    """

    method: str
    path: str
    handler: Handler
    summary: str = ""
    answer: Schema | None = None
    media_type: str = JSON
    content: Callable[[Served], dict[str, Any]] | None = None
    error: Schema = field(default_factory=lambda: ERROR)
    error_body: Callable[[Problem], dict[str, Any]] = Problem.body
    stuck: Schema | None = None
    open: bool = False
