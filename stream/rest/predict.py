"""`POST /predict`: one object → one prediction, a list → a list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import JSON, Schema, list_of, ref
from stream.rest.problems import Problem, wrong_shape
from stream.rest.request_body import offload, parse_json, require_json
from stream.rest.responses import as_objects, json_response, row_fault
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.types import shown

__all__ = ["ENDPOINTS"]


async def _predict(service: Service, request: Request, body: bytes) -> Response:
    require_json(request)
    served = service.served
    content = await offload(len(body), lambda: parse_json(body))
    if isinstance(content, dict):
        [answer] = await service.answer(served, [content], len(body), single=True)
        if isinstance(answer, DeadLetter):
            raise Problem(422, f"{served.title} has no answer: {answer.message}", [row_fault(answer)])
        return await json_response(answer)
    if not isinstance(content, list):
        raise wrong_shape(f"expected an object or a list of objects, found {shown(content)}")
    answers = await service.answer(served, content, len(body))
    return await json_response(as_objects(answers), len(answers))


def _content(served: Served) -> Schema:
    schema = {"oneOf": [ref("Features"), list_of(ref("Features"))]}
    if not served.examples:
        return {JSON: {"schema": schema}}
    examples = {
        "one": {"summary": "One row", "value": served.examples[0]},
        "several": {"summary": "Several rows", "value": served.examples[:2]},
    }
    return {JSON: {"schema": schema, "examples": examples}}


ENDPOINTS = (
    Endpoint(
        "POST",
        "/predict",
        _predict,
        "One object → one prediction, a list → a list.",
        "predict",
        "predictions",
        "Fields go by their original or their Avro names; a row that the model can't score has its error in its place.",
        {"anyOf": [ref("Prediction"), list_of(ref("Answer"))]},
        content=_content,
    ),
)
