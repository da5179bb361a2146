"""
`POST /bigquery`: a remote function of BigQuery.

Source: cloud.google.com/bigquery/docs/remote-functions, "Input format", "Output format".
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.problems import Problem, wrong_shape
from stream.rest.request_body import offload, parse_json, require_json
from stream.rest.responses import as_objects, json_response
from stream.rest.rows_by_position import by_position
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.types import parse_json as parse_json_text
from stream.types import shown

__all__ = ["ENDPOINTS"]

_MESSAGE_CHARS = 1_000
"""Characters of an `errorMessage`: BigQuery shows up to 1 KB."""


async def _bigquery(service: Service, request: Request, body: bytes) -> Response:
    require_json(request)
    served = service.served
    rows = await offload(len(body), lambda: _rows(served, parse_json(body)))
    # BigQuery writes as text what JSON can't hold: whole numbers beyond 2^53, NaN, dates.
    answers = await service.answer(served, rows, len(body), text=True)
    return await json_response({"replies": as_objects(answers)}, len(answers))


def _rows(served: Served, content: object) -> list[object]:
    calls = content.get("calls") if isinstance(content, dict) else None
    if not isinstance(calls, list):
        raise wrong_shape("expected an object with the list calls")
    return [_row(served, call, f"calls[{number}]") for number, call in enumerate(calls)]


def _row(served: Served, call: object, place: str) -> object:
    """A call with one JSON object, which BigQuery may send as text, or with the features themselves."""
    if not isinstance(call, list):
        raise wrong_shape(f"{place}: expected a list, found {shown(call)}")
    if len(call) == 1 and isinstance(call[0], dict):
        return call[0]
    if len(call) == 1 and isinstance(call[0], str) and call[0].lstrip().startswith("{"):
        try:
            found: object = parse_json_text(call[0])
        except (ValueError, RecursionError) as error:
            raise wrong_shape(f"{place}: a text that is not a JSON object: {error}") from error
        return found
    return by_position(served, call, place)


def _error_body(problem: Problem) -> dict[str, object]:
    """An error as BigQuery shows it to the person who runs the query."""
    wrong = [f"calls[{one['row']}] {one['field']}: {one['message']}" for one in problem.wrong if "row" in one]
    return {"errorMessage": "; ".join([problem.message, *wrong])[:_MESSAGE_CHARS]}


def _content(served: Served) -> Schema:
    body: Schema = {"schema": object_of(calls=list_of({"type": "array"}))}
    if served.examples:
        body["example"] = {"calls": [[example] for example in served.examples[:2]]}
    return {JSON: body}


ENDPOINTS = (
    Endpoint(
        "POST",
        "/bigquery",
        _bigquery,
        "A remote function of BigQuery.",
        object_of(replies=list_of(ref("Answer"))),
        content=_content,
        error=object_of(errorMessage=TEXT),
        error_body=_error_body,
    ),
)
