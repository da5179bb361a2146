"""The OpenAPI document: every endpoint, with the model's own fields, types and examples."""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import Any

from stream.rest.json_schemas import ERROR, ROW_ERROR, features_schema, prediction_schema
from stream.rest.served import Served
from stream.rest.tensors import inputs_of, outputs_of
from stream.settings import ServeSettings

__all__ = ["document"]

_TENSOR = {
    "type": "object",
    "required": ["name", "datatype", "shape", "data"],
    "properties": {
        "name": {"type": "string"},
        "datatype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "data": {"type": "array"},
    },
}
_METADATA = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {
        "name": {"type": "string"},
        "datatype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
    },
}
_BOOLEAN = {"type": "boolean"}
_TEXT = {"type": "string"}


def document(served: Served, settings: ServeSettings) -> dict[str, Any]:
    """
    The document.

    Args:
        served: the model.
        settings: say whether a token is needed.
    Returns: OpenAPI 3.1.
    Source: spec.openapis.org/oas/v3.1.0
    """
    secured = settings.token is not None
    paths = {
        "/predict": {"post": _predict(served)},
        "/invocations": {"post": _invocations(served)},
        **{path: {"get": _probe(text)} for path, text in (("/ping", "SageMaker"), ("/health", "MLflow"))},
        "/version": {"get": _get("The version of what serves.", _TEXT, media="text/plain", open_=True)},
        **_protocol(served),
        "/bigquery": {"post": _bigquery(served)},
        "/metrics": {"get": _get("Prometheus' text exposition.", _TEXT, media="text/plain")},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": served.title,
            "version": installed("prediction-stream"),
            "description": f"The answers of the model {served.title}.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Features": {**features_schema(served), "examples": served.examples[:1]},
                "Prediction": prediction_schema(served),
                "RowError": ROW_ERROR,
                "Answer": {"anyOf": [_ref("Prediction"), _ref("RowError")]},
                "Error": ERROR,
                "Tensor": _TENSOR,
            },
            **({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if secured else {}),
        },
        **({"security": [{"token": []}]} if secured else {}),
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _get(
    summary: str, schema: Any, *, media: str = "application/json", open_: bool = False
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": {"description": "So it is.", "content": {media: {"schema": schema}}}},
    }
    if open_:
        return {**operation, "security": []}
    operation["responses"]["401"] = _failure("No token, or another.", _ref("Error"))
    operation["responses"]["429"] = _failure("Too many requests from this address.", _ref("Error"))
    return operation


def _probe(whose: str) -> dict[str, Any]:
    probe = _get(f"200 while requests are answered ({whose}).", _TEXT, open_=True)
    # An empty line, which is no JSON, under JSON's content type: as MLflow's scoring server does it.
    probe["responses"]["200"] = {"description": "It answers."}
    probe["responses"]["503"] = _failure("The model is stuck.", {"type": "object"})
    return probe


def _failure(text: str, schema: Any) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _post(summary: str, content: dict[str, Any], answer: Any, error: Any) -> dict[str, Any]:
    failures = {
        "401": "No token, or another.",
        "413": "The body is too large, or has too many rows.",
        "415": "A content type that is not read here.",
        "422": "Something does not fit; every field is named.",
        "429": "Too many requests from this address.",
        "503": "Overloaded; `Retry-After` says when to try again.",
        "504": "Not done in time.",
    }
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "Answers.", "content": {"application/json": {"schema": answer}}},
            **{status: _failure(text, error) for status, text in failures.items()},
        },
    }


def _predict(served: Served) -> dict[str, Any]:
    body = {"oneOf": [_ref("Features"), _list("Features")]}
    examples = {
        "one": {"summary": "One row", "value": served.examples[0]},
        "several": {"summary": "Several rows", "value": served.examples[:2]},
    } if served.examples else {}  # fmt: skip
    content = {"application/json": {"schema": body, **({"examples": examples} if examples else {})}}
    answer = {"anyOf": [_ref("Prediction"), _list("Answer")]}
    return _post("One object → one prediction, a list → a list.", content, answer, _ref("Error"))


