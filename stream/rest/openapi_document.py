"""The OpenAPI document: every endpoint, with the model's own fields, types and examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stream.rest.endpoint import JSON, TEXT, Endpoint, Schema, list_of, object_of, ref
from stream.rest.json_schemas import features_schema, prediction_schema
from stream.rest.problems import PROBLEM_SCHEMA, STATUSES
from stream.rest.responses import ROW_ERROR_SCHEMA
from stream.rest.served_model import Served
from stream.rest.service import Service

__all__ = ["document"]

_GUARDED = (401, 429)
"""What a request without a body may be refused with."""

_TENSOR = object_of(
    name=TEXT, datatype=TEXT, shape=list_of({"type": "integer", "minimum": 0}), data={"type": "array"}
)


def document(endpoints: Sequence[Endpoint], service: Service) -> dict[str, Any]:
    """
    The document.

    Args:
        endpoints: all that there are.
        service: its model, and whether a token is needed.
    Returns: OpenAPI 3.1.
    Source: spec.openapis.org/oas/v3.1.0
    """
    served = service.served
    secured = service.settings.token is not None
    paths: dict[str, Any] = {}
    for one in endpoints:
        if one.summary:
            path = one.path.format(name=served.name, version=served.version)
            paths.setdefault(path, {})[one.method.lower()] = _operation(one, served)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": served.title,
            "version": service.program_version,
            "description": f"The answers of the model {served.title}.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Features": {**features_schema(served), "examples": served.examples[:1]},
                "Prediction": prediction_schema(served),
                "RowError": ROW_ERROR_SCHEMA,
                "Answer": {"anyOf": [ref("Prediction"), ref("RowError")]},
                "Error": PROBLEM_SCHEMA,
                "Tensor": _TENSOR,
            },
            **({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if secured else {}),
        },
        **({"security": [{"token": []}]} if secured else {}),
    }


def _operation(endpoint: Endpoint, served: Served) -> dict[str, Any]:
    responses = {"200": _response("The answer.", endpoint.answer, endpoint.media_type)}
    operation: dict[str, Any] = {"summary": endpoint.summary, "responses": responses}
    if endpoint.open:
        operation["security"] = []
    statuses: Sequence[int] = () if endpoint.open else _GUARDED
    if endpoint.content is not None:
        operation["requestBody"] = {"required": True, "content": endpoint.content(served)}
        statuses = tuple(STATUSES)
    responses |= {str(status): _response(STATUSES[status], endpoint.error) for status in statuses}
    if endpoint.stuck is not None:
        responses["503"] = _response("The model is stuck.", endpoint.stuck)
    return operation


def _response(text: str, schema: Schema | None, media_type: str = JSON) -> dict[str, Any]:
    return {"description": text, **({"content": {media_type: {"schema": schema}}} if schema else {})}
