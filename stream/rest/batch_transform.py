"""
`GET /execution-parameters`: how SageMaker's batch transform best asks, where a job does not say it.

A job that sends many lines at a time packs as many as its payload holds. So many are asked for only where they are not
more than a request may have, by the length of the package's own rows.

Source: docs.aws.amazon.com/sagemaker, "Custom Inference Code with Batch Transform".
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import Schema, object_of
from stream.rest.responses import json_response
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.settings import ServeSettings

__all__ = ["ENDPOINTS", "execution_parameters"]

_MIB = 2**20

_MOST_MIB = 100
"""SageMaker's limit for the payloads of all concurrent requests."""

_AT_ONCE, _SINGLE_AT_ONCE = 2, 16
"""Requests of many lines: one is scored, and the next is read meanwhile. Of one line: they are scored as a batch."""

_SINGLE_MIB = 6
"""SageMaker's own default."""

_SHORTER = 4
"""Times that rows may be shorter than the package's own before a payload has too many."""

_CELL_BYTES = 160
"""Of memory, for a cell of a csv."""


async def _parameters(service: Service, request: Request, body: bytes) -> Response:
    return await json_response(execution_parameters(service.served, service.settings))


def execution_parameters(served: Served, settings: ServeSettings) -> dict[str, int | str]:
    """
    Args:
        served: the model.
        settings: `max_body`, `queue_rows`, `queue_bytes`, `max_connections`.
    Returns: `MaxConcurrentTransforms`, `BatchStrategy` and `MaxPayloadInMB`, at least 1.
    """
    body_mib = settings.max_body // _MIB
    row_bytes = served.row_bytes + _CELL_BYTES * max(1, served.manifest.width)
    rows = min(settings.queue_rows, settings.queue_bytes // _AT_ONCE // row_bytes)
    together = rows * _line_bytes(served)
    if together < _MIB or not body_mib:
        return {
            "MaxConcurrentTransforms": min(_SINGLE_AT_ONCE, settings.max_connections),
            "BatchStrategy": "SINGLE_RECORD",
            "MaxPayloadInMB": max(1, min(body_mib, _SINGLE_MIB)),
        }
    return {
        "MaxConcurrentTransforms": _AT_ONCE,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": max(1, min(body_mib, together // _SHORTER // _MIB, _MOST_MIB // _AT_ONCE)),
    }


def _line_bytes(served: Served) -> int:
    """Of the shortest of the package's rows as a line of csv; without rows, of numbers of one digit."""
    names = served.unnamed[0]
    lengths = (
        sum(1 + (0 if row[name] is None else len(str(row[name]))) for name in names)
        for row in served.examples
    )
    return min(lengths, default=2 * max(len(names), served.manifest.width))


_ANSWER: Schema = object_of(
    MaxConcurrentTransforms={"type": "integer"},
    BatchStrategy={"type": "string", "enum": ["MULTI_RECORD", "SINGLE_RECORD"]},
    MaxPayloadInMB={"type": "integer"},
)
ENDPOINTS = (
    Endpoint(
        "GET",
        "/execution-parameters",
        _parameters,
        "How SageMaker's batch transform best asks.",
        "executionParameters",
        "mlflow and sagemaker",
        answer=_ANSWER,
    ),
)
