"""What is sent back: predictions, and the rows that have none, as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.served_model import Answer

__all__ = ["ROW_ERROR_SCHEMA", "as_objects", "json_response", "row_fault"]

_ASIDE_ROWS = 500
"""Answers of more rows are written in a thread: their JSON takes some 2 ms."""


async def json_response(
    content: object, rows: int = 0, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """
    Args:
        content: of the body.
        rows: how many it holds; many are written in a thread.
        status: of HTTP.
        headers: beside the content's own.
    """
    body = await asyncio.to_thread(_json, content) if rows > _ASIDE_ROWS else _json(content)
    return Response(body, status, headers, media_type="application/json")


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8",
        "backslashreplace",  # half a surrogate pair, quoted in a message: JSON escapes it the same way
    )


def as_objects(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Predictions, and an object with `error` for each row that the model could not score."""
    return [{"error": row_fault(one)} if isinstance(one, DeadLetter) else one for one in answers]


_FAULT = ("stage", "reason", "exception", "message")


def row_fault(fault: DeadLetter) -> dict[str, Any]:
    """Why the model could not score a row."""
    return {name: getattr(fault, name) for name in _FAULT}


ROW_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "In the place of the prediction of a row that the model could not score.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": list(_FAULT),
            "properties": {name: {"type": "string"} for name in _FAULT},
        }
    },
}
"""The JSON schema of an object of `as_objects` that has `error`."""
