"""The OpenAPI document: every endpoint, with the model's own fields, types and examples."""

from __future__ import annotations

from collections.abc import Sequence

from stream.codec import ABSENT
from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.problems import NOT_ACCEPTABLE, PROBLEM_SCHEMA, STATUSES
from stream.rest.responses import ROW_ERROR_SCHEMA
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.scoring import answer_fields
from stream.types import nullable_schema

__all__ = ["document"]

_GUARDED = (401, 429)
"""The statuses with which a request without a body may be refused."""

_TENSOR = object_of(
    name=TEXT, datatype=TEXT, shape=list_of({"type": "integer", "minimum": 0}), data={"type": "array"}
)


def document(endpoints: Sequence[Endpoint], service: Service) -> Schema:
    """
    The document.

    Args:
        endpoints: to describe.
        service: whose model answers, and whether a token is needed.
    Returns: OpenAPI 3.1.
    Source: spec.openapis.org/oas/v3.1.0
    """
    served = service.served
    secured = service.settings.token is not None
    paths: Schema = {}
    for one in endpoints:
        if one.summary:
            path = one.path.format(name=served.manifest.name, version=served.version)
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
                "Features": {**_features(served), "examples": served.examples[:1]},
                "Prediction": _prediction(served),
                "RowError": ROW_ERROR_SCHEMA,
                "Answer": {"anyOf": [ref("Prediction"), ref("RowError")]},
                "Error": PROBLEM_SCHEMA,
                "Tensor": _TENSOR,
            },
            **({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if secured else {}),
        },
        **({"security": [{"token": []}]} if secured else {}),
    }


def _features(served: Served) -> Schema:
    """The schema of a row; nested fields by dotted names, as in a flat row."""
    properties: Schema = {}
    required: list[str] = []
    for leaf in served.leaves:
        name = served.names[leaf.path]
        about = {} if name == leaf.path else {"title": f"in Avro: {leaf.path}"}
        default = {} if leaf.default is ABSENT else {"default": leaf.default}
        # A carried field may be null, whatever the schema says: the model never sees it.
        nullable = leaf.nullable or leaf not in served.features
        schema = leaf.type.json_schema()
        properties[name] = {**(nullable_schema(schema) if nullable else schema), **about, **default}
        if served.manifest.inputs == "vector" and leaf in served.features:
            properties[name] |= {"minItems": served.manifest.width, "maxItems": served.manifest.width}
        if served.required(leaf):
            required.append(name)
    return {
        "type": "object",
        "description": f"A row for {served.title}. Other fields are ignored.",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _prediction(served: Served) -> Schema:
    """The schema of a prediction."""
    manifest = served.manifest
    by_path = {leaf.path: leaf for leaf in served.leaves}
    properties: Schema = {
        name: nullable_schema(by_path[path].type.json_schema()) for path, name in served.carried.items()
    }
    required = []
    for field in answer_fields(manifest):
        kind = {"type": field.type.json_schema()["type"]}
        properties[field.name] = {"type": "array", "items": kind} if field.array else kind
        required.append(field.name)
    if manifest.score_meaning is not None:
        properties["score"]["description"] = manifest.score_meaning
    if manifest.classes is not None and "label" in properties:
        properties["label"]["enum"] = list(manifest.classes)
    properties["model"] = {**TEXT, "description": "name@version"}
    return {"type": "object", "properties": properties, "required": [*required, "model"]}


def _operation(endpoint: Endpoint, served: Served) -> Schema:
    responses = {"200": _response("The answer.", endpoint.answer, endpoint.media_type)}
    for media_type, schema in endpoint.also.items():
        responses["200"]["content"][media_type] = {"schema": schema}
    operation: Schema = {"summary": endpoint.summary, "responses": responses}
    if endpoint.open:
        operation["security"] = []
    statuses: Sequence[int] = () if endpoint.open else _GUARDED
    if endpoint.content is not None:
        operation["requestBody"] = {"required": True, "content": endpoint.content(served)}
        statuses = tuple(one for one in STATUSES if endpoint.also or one != NOT_ACCEPTABLE)
    responses |= {str(status): _response(STATUSES[status], endpoint.error) for status in statuses}
    if endpoint.stuck is not None:
        responses["503"] = _response("The model is stuck.", endpoint.stuck)
    return operation


def _response(text: str, schema: Schema | None, media_type: str = JSON) -> Schema:
    return {"description": text, **({"content": {media_type: {"schema": schema}}} if schema else {})}
