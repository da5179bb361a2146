"""`/invocations`, `/ping`, `/health`, `/version`, as in MLflow's scoring server and SageMaker's containers."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import ERROR, JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.problems import Problem, wrong_shape, wrong_type
from stream.rest.request_body import media_type, offload, parse_csv, parse_json
from stream.rest.responses import as_objects, json_response
from stream.rest.rows_by_position import by_position
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.types import shown

__all__ = ["ENDPOINTS"]

_SHAPES = ("dataframe_records", "dataframe_split", "instances", "inputs")

_CODES = {401: "UNAUTHENTICATED", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE",
          504: "DEADLINE_EXCEEDED"}  # fmt: skip
"""MLflow's names; any other is BAD_REQUEST."""


async def _invocations(service: Service, request: Request, body: bytes) -> Response:
    kind, options = media_type(request)
    served = service.served
    text = kind == "text/csv"
    if text:
        bare = served.unnamed if options.get("header") == "absent" else None
        rows: list[object] = await offload(len(body), lambda: list(parse_csv(body, bare)))
    elif kind in ("application/json", ""):
        rows = await offload(len(body), lambda: _rows(served, parse_json(body)))
    else:
        raise wrong_type(kind, "application/json or text/csv")
    answers = await service.answer(served, rows, len(body), text=text)
    return await json_response({"predictions": as_objects(answers)}, len(answers))


def _rows(served: Served, content: object) -> list[object]:
    """The rows of one of MLflow's JSON shapes."""
    shapes = content if isinstance(content, dict) else {}
    found = [name for name in _SHAPES if name in shapes]
    if len(found) != 1:
        raise wrong_shape(
            f"expected an object with one of {', '.join(_SHAPES)}, found {' and '.join(found) or 'none of them'}"
        )
    name, given = found[0], shapes[found[0]]
    if name == "dataframe_split":
        return _split(given)
    if name == "inputs" and isinstance(given, dict):
        return _columns(given)
    if not isinstance(given, list):
        raise wrong_shape(f"{name}: expected a list, found {shown(given)}")
    if name == "dataframe_records":
        return given
    return [
        row if isinstance(row, dict) else by_position(served, row, f"{name}[{i}]")
        for i, row in enumerate(given)
    ]


def _split(given: object) -> list[object]:
    """`{"columns": […], "data": [[…]]}`."""
    columns = given.get("columns") if isinstance(given, dict) else None
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise wrong_shape("dataframe_split: expected an object with the lists columns and data")
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise wrong_shape("dataframe_split: expected columns to be texts, each once")
    rows: list[object] = []
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise wrong_shape(f"dataframe_split: data[{number}]: expected a list of {len(columns)} values")
        rows.append(dict(zip(columns, row, strict=True)))
    return rows


def _columns(given: Mapping[str, object]) -> list[object]:
    """`{"name": […], …}`; a single value is a column of one row."""
    columns = {name: values if isinstance(values, list) else [values] for name, values in given.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise wrong_shape(f"inputs: expected columns of equal length, found {sorted(lengths)}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


async def _ping(service: Service, request: Request, body: bytes) -> Response:
    if not service.ready:
        raise Problem(503, "the model is stuck in a batch")
    # An empty line, which is not JSON, under JSON's content type: as MLflow's scoring server does it.
    return Response(b"\n", media_type=JSON)


async def _version(service: Service, request: Request, body: bytes) -> Response:
    return PlainTextResponse(service.program_version)


def _error_body(problem: Problem) -> dict[str, object]:
    """An error as MLflow's clients expect it."""
    return {
        "error_code": _CODES.get(problem.status, "BAD_REQUEST"),
        "message": problem.message,
        **problem.body(),
    }


def _content(served: Served) -> Schema:
    split = object_of(columns=list_of(TEXT), data=list_of({"type": "array"}))
    rows = list_of({"anyOf": [ref("Features"), {"type": "array"}]})
    shapes = [
        object_of(dataframe_records=list_of(ref("Features"))),
        object_of(dataframe_split=split),
        object_of(instances=rows),
        object_of(inputs={"anyOf": [rows, {"type": "object"}]}),
    ]
    example = {"example": {"dataframe_records": served.examples[:2]}} if served.examples else {}
    return {JSON: {"schema": {"oneOf": shapes}, **example}, "text/csv": {"schema": TEXT}}


def _probe(path: str, whose: str) -> Endpoint:
    summary = f"200 while requests are answered ({whose})."
    return Endpoint("GET", path, _ping, summary, stuck=ERROR, open=True)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/invocations",
        _invocations,
        "What MLflow's and SageMaker's clients send.",
        object_of(predictions=list_of(ref("Answer"))),
        content=_content,
        error={"allOf": [ERROR, object_of(error_code=TEXT, message=TEXT)]},
        error_body=_error_body,
    ),
    _probe("/ping", "SageMaker"),
    _probe("/health", "MLflow"),
    Endpoint(
        "GET", "/version", _version, "The version of the server.", TEXT, media_type="text/plain", open=True
    ),
)
