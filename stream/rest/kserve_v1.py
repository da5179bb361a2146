"""
KServe's protocol version 1, which is TensorFlow Serving's: `instances` → `predictions`.

Source: kserve/kserve, python/kserve/kserve/protocol/rest/v1_endpoints.py and errors.py.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import ANY_LIST, BOOLEAN, ERROR, JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.mlflow_shapes import listed_rows
from stream.rest.problems import Problem, wrong_shape
from stream.rest.request_body import offload, parse_json, require_json
from stream.rest.responses import as_objects, json_response
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.types import shown

__all__ = ["ENDPOINTS", "predict_instances"]


async def predict_instances(service: Service, request: Request, body: bytes) -> Response:
    """`{"instances": […]}` → `{"predictions": […]}`, whatever stands beside, such as `parameters`."""
    require_json(request)
    served = service.served
    rows = await offload(len(body), lambda: _rows(served, parse_json(body)))
    answers = await service.answer(served, rows, len(body))
    return await json_response({"predictions": as_objects(answers)}, len(answers))


def _rows(served: Served, content: object) -> list[object]:
    instances = content.get("instances") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(instances, list):
        found = content if instances is None else {"instances": instances}
        raise wrong_shape(f"expected an object with the list instances, found {shown(found)}")
    if "inputs" in content:  # KServe's own servers prefer it, others don't know it
        raise wrong_shape("expected instances alone, found inputs beside")
    return listed_rows(served, instances, "instances")


async def _models(service: Service, request: Request, body: bytes) -> Response:
    return await json_response({"models": [service.served.model_name]})


async def _model(service: Service, request: Request, body: bytes) -> Response:
    if request.path_params["name"].endswith(":predict"):  # a name has no colon: it is the other path
        raise Problem(405, "Method Not Allowed: POST asks for predictions", headers={"allow": "POST"})
    name = _named(service, request)
    if not service.ready:
        raise Problem(503, f"Model with name {name} is not ready.")
    return await json_response({"name": name, "ready": True})


async def _predict(service: Service, request: Request, body: bytes) -> Response:
    _named(service, request)
    return await predict_instances(service, request, body)


def _named(service: Service, request: Request) -> str:
    """The model's name, as the path has it; 404, in KServe's words, for any other."""
    name: str = request.path_params["name"]
    if name != service.served.model_name:
        raise Problem(404, f"Model with name {name} does not exist.")
    return name


def _content(served: Served) -> Schema:
    rows = list_of({"anyOf": [ref("Features"), ANY_LIST]})
    example = {"example": {"instances": served.examples[:2]}} if served.examples else {}
    return {JSON: {"schema": object_of(instances=rows), **example}}


_TAG = "kserve v1"

ENDPOINTS = (
    Endpoint(
        "GET", "/v1/models", _models, "The names of the models.", "kserveModels", _TAG,
        answer=object_of(models=list_of(TEXT)),
    ),
    # Before the path that holds any name, such as this one's: else another method's answer would allow that one's.
    Endpoint(
        "POST", "/v1/models/{name}:predict", _predict, "Instances in, predictions out.", "kservePredict", _TAG,
        "Rows by name or by position, as KServe's and Vertex AI's clients send them.",
        object_of(predictions=list_of(ref("Answer"))), content=_content,
    ),
    Endpoint(
        "GET", "/v1/models/{name}", _model, "The model answers.", "kserveReady", _TAG,
        answer=object_of(name=TEXT, ready=BOOLEAN), stuck=ERROR,
    ),
)  # fmt: skip
