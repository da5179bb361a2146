"""
The Open Inference Protocol, version 2, over REST.

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import BOOLEAN, JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.problems import Problem, wrong_shape
from stream.rest.request_body import offload, parse_json, require_json
from stream.rest.responses import json_response, row_fault
from stream.rest.served_model import Answer, JsonObject, Served
from stream.rest.service import PROGRAM, Service
from stream.rest.tensor_values import wrong_parameters
from stream.rest.tensors import inputs_of, outputs_of, rows_of, tensors_of
from stream.types import shown

__all__ = ["ENDPOINTS"]


async def _live(service: Service, request: Request, body: bytes) -> Response:
    return await json_response({"live": service.live}, status=200 if service.live else 503)


async def _ready(service: Service, request: Request, body: bytes) -> Response:
    return await _readiness(service, ready=service.ready)


async def _model_ready(service: Service, request: Request, body: bytes) -> Response:
    return await _readiness(service, name=_model(service, request).model_name, ready=service.ready)


async def _readiness(service: Service, **content: object) -> Response:
    return await json_response(content, status=200 if service.ready else 503)


async def _server_metadata(service: Service, request: Request, body: bytes) -> Response:
    return await json_response({"name": PROGRAM, "version": service.program_version, "extensions": []})


async def _models(service: Service, request: Request, body: bytes) -> Response:
    return await json_response({"models": [service.served.model_name]})


async def _model_metadata(service: Service, request: Request, body: bytes) -> Response:
    served = _model(service, request)
    return await json_response(
        {
            "name": served.model_name,
            "versions": [served.version],
            "platform": "sklearn_prediction-stream",
            "inputs": inputs_of(served),
            "outputs": outputs_of(served),
        }
    )


async def _infer(service: Service, request: Request, body: bytes) -> Response:
    served = _model(service, request)
    if "inference-header-content-length" in request.headers:
        raise Problem(415, "binary tensors are not supported (`extensions` is empty): send them as JSON")
    require_json(request)
    content = await offload(len(body), lambda: parse_json(body))
    if not isinstance(content, dict):
        raise wrong_shape(f"expected an object with inputs, found {shown(content)}")
    if not isinstance(content.get("id"), str | None):
        raise wrong_shape(f"id: expected a text, found {shown(content['id'])}")
    if fault := wrong_parameters(content.get("parameters")):
        raise wrong_shape(fault)
    wanted = _wanted(served, content)
    rows = await offload(len(body), lambda: rows_of(served, content.get("inputs")))
    answers = await service.answer(served, rows, len(body))
    outputs = tensors_of(served, _predictions(served, answers))
    return await json_response(
        {
            "model_name": served.model_name,
            "model_version": served.version,
            **({"id": content["id"]} if content.get("id") is not None else {}),
            "outputs": [tensor for tensor in outputs if wanted is None or tensor["name"] in wanted],
        },
        len(rows),
    )


def _model(service: Service, request: Request) -> Served:
    """The model of the path; 404 for any other."""
    served = service.served
    name, version = request.path_params["name"], request.path_params.get("version", served.version)
    if name != served.model_name:
        raise Problem(404, f"no model {name!r} here, only {served.model_name!r}")
    if version != served.version:
        raise Problem(404, f"model {name!r} has version {served.version} here, not {version}")
    return served


def _wanted(served: Served, content: Mapping[str, Any]) -> set[str] | None:
    """The outputs that are asked for; None for all."""
    outputs = content.get("outputs")
    if outputs is None or outputs == []:
        return None
    if not isinstance(outputs, list) or not all(isinstance(one, dict) for one in outputs):
        raise wrong_shape("outputs: expected a list of objects with a name")
    known = [tensor["name"] for tensor in outputs_of(served)]
    names = [one.get("name") for one in outputs]
    wrong = [
        {
            "field": f"outputs[{i}]",
            "reason": "unknown_output",
            "message": f"expected one of {', '.join(known)}",
        }
        for i, name in enumerate(names)
        if name not in known
    ]
    if wrong:
        raise Problem(422, f"{served.title} has no such outputs; see errors", wrong)
    return set(names)


def _predictions(served: Served, answers: list[Answer]) -> list[JsonObject]:
    """The answers, all of them predictions: a tensor has no place for a row without one."""
    faults = [
        {"row": row, **row_fault(answer)}
        for row, answer in enumerate(answers)
        if isinstance(answer, DeadLetter)
    ]
    if faults:
        raise Problem(422, f"{served.title} has no answer for {len(faults)} of {len(answers)} rows", faults)
    return [answer for answer in answers if isinstance(answer, dict)]


def _content(served: Served) -> Schema:
    chosen = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"enum": [one["name"] for one in outputs_of(served)]}},
    }
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": {"type": ["object", "null"]},
            "inputs": {"type": "array", "minItems": 1, "items": ref("Tensor")},
            "outputs": {"type": ["array", "null"], "items": chosen},
        },
    }
    return {JSON: {"schema": schema, **_example(served)}}


def _example(served: Served) -> JsonObject:
    """A golden row as tensors."""
    if not served.examples:
        return {}
    row = served.examples[0]
    inputs = []
    for tensor in inputs_of(served):
        values: list[Any] = [row.get(tensor["name"])]
        if served.is_vector:
            values = list(row[served.names[served.features[0].path]])
        elif served.manifest.inputs == "matrix":
            values = [row[served.names[feature.path]] for feature in served.manifest.features]
        shape = [1, served.manifest.width] if served.manifest.is_array else [1]
        inputs.append({**tensor, "shape": shape, "data": values})
    return {"example": {"inputs": inputs}}


_LIVE, _READY = object_of(live=BOOLEAN), object_of(ready=BOOLEAN)
_MODEL_READY = object_of(name=TEXT, ready=BOOLEAN)
_TENSORS = list_of(object_of(name=TEXT, datatype=TEXT, shape=list_of({"type": "integer"})))


_TAG = "open inference protocol"
"""Its operations have the protocol's own names."""


