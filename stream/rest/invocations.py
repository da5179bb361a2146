"""`/invocations`, `/ping`, `/health`, `/version`: as MLflow's scoring server and SageMaker's containers have them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stream.rest.body import aside, media_type, parse_csv, parse_json
from stream.rest.positions import by_position
from stream.rest.predict import as_objects
from stream.rest.problems import Problem, wrong_shape, wrong_type
from stream.rest.served import Served
from stream.rest.service import Row, Service, json_response
from stream.table import shown

__all__ = ["invocations", "ping", "problem_body", "version"]

_SHAPES = ("dataframe_records", "dataframe_split", "instances", "inputs")

_CODES = {401: "UNAUTHENTICATED", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE",
          504: "DEADLINE_EXCEEDED"}  # fmt: skip
"""MLflow's names; any other is BAD_REQUEST."""


async def invocations(service: Service, request: Request, body: bytes) -> Response:
    """Score what MLflow's and SageMaker's clients send."""
    kind, options = media_type(request)
    served = service.served
    text = kind == "text/csv"
    if text:
        headers = [[served.names[leaf.path] for leaf in some] for some in (served.features, served.leaves)]
        bare = headers if options.get("header") == "absent" else None
        rows: list[Any] = await aside(len(body), lambda: list(parse_csv(body, bare)))
    elif kind in ("application/json", ""):
        rows = await aside(len(body), lambda: _rows(served, parse_json(body)))
    else:
        raise wrong_type(kind, "application/json or text/csv")
    answers = await service.answer(served, rows, len(body), text=text)
    return await json_response({"predictions": as_objects(answers)}, len(answers))


def _rows(served: Served, content: Any) -> list[Any]:
    """The rows of one of MLflow's JSON shapes."""
    found = [name for name in _SHAPES if name in content] if isinstance(content, dict) else []
    if len(found) != 1:
        raise wrong_shape(
            f"expected an object with one of {', '.join(_SHAPES)}, found {' and '.join(found) or 'none of them'}"
        )
    name, given = found[0], content[found[0]]
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


def _split(given: Any) -> list[Row]:
    """`{"columns": […], "data": [[…]]}`."""
    columns = given.get("columns") if isinstance(given, dict) else None
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise wrong_shape("dataframe_split: expected an object with the lists columns and data")
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise wrong_shape("dataframe_split: expected columns to be texts, each once")
    rows: list[Row] = []
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise wrong_shape(f"dataframe_split: data[{number}]: expected a list of {len(columns)} values")
        rows.append(dict(zip(columns, row, strict=True)))
    return rows


def _columns(given: Mapping[str, Any]) -> list[Row]:
    """`{"name": […], …}`; a value alone is a column of one row."""
    columns = {name: values if isinstance(values, list) else [values] for name, values in given.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise wrong_shape(f"inputs: expected columns of one length, found {sorted(lengths)}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


async def ping(service: Service, request: Request, body: bytes) -> Response:
    """200 while requests are answered."""
    if not service.ready:
        raise Problem(503, "the model is stuck in a batch")
    return Response(b"\n", media_type="application/json")


async def version(service: Service, request: Request, body: bytes) -> Response:
    """The version of what serves, as text."""
    return PlainTextResponse(installed("prediction-stream"))


def problem_body(problem: Problem) -> dict[str, Any]:
    """An error as MLflow's clients read it."""
    return {
        "error_code": _CODES.get(problem.status, "BAD_REQUEST"),
        "message": problem.message,
        **problem.body(),
    }