def _invocations(served: Served) -> dict[str, Any]:
    split = _object(
        columns={"type": "array", "items": _TEXT}, data={"type": "array", "items": {"type": "array"}}
    )
    rows = {"type": "array", "items": {"anyOf": [_ref("Features"), {"type": "array"}]}}
    body = {
        "oneOf": [
            _object(dataframe_records=_list("Features")),
            _object(dataframe_split=split),
            _object(instances=rows),
            _object(inputs={"anyOf": [rows, {"type": "object"}]}),
        ]
    }
    example = {"example": {"dataframe_records": served.examples[:2]}} if served.examples else {}
    content = {"application/json": {"schema": body, **example}, "text/csv": {"schema": _TEXT}}
    error = {"allOf": [_ref("Error"), _object(error_code=_TEXT, message=_TEXT)]}
    answer = _object(predictions=_list("Answer"))
    return _post("What MLflow's and SageMaker's clients send.", content, answer, error)


def _bigquery(served: Served) -> dict[str, Any]:
    body = _object(calls={"type": "array", "items": {"type": "array"}})
    calls = [[example] for example in served.examples[:2]]
    content = {"application/json": {"schema": body, **({"example": {"calls": calls}} if calls else {})}}
    answer = _object(replies=_list("Answer"))
    return _post("A remote function of BigQuery.", content, answer, _object(errorMessage=_TEXT))


def _protocol(served: Served) -> dict[str, Any]:
    """The Open Inference Protocol's paths, with the model's own name in them."""
    model = f"/v2/models/{served.name}"
    tensors = {"type": "array", "items": _METADATA}
    metadata = _object(
        name=_TEXT,
        versions={"type": "array", "items": _TEXT},
        platform=_TEXT,
        inputs=tensors,
        outputs=tensors,
    )
    paths = {
        "/v2": {
            "get": _get("What serves.", _object(name=_TEXT, version=_TEXT, extensions={"type": "array"}))
        },
        "/v2/health/live": {"get": _get("Progress is made.", _object(live=_BOOLEAN), open_=True)},
        "/v2/health/ready": {"get": _get("Requests are answered.", _object(ready=_BOOLEAN), open_=True)},
    }
    for path in (model, f"{model}/versions/{served.version}"):
        paths[path] = {"get": _get("The model's tensors.", metadata)}
        paths[f"{path}/ready"] = {"get": _get("The model answers.", _object(name=_TEXT, ready=_BOOLEAN))}
        paths[f"{path}/infer"] = {"post": _infer(served)}
    return paths


def _infer(served: Served) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": {"type": ["object", "null"]},
            "inputs": {"type": "array", "minItems": 1, "items": _ref("Tensor")},
            "outputs": {
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"enum": [one["name"] for one in outputs_of(served)]}},
                },
            },
        },
    }
    answer = _object(model_name=_TEXT, model_version=_TEXT, outputs=_list("Tensor"))
    content = {"application/json": {"schema": body, **_tensor_example(served)}}
    return _post("Tensors in, tensors out.", content, answer, _ref("Error"))


def _tensor_example(served: Served) -> dict[str, Any]:
    """A golden row as tensors."""
    if not served.examples:
        return {}
    row = served.examples[0]
    inputs = []
    for tensor in inputs_of(served):
        values: list[Any] = [row.get(tensor["name"])]
        if served.inputs == "vector":
            values = list(row[served.names[served.features[0].path]])
        elif served.inputs == "matrix":
            values = [row[served.names[feature.path]] for feature in served.model.manifest.features]
        shape = [1] if served.inputs == "frame" else [1, served.width]
        inputs.append({**tensor, "shape": shape, "data": values})
    return {"example": {"inputs": inputs}}
