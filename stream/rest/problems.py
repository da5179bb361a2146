"""What is wrong with a request, as an HTTP status and a body: the only place where errors become status codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream.types import Misfit

__all__ = [
    "PROBLEM_SCHEMA",
    "STATUSES",
    "Problem",
    "Wrong",
    "not_json",
    "overloaded",
    "too_large",
    "too_late",
    "too_many",
    "unauthorised",
    "unfit",
    "wrong_shape",
    "wrong_type",
]

_RETRY = {"retry-after": "1"}
"""Seconds that a client is told to wait: batches take milliseconds, so after one the queue has changed."""

STATUSES = {
    401: "The token is missing or wrong.",
    413: "The body is too large, or has too many rows.",
    415: "The content type is not one that is read here.",
    422: "The body, or a field, does not fit; every such field is named.",
    429: "Too many requests from this address.",
    503: "Overloaded; `Retry-After` says when to try again.",
    504: "There was no answer in time.",
}
"""What a request that has a body may be refused with, for the OpenAPI document."""

Wrong = Mapping[str, Any]
"""One thing that is wrong: `row` (from 0; absent where it is not about a row), `field`, `reason`, `message`."""


@dataclass
class Problem(Exception):
    """
    A request that gets no prediction.

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

    def body(self) -> dict[str, Any]:
        """`error`, and `errors` where fields are wrong."""
        return {"error": self.message, **({"errors": list(self.wrong)} if self.wrong else {})}


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every field that does not fit.",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer", "minimum": 0},
                    "field": {"type": "string"},
                    "reason": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
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
    """The body is JSON, but not of the shape that the endpoint takes."""
    return Problem(422, message)


def not_json(error: Exception) -> Problem:
    """The body can't be parsed."""
    return Problem(422, f"the body is not JSON: {str(error)[:200] or type(error).__name__}")


def wrong_type(found: str, expected: str) -> Problem:
    """A content type that the endpoint does not read."""
    return Problem(415, f"content-type: expected {expected}, found {found or 'none'}")


def too_large(what: str) -> Problem:
    """More than the service is set to take."""
    return Problem(413, what)


def overloaded(why: str) -> Problem:
    """There is no room now."""
    return Problem(503, f"overloaded: {why}; try again", headers=_RETRY)


def too_many(rate: int) -> Problem:
    """A client asks too often."""
    return Problem(429, f"more than {rate} requests per second from one address", headers=_RETRY)


def too_late(seconds: float) -> Problem:
    """There was no answer in time."""
    return Problem(504, f"no answer within {seconds:g} s ([serve] timeout)")


def unauthorised() -> Problem:
    """The token is missing or wrong."""
    return Problem(
        401, "a bearer token is needed: `Authorization: Bearer …`", headers={"www-authenticate": "Bearer"}
    )
