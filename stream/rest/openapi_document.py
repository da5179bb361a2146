"""The OpenAPI document: every endpoint, with the model's own fields, types and examples."""

from __future__ import annotations

from collections.abc import Sequence

from stream.codec import ABSENT
from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import ANY_LIST, ERROR, JSON, TEXT, Schema, any_of, list_of, object_of, ref
from stream.rest.problems import NOT_ACCEPTABLE, PROBLEM_SCHEMA, STATUSES, UNFIT
from stream.rest.responses import ROW_ERROR_SCHEMA
from stream.rest.served_model import Served
from stream.rest.service import PROGRAM, Service
from stream.scoring import answer_fields
from stream.types import nullable_schema

__all__ = ["TAGS", "document"]

TAGS = {
    "predictions": "Rows of the model's fields in, predictions out.",
    "mlflow and sagemaker": "What the scoring server of MLflow and the containers of SageMaker answer.",
    "open inference protocol": "Version 2, as JSON: KServe, MLServer, Triton.",
    "kserve v1": "KServe's protocol version 1, and Vertex AI.",
    "bigquery": "Remote functions.",
    "operations": "For those who run the service.",
}
"""The groups of endpoints."""

_GUARDED = (401, 429)
"""The statuses with which a request may be refused before its body is read, but for probes."""

_WITH_BODY = (413, 415, UNFIT)
"""Those about a body."""

_ANYWHERE = (431, 500, 503, 504)
"""Those of any request."""

_OUTSIDE = (431, 500, 503)
"""Those that may be answered before or after an endpoint: with the service's own body, whatever the endpoint's is."""

_UNREADY = 503
"""The one of them that an endpoint answers as well, with its own body."""

_RETRIED = (429, _UNREADY)
"""Those that say when to try again."""

_TENSOR = object_of(name=TEXT, datatype=TEXT, shape=list_of({"type": "integer", "minimum": 0}), data=ANY_LIST)


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
            path = one.path.format(name=served.model_name, version=served.version)
            paths.setdefault(path, {})[one.method.lower()] = _operation(one, served)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": served.title,
            "version": service.program_version,
            "description": f"The answers of the model {served.title}.",
            "contact": {"name": PROGRAM},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
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
    """What the document says of an endpoint."""
    operation: Schema = {
        "operationId": endpoint.operation,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description or endpoint.summary,
    }
    if endpoint.open:
        operation["security"] = []
    if endpoint.content is not None:
        operation["requestBody"] = {"required": True, "content": endpoint.content(served)}
    answer = _response("The answer.", endpoint.answer, endpoint.media_type)
    for media_type, schema in endpoint.also.items():
        answer["content"][media_type] = {"schema": schema}
    refusals = {str(status): _refusal(endpoint, status) for status in sorted(_statuses(endpoint))}
    return {**operation, "responses": {"200": answer, **refusals}}


def _statuses(endpoint: Endpoint) -> set[int]:
    """With which its requests may be refused."""
    return {
        *_ANYWHERE,
        *(() if endpoint.open else _GUARDED),
        *(_WITH_BODY if endpoint.content is not None else ()),
        *((NOT_ACCEPTABLE,) if endpoint.also else ()),
        *((404,) if "{" in endpoint.path else ()),
    }


def _refusal(endpoint: Endpoint, status: int) -> Schema:
    own = [endpoint.stuck, endpoint.error] if status == _UNREADY else [endpoint.error]
    if status in _OUTSIDE:
        own = [*(own if status == _UNREADY else ()), ERROR]
    refusal = _response(STATUSES[status], any_of(*(body for body in own if body is not None)))
    if status in _RETRIED:
        refusal["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return refusal


def _response(text: str, schema: Schema | None, media_type: str = JSON) -> Schema:
    return {"description": text, **({"content": {media_type: {"schema": schema}}} if schema else {})}
