"""A request's body as csv."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from stream.rest.problems import wrong_shape

__all__ = ["parse_csv"]


def parse_csv(body: bytes, headers: Sequence[list[str]] | None) -> list[dict[str, str | None]]:
    """
    Parse a body.

    Args:
        body: csv in UTF-8 with commas.
        headers: for a body without a header line, the possible lists of column names: the one with as many names as
            a row has cells is the row's. None: the first line is the header.
    Returns: the rows; an empty cell is None.
    Raises: Problem 422 naming the line.
    """
    try:
        text = body.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = next(reader, []) if headers is None else headers[0]
        if twice := sorted(name for name, times in Counter(names).items() if times > 1):
            raise wrong_shape(f"csv: the header has {', '.join(twice)} twice")
        widths = {len(one): one for one in reversed(headers or [names])}
        rows: list[dict[str, str | None]] = []
        for cells in reader:
            if not cells:
                continue
            if len(cells) not in widths:
                raise wrong_shape(
                    f"csv line {reader.line_num}: expected {len(names)} cells ({', '.join(names)}), found {len(cells)}"
                )
            rows.append({name: cell or None for name, cell in zip(widths[len(cells)], cells, strict=True)})
    except (UnicodeDecodeError, csv.Error) as error:
        raise wrong_shape(f"the body is not a csv file: {error}") from error
    return rows
