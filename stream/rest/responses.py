"""What is sent back: predictions, and the rows that have none, as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.json_schemas import JSON, TEXT, Schema, object_of
from stream.rest.served_model import Answer, JsonObject
from stream.shown import json_shown

__all__ = ["OFFLOAD_ROWS", "ROW_ERROR_SCHEMA", "as_objects", "json_response", "json_text", "row_fault"]

_REFUSED = 400
"""Statuses from here on say why there is no prediction."""

OFFLOAD_ROWS = 500
"""Answers of more rows are written in a thread: their JSON takes some 2 ms."""


async def json_response(
    content: object, rows: int = 0, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """
    Args:
        content: the body.
        rows: how many it holds; many are written in a thread.
        status: of HTTP.
        headers: in addition to the content's own.
    """
    quoting = status >= _REFUSED
    body = (
        await asyncio.to_thread(json_text, content)
        if rows > OFFLOAD_ROWS
        else json_text(content, quoting=quoting)
    )
    return Response(body, status, headers, media_type=JSON)


def json_text(content: object, *, quoting: bool = False) -> bytes:
    """
    Args:
        content: to be written.
        quoting: whether it quotes the request.
    Returns: compact JSON in UTF-8.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A refusal quotes the request, and is looked at by people: nothing in it moves a cursor.
    return (json_shown(text) if quoting else text).encode(
        "utf-8",
        "backslashreplace",  # half a surrogate pair, quoted in a message: JSON has the same escape
    )


def as_objects(answers: Sequence[Answer]) -> list[JsonObject]:
    """Predictions, and an object with `error` for each row that the model could not score."""
    return [{"error": row_fault(one)} if isinstance(one, DeadLetter) else one for one in answers]


_FAULT = ("stage", "reason", "exception", "message")


def row_fault(fault: DeadLetter) -> dict[str, str]:
    """Why the model could not score a row."""
    return {name: getattr(fault, name) for name in _FAULT}


ROW_ERROR_SCHEMA: Schema = {
    **object_of(error=object_of(**dict.fromkeys(_FAULT, TEXT))),
    "description": "In place of the prediction of a row that the model could not score.",
}
"""The JSON schema of an object of `as_objects` that has `error`."""
