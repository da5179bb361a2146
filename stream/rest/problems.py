"""What is wrong with a request, as an HTTP status and a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream.rest.json_schemas import TEXT, Schema, list_of
from stream.types import Misfit

__all__ = [
    "PROBLEM_SCHEMA",
    "RETRY",
    "STATUSES",
    "Problem",
    "Wrong",
    "overloaded",
    "too_large",
    "unfit",
    "wrong_shape",
    "wrong_type",
]

RETRY = {"retry-after": "1"}
"""A header: after a second the queue has changed, since batches take milliseconds."""

STATUSES = {
    401: "The token is missing or wrong.",
    413: "The body is too large, or has too many rows.",
    415: "The content type is not one that is read here.",
    422: "The body, or a field, does not fit; every such field is named.",
    429: "Too many requests from this address.",
    503: "Overloaded; `Retry-After` says when to try again.",
    504: "There was no answer in time.",
}
"""The statuses with which a request with a body may be refused, for the OpenAPI document."""

Wrong = Mapping[str, Any]
"""One thing that is wrong: `row` (from 0; absent where it is not about a row), `field`, `reason`, `message`."""


@dataclass
class Problem(Exception):
    """
    Why a request gets no prediction.

    Attributes:
        status: of HTTP.
        message: one sentence.
        wrong: every field that does not fit.
        headers: of the response.
    """

    status: int
    message: str
    wrong: Sequence[Wrong] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """`error`, and `errors` where fields are wrong."""
        return {"error": self.message, **({"errors": list(self.wrong)} if self.wrong else {})}


_WRONG: Schema = {
    "type": "object",
    "properties": {"row": {"type": "integer", "minimum": 0}, "field": TEXT, "reason": TEXT, "message": TEXT},
}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": TEXT,
        "errors": {**list_of(_WRONG), "description": "Every field that does not fit."},
    },
}
"""The JSON schema of `Problem.body`."""


def unfit(model: str, wrong: Mapping[int, Sequence[Misfit]], *, single: bool = False) -> Problem:
    """
    Fields that do not fit.

    Args:
        model: `name@version`.
        wrong: by row, at least one.
        single: whether the request is one row, which needs no number.
    """
    listed = [
        {**({} if single else {"row": row}), "field": one.field, "reason": one.reason, "message": one.message}
        for row, faults in sorted(wrong.items())
        for one in faults
    ]
    names = ", ".join(dict.fromkeys(repr(one["field"]) for one in listed if one["field"])) or "the rows"
    return Problem(422, f"{names}: not what {model} takes; see errors, and /docs for its fields", listed)


def wrong_shape(message: str) -> Problem:
    """The body is not of the shape that the endpoint takes."""
    return Problem(422, message)


def wrong_type(found: str, expected: str) -> Problem:
    """A content type that the endpoint does not read."""
    return Problem(415, f"content-type: expected {expected}, found {found or 'none'}")


def too_large(what: str) -> Problem:
    """The request is larger than the settings allow."""
    return Problem(413, what)


def overloaded(why: str) -> Problem:
    """There is no room for the request now."""
    return Problem(503, f"overloaded: {why}; try again", headers=RETRY)
