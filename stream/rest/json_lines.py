"""
A request's body as JSON Lines: in each line one row, an object or a list by position.

Source: jsonlines.org.
"""

from __future__ import annotations

import io

from stream.rest.allowance import allowance
from stream.rest.json_extent import admit_json
from stream.rest.mlflow_shapes import row_of
from stream.rest.problems import wrong_shape
from stream.rest.request_body import json_value
from stream.rest.served_model import Served

__all__ = ["parse_json_lines"]

_LINES_AT_ONCE = 500
"""Between two looks at the clock."""


def parse_json_lines(served: Served, body: bytes) -> list[object]:
    """
    Parse a body.

    Args:
        served: the model.
        body: in UTF-8; blank lines are passed over, but count as rows before they are read.
    Returns: at least one row, in order; one that is not an object does not fit.
    Raises: Problem 422 naming the line; 413, 503 and 504 as `Allowance`.
    """
    mine = allowance()
    mine.rows(body.count(b"\n") + (not body.endswith(b"\n")))
    admit_json(body, mine, lines=True)
    rows = []
    for number, line in enumerate(io.BytesIO(body), start=1):
        if number % _LINES_AT_ONCE == 0:
            mine.check()
        if line.strip():
            # Python's clients write what is missing as NaN, as in a body of JSON.
            value = json_value(line, f"line {number}", constants=True)
            rows.append(row_of(served, value, f"line {number}"))
    if not rows:
        raise wrong_shape("expected a row in each line, found nothing")
    return rows
