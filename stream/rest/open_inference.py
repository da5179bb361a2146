"""
The Open Inference Protocol, version 2, over REST.

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.body import aside, parse_json, require_json
from stream.rest.problems import Problem, wrong_shape
from stream.rest.served import Answer, Served
from stream.rest.service import Service, json_response, row_error
from stream.rest.tensors import inputs_of, outputs_of, rows_of, tensors_of
from stream.table import shown

__all__ = ["infer", "live", "model_metadata", "model_ready", "ready", "server_metadata"]


async def live(service: Service, request: Request, body: bytes) -> Response:
    """Whether the process makes progress."""
    return await json_response({"live": service.ready}, status=200 if service.ready else 503)


async def ready(service: Service, request: Request, body: bytes) -> Response:
    """Whether requests are answered."""
    return await json_response({"ready": service.ready}, status=200 if service.ready else 503)


async def server_metadata(service: Service, request: Request, body: bytes) -> Response:
    """What serves."""
    return await json_response(
        {"name": "prediction-stream", "version": installed("prediction-stream"), "extensions": []}
    )


async def model_metadata(service: Service, request: Request, body: bytes) -> Response:
    """What the model takes and answers."""
    served = _model(service, request)
    return await json_response(
        {
            "name": served.name,
            "versions": [served.version],
            "platform": "sklearn_prediction-stream",
            "inputs": inputs_of(served),
            "outputs": outputs_of(served),
        }
    )


async def model_ready(service: Service, request: Request, body: bytes) -> Response:
    """Whether the model answers."""
    served = _model(service, request)
    return await json_response(
        {"name": served.name, "ready": service.ready}, status=200 if service.ready else 503
    )


async def infer(service: Service, request: Request, body: bytes) -> Response:
    """Tensors in, tensors out."""
    served = _model(service, request)
    if "inference-header-content-length" in request.headers:
        raise Problem(415, "binary tensors are not read: send them as JSON")
    require_json(request)
    content = await aside(len(body), lambda: parse_json(body))
    if not isinstance(content, dict):
        raise wrong_shape(f"expected an object with inputs, found {shown(content)}")
    for name, kind in (("id", str), ("parameters", dict)):
        if not isinstance(content.get(name), kind | None):
            raise wrong_shape(f"{name}: expected {kind.__name__}, found {shown(content[name])}")
    wanted = _wanted(served, content)
    rows = await aside(len(body), lambda: rows_of(served, content.get("inputs")))
    answers = await service.answer(served, rows, len(body))
    outputs = tensors_of(served, _all(served, answers))
    return await json_response(
        {
            "model_name": served.name,
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
    if name != served.name:
        raise Problem(404, f"no model {name!r} here, only {served.name!r}")
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


def _all(served: Served, answers: list[Answer]) -> list[dict[str, Any]]:
    """A tensor has no place for a row without an answer."""
    faults = [
        {"row": row, **row_error(answer)["error"]}
        for row, answer in enumerate(answers)
        if isinstance(answer, DeadLetter)
    ]
    if faults:
        raise Problem(422, f"{served.title} has no answer for {len(faults)} of {len(answers)} rows", faults)
    return [answer for answer in answers if isinstance(answer, dict)]