def _of_model(path: str, one: str) -> tuple[Endpoint, ...]:
    """The endpoints of a model, at one of its paths; `one` begins their operations' names."""
    metadata = object_of(name=TEXT, versions=list_of(TEXT), platform=TEXT, inputs=_TENSORS, outputs=_TENSORS)
    outputs = object_of(model_name=TEXT, model_version=TEXT, outputs=list_of(ref("Tensor")))
    about = "A tensor for each feature, or one of numbers for all of them."
    return (
        Endpoint(
            "GET", path, _model_metadata, "The model's tensors.", f"{one}Metadata", _TAG, answer=metadata
        ),
        Endpoint(
            "GET", f"{path}/ready", _model_ready, "The model answers.", f"{one}Ready", _TAG,
            answer=_MODEL_READY, stuck=_MODEL_READY,
        ),
        Endpoint(
            "POST", f"{path}/infer", _infer, "Tensors in, tensors out.", f"{one}Infer", _TAG, about, outputs,
            content=_content,
        ),
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "GET", "/v2/health/live", _live, "The process makes progress.", "serverLive", _TAG,
        answer=_LIVE, stuck=_LIVE, open=True,
    ),
    Endpoint(
        "GET", "/v2/health/ready", _ready, "Requests are answered.", "serverReady", _TAG,
        answer=_READY, stuck=_READY, open=True,
    ),
    Endpoint(
        "GET", "/v2", _server_metadata, "The server.", "serverMetadata", _TAG,
        answer=object_of(name=TEXT, version=TEXT, extensions=list_of(TEXT)),
    ),
    Endpoint(
        "GET", "/v2/models", _models, "The names of the models (KServe).", "listModels", _TAG,
        answer=object_of(models=list_of(TEXT)),
    ),
    *_of_model("/v2/models/{name}", "model"),
    *_of_model("/v2/models/{name}/versions/{version}", "modelVersion"),
)  # fmt: skip
