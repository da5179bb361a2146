"""What is wrong with a request, as an HTTP status and a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stream.rest.json_schemas import TEXT, Schema, list_of
from stream.shown import shown
from stream.types import Misfit

__all__ = [
    "MOST_ERRORS",
    "NOT_ACCEPTABLE",
    "PROBLEM_SCHEMA",
    "RETRY",
    "STATUSES",
    "UNFIT",
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

NOT_ACCEPTABLE = 406
"""Of an endpoint that answers in several formats."""

UNFIT = 422
"""The status of a body that was read, and does not fit."""

STATUSES = {
    401: "The token is missing or wrong.",
    404: "Another model or version is served.",
    NOT_ACCEPTABLE: "The header `accept` takes none of the formats that are written here.",
    413: "The body is too large, or has too many rows, columns or levels.",
    415: "The content type is not one that is read here.",
    UNFIT: "The body, or a field, does not fit; such fields are named.",
    429: "Too many requests from this address; `Retry-After` says when to try again.",
    431: "The head of the request is too large.",
    500: "An error of the service.",
    503: "Overloaded, or about to end; `Retry-After` says when to try again.",
    504: "There was no answer in time.",
}
"""What statuses mean, for the OpenAPI document."""

MOST_ERRORS = 100
"""That a refusal lists; what is wrong with more rows is said by their number."""

_MOST_CHARS = 1_000
"""Of a message."""

_MOST_NAMES = 20
"""Fields that the first sentence names."""

Wrong = Mapping[str, Any]
"""One thing that is wrong: `row` (from 0; absent where it is not about a row), `field`, `reason`, `message`."""


@dataclass
class Problem(Exception):
    """
    Why a request gets no prediction.

    Attributes:
        status: of HTTP.
        message: one sentence.
        wrong: fields that do not fit; some are enough where there are many.
        headers: of the response.
        uncounted: how many fields more do not fit than `wrong` has.
    """

    status: int
    message: str
    wrong: Sequence[Wrong] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    uncounted: int = 0

    def __post_init__(self) -> None:
        self.message = shown(self.message)  # it quotes names and values of the request

    def body(self) -> dict[str, object]:
        """`error`; `errors` where fields are wrong, and `more_errors`, how many are left out of it."""
        left_out = max(0, len(self.wrong) - MOST_ERRORS) + self.uncounted
        return {
            "error": _shortened(self.message),
            **({"errors": [_short(one) for one in self.wrong[:MOST_ERRORS]]} if self.wrong else {}),
            **({"more_errors": left_out} if left_out else {}),
        }


def _short(wrong: Wrong) -> Wrong:
    return {key: _shortened(value) if isinstance(value, str) else value for key, value in wrong.items()}


def _shortened(text: str) -> str:
    """A client's own names and values come back in messages: not all of them."""
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"


_WRONG: Schema = {
    "type": "object",
    "properties": {"row": {"type": "integer", "minimum": 0}, "field": TEXT, "reason": TEXT, "message": TEXT},
}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": TEXT,
        "errors": {
            **list_of(_WRONG),
            "maxItems": MOST_ERRORS,
            "description": f"The fields that do not fit, at most {MOST_ERRORS}.",
        },
        "more_errors": {
            "type": "integer",
            "minimum": 1,
            "description": "How many more do not fit; absent where all are in `errors`.",
        },
    },
}
"""The JSON schema of `Problem.body`."""


def unfit(
    model: str, wrong: Mapping[int, Sequence[Misfit]], *, single: bool = False, uncounted: int = 0
) -> Problem:
    """
    Fields that do not fit.

    Args:
        model: `name@version`.
        wrong: by row, at least one.
        single: whether the request is one row, which needs no number.
        uncounted: how many more do not fit.
    """
    every = ((row, one) for row, faults in sorted(wrong.items()) for one in faults)
    listed = [
        {**({} if single else {"row": row}), "field": one.field, "reason": one.reason, "message": one.message}
        for row, one in islice(every, MOST_ERRORS)
    ]
    uncounted += sum(map(len, wrong.values())) - len(listed)
    names = list(dict.fromkeys(repr(one["field"]) for one in listed if one["field"])) or ["the rows"]
    shown = ", ".join(names[:_MOST_NAMES]) + (" and others" if len(names) > _MOST_NAMES else "")
    message = f"{shown}: not what {model} takes; see errors, and /docs for its fields"
    return Problem(UNFIT, message, listed, uncounted=uncounted)


def wrong_shape(message: str) -> Problem:
    """The body is not of the shape that the endpoint takes."""
    return Problem(UNFIT, message)


def wrong_type(found: str, expected: str) -> Problem:
    """A content type that the endpoint does not read."""
    return Problem(415, f"content-type: expected {expected}, found {found or 'none'}")


def too_large(what: str) -> Problem:
    """The request is larger than the settings allow."""
    return Problem(413, what)


def overloaded(why: str) -> Problem:
    """There is no room for the request now."""
    return Problem(503, f"overloaded: {why}; try again", headers=RETRY)
