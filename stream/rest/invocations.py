"""`/invocations`, `/ping`, `/health`, `/version`, as in MLflow's scoring server and SageMaker's containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stream.rest.answer_formats import CSV, JSON_LINES, accepted
from stream.rest.csv_requests import parse_csv
from stream.rest.endpoint import Endpoint
from stream.rest.front import Front
from stream.rest.json_lines import parse_json_lines
from stream.rest.json_schemas import ANY_LIST, BINARY, ERROR, JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.mlflow_shapes import rows_of
from stream.rest.npy_requests import parse_npy
from stream.rest.problems import Problem, wrong_type
from stream.rest.request_body import media_type, offload, parse_json, require_utf8
from stream.rest.served_model import Served
from stream.rest.service import Service

__all__ = ["ENDPOINTS", "error_body", "invoke", "ping"]

NPY = "application/x-npy"

_TAG = "mlflow and sagemaker"

_CODES = {401: "UNAUTHENTICATED", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE",
          504: "DEADLINE_EXCEEDED"}  # fmt: skip
"""MLflow's names; any other is BAD_REQUEST."""


async def invoke(service: Service, request: Request, body: bytes) -> Response:
    """Rows in one of the formats of `/invocations` → their answers in the format that is asked for."""
    answer_format = accepted(",".join(request.headers.getlist("accept")))
    kind, options = media_type(request)
    read = _READERS.get(kind)
    if read is None:
        raise wrong_type(kind, f"{JSON}, {CSV}, {JSON_LINES[0]} or {NPY}")
    require_utf8(options)
    served = service.served
    rows, text = await offload(len(body), lambda: read(served, body, options))
    answers = await service.answer(served, rows, len(body), text=text)
    return await answer_format.response(served, answers)


_Read: TypeAlias = "tuple[Sequence[object], bool]"
"""Rows, and whether texts represent numbers, dates … in them."""


def _from_json(served: Served, body: bytes, options: Mapping[str, str]) -> _Read:
    # MLflow's clients write what is missing as NaN.
    return rows_of(served, parse_json(body, constants=True)), False


def _from_csv(served: Served, body: bytes, options: Mapping[str, str]) -> _Read:
    return parse_csv(served, body, _header(options)), True


def _from_json_lines(served: Served, body: bytes, options: Mapping[str, str]) -> _Read:
    return parse_json_lines(served, body), False


def _from_npy(served: Served, body: bytes, options: Mapping[str, str]) -> _Read:
    return parse_npy(served, body)


_READERS: Mapping[str, Callable[[Served, bytes, Mapping[str, str]], _Read]] = {
    JSON: _from_json,
    "": _from_json,
    CSV: _from_csv,
    **dict.fromkeys(JSON_LINES, _from_json_lines),
    NPY: _from_npy,
}
"""By content type; one that is not said is JSON."""


def _header(options: Mapping[str, str]) -> str | None:
    """Whether a csv has a header, where its content type says so."""
    strange = sorted(options.keys() - {"charset", "header", "label_size"})
    header = options.get("header")
    if strange or header not in (None, "present", "absent") or options.get("label_size", "0") != "0":
        found = "; ".join(f"{name}={value}" for name, value in options.items())
        raise wrong_type(f"text/csv; {found}", "text/csv, which may say header=present or header=absent")
    return header


async def ping(service: Front, request: Request, body: bytes) -> Response:
    """200 while more requests are welcome, else 503."""
    if not service.ready:
        raise Problem(503, "the process is about to end" if service.live else "the model is stuck in a batch")
    # An empty line, which is not JSON, under JSON's content type: as MLflow's scoring server does it.
    return Response(b"\n", media_type=JSON)


async def _version(service: Service, request: Request, body: bytes) -> Response:
    return PlainTextResponse(service.program_version)


def error_body(problem: Problem) -> dict[str, object]:
    """An error as MLflow's clients expect it."""
    body = problem.body()
    return {"error_code": _CODES.get(problem.status, "BAD_REQUEST"), "message": body["error"], **body}


def _content(served: Served) -> Schema:
    label = {"type": ["string", "integer"]}
    split = {**object_of(columns=list_of(label), data=list_of(ANY_LIST)), "required": ["data"]}
    rows = list_of({"anyOf": [ref("Features"), ANY_LIST]})
    shapes = [
        object_of(dataframe_records=list_of(ref("Features"))),
        object_of(dataframe_split=split),
        object_of(instances=rows),
        object_of(inputs={"anyOf": [rows, {"type": "object"}]}),
        rows,
    ]
    example = {"example": {"dataframe_records": served.examples[:2]}} if served.examples else {}
    return {
        JSON: {"schema": {"oneOf": shapes}, **example},
        CSV: {"schema": TEXT},
        JSON_LINES[0]: {"schema": TEXT},
        NPY: {"schema": BINARY},
    }


def _probe(path: str, whose: str) -> Endpoint:
    summary = f"200 while requests are answered ({whose})."
    return Endpoint("GET", path, ping, summary, path[1:], _TAG, stuck=ERROR, open=True)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/invocations",
        invoke,
        "What MLflow's and SageMaker's clients send.",
        "invoke",
        _TAG,
        "Rows by name or by position, in MLflow's shapes, or as csv, JSON Lines or an array of numpy.",
        answer=object_of(predictions=list_of(ref("Answer"))),
        also={CSV: TEXT, JSON_LINES[0]: TEXT},
        content=_content,
        error={"allOf": [ERROR, object_of(error_code=TEXT, message=TEXT)]},
        error_body=error_body,
    ),
    _probe("/ping", "SageMaker"),
    _probe("/health", "MLflow"),
    Endpoint(
        "GET",
        "/version",
        _version,
        "The version of the server.",
        "version",
        _TAG,
        answer=TEXT,
        media_type="text/plain",
        open=True,
    ),
)
