"""
`POST /bigquery`: a remote function of BigQuery.

A query sends its rows in batches; one that fails ends the query. So a row without a prediction has a reply of its own:
null where the row is NULL, else an object with `error`. The function's option `user_defined_context` can ask for the
contrary: `on_error`, `fail`. Its arguments are one JSON object, which may be a text, or the features by position. Their
values are spelled as by `TO_JSON_STRING`: numbers that JSON can't hold, NaN and dates are texts, bytes are base64.

Source: cloud.google.com/bigquery/docs/remote-functions, "Input format", "Output format";
cloud.google.com/bigquery/docs/reference/standard-sql/json_functions, "JSON encodings".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from stream.errors import RecordError, class_name
from stream.records import DeadLetter
from stream.rest.allowance import allowance
from stream.rest.bigquery_bytes import Call, read_bytes, spelled, write_bytes
from stream.rest.endpoint import Endpoint
from stream.rest.json_extent import admit_text
from stream.rest.json_schemas import JSON, TEXT, Schema, list_of, object_of, ref
from stream.rest.problems import UNFIT, Problem, wrong_shape
from stream.rest.request_body import offload, parse_json, require_json
from stream.rest.responses import as_objects, json_response
from stream.rest.rows_by_position import by_position, widths
from stream.rest.served_model import Answer, JsonObject, Served
from stream.rest.service import Service
from stream.types import parse_json as parse_json_text
from stream.types import shown

__all__ = ["ENDPOINTS"]

_MESSAGE_BYTES = 1_000
"""Of an `errorMessage`: "less than 1KB"."""

_REASON_CHARS = 300
"""Of the message in one row's reply: there may be as many as rows."""

_NAMED = 5
"""Rows that an `errorMessage` names."""


async def _bigquery(service: Service, request: Request, body: bytes) -> Response:
    require_json(request)
    served = service.served
    strict, calls = await offload(len(body), lambda: _calls(served, parse_json(body)))
    rows = [one for one in calls if not isinstance(one, DeadLetter | None)]
    # BigQuery writes as text what JSON can't hold: whole numbers beyond 2^53, NaN, dates.
    scored = iter(await service.answer_each(served, rows, len(body), text=True))
    answers = [one if isinstance(one, DeadLetter | None) else next(scored) for one in calls]
    if strict:
        _require_answers(served, answers)
    return await json_response({"replies": _replies(served, answers)}, len(answers))


def _calls(served: Served, content: object) -> tuple[bool, list[Call]]:
    """Whether a row without an answer ends the query; and the calls."""
    calls = content.get("calls") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(calls, list):
        raise wrong_shape("expected an object with the list calls")
    allowance().rows(len(calls))
    found = [read_bytes(served, _call(served, call, f"calls[{number}]")) for number, call in enumerate(calls)]
    return _strict(content.get("userDefinedContext")), found


def _strict(context: object) -> bool:
    """What the function's `user_defined_context` says about rows without an answer; others' keys are ignored."""
    if not isinstance(context, dict | None):
        raise wrong_shape(f"userDefinedContext: expected an object, found {shown(context)}")
    asked = (context or {}).get("on_error", "reply")
    if asked not in ("reply", "fail"):
        raise wrong_shape(f"userDefinedContext: on_error: expected reply or fail, found {shown(asked)}")
    return bool(asked == "fail")


def _call(served: Served, call: object, place: str) -> Call:
    """
    One call.

    Raises: Problem 422 for a number of arguments that no row can have, since that is what the function was declared
        with: every row of the query has it.
    """
    if not isinstance(call, list):
        raise wrong_shape(f"{place}: expected a list, found {shown(call)}")
    if call and set(map(type, call)) == {type(None)}:
        return None
    if len(call) != 1:
        return by_position(served, call, place)
    given = call[0]
    if isinstance(given, str) and (given.lstrip()[:1] == "{" or 1 not in widths(served)):
        found = _parsed(given)
        # A model of one text takes any text that is not a row.
        if 1 not in widths(served) or (isinstance(found, dict) and served.names_field(found)):
            given = found
    if given is None or isinstance(given, dict | DeadLetter):
        return given
    try:
        return by_position(served, [given], "the argument")
    except Problem as problem:
        return _malformed(RecordError, problem.message)


def _parsed(text: str) -> object:
    """What a JSON text says, or why it says nothing."""
    try:
        admit_text(text, allowance())
        return parse_json_text(text)
    except (ValueError, RecursionError) as error:
        return _malformed(type(error), f"a text that is not a JSON object: {error}")
    except Problem as problem:
        if problem.status != UNFIT:
            raise
        return _malformed(RecordError, f"a text that is not a JSON object: {problem.message}")


def _malformed(kind: type[Exception], message: str) -> DeadLetter:
    return DeadLetter("decode", "malformed_row", class_name(kind), message)


def _replies(served: Served, answers: Sequence[Answer | None]) -> list[JsonObject | None]:
    """In the calls' order: predictions, objects with `error`, null."""
    write_bytes(served, answers)
    shortened = [
        replace(one, message=f"{one.message[:_REASON_CHARS]}…")
        if isinstance(one, DeadLetter) and len(one.message) > _REASON_CHARS
        else one
        for one in answers
    ]
    objects = iter(as_objects([one for one in shortened if one is not None]))
    return [None if one is None else next(objects) for one in shortened]


def _require_answers(served: Served, answers: Sequence[Answer | None]) -> None:
    """
    Raises: Problem 422 where a row has no answer.
    """
    faults = [(i, one.message) for i, one in enumerate(answers) if isinstance(one, DeadLetter)]
    if faults:
        named = "; ".join(f"calls[{i}]: {message[:_REASON_CHARS]}" for i, message in faults[:_NAMED])
        raise Problem(
            UNFIT, f"{served.title} has no answer for {len(faults)} of {len(answers)} rows: {named}"
        )


def _error_body(problem: Problem) -> dict[str, object]:
    """An error as BigQuery shows it to the person who runs the query."""
    hint = "; the function's option max_batching_rows makes requests smaller" if problem.status == 413 else ""
    return {"errorMessage": _cut(problem.message, _MESSAGE_BYTES - len(hint)) + hint}


def _cut(text: str, size_bytes: int) -> str:
    """The beginning of a text, without a part of a character at its end."""
    return text.encode("utf-8", "backslashreplace")[:size_bytes].decode("utf-8", "ignore")


def _content(served: Served) -> Schema:
    context = {"type": ["object", "null"], "properties": {"on_error": {"enum": ["reply", "fail"]}}}
    schema = object_of(calls=list_of(list_of({})))
    schema["properties"]["userDefinedContext"] = context
    body: Schema = {"schema": schema}
    if served.examples:
        body["example"] = {"calls": [[spelled(served, example)] for example in served.examples[:2]]}
    return {JSON: body}


ENDPOINTS = (
    Endpoint(
        "POST",
        "/bigquery",
        _bigquery,
        "A remote function of BigQuery.",
        "callRemoteFunction",
        "bigquery",
        "A call is one JSON object, or the features by position; a reply is a prediction, null for NULL, or an error.",
        object_of(replies=list_of({"anyOf": [ref("Prediction"), ref("RowError"), {"type": "null"}]})),
        content=_content,
        error=object_of(errorMessage=TEXT),
        error_body=_error_body,
    ),
)
