"""
In which format an answer is sent: JSON, csv or JSON Lines, as the header `Accept` asks.

Of what a client takes, it gets what it prefers (`q`); where it has no preference, JSON before csv before JSON Lines,
whatever their order in the header. Csv and JSON Lines have exactly one line for each row.

Source: RFC 9110, 12.5.1 · docs.aws.amazon.com/sagemaker, "Common data formats for inference".
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from stream.rest.json_schemas import JSON
from stream.rest.problems import NOT_ACCEPTABLE, Problem
from stream.rest.responses import OFFLOAD_ROWS, as_objects, json_text
from stream.rest.served_model import Answer, Served
from stream.scoring import answer_fields
from stream.shown import shown

__all__ = ["CSV", "JSON_LINES", "AnswerFormat", "accepted"]

CSV = "text/csv"

JSON_LINES = ("application/jsonlines", "application/x-jsonlines", "application/x-ndjson")
"""Names of JSON Lines; the first is SageMaker's."""

_HEADER = {None: False, "absent": False, "present": True}
"""Whether a csv begins with the columns' names, by the parameter `header`."""


_USUAL = ("", "*/*", JSON)
"""What most clients send, of which nothing needs to be looked at."""

_MOST_RANGES = 100
"""Media types in one header: browsers send a dozen."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """
    A format.

    Attributes:
        media_type: of the answer.
        header: whether a csv begins with the columns' names.
    """

    media_type: str = JSON
    header: bool = False

    async def response(self, served: Served, answers: Sequence[Answer]) -> Response:
        """The answers of a request's rows; many are written in a thread."""
        if len(answers) > OFFLOAD_ROWS:
            content = await asyncio.to_thread(self._written, served, answers)
        else:
            content = self._written(served, answers)
        # Given as a header: Starlette adds a charset to any text's media type, which SageMaker's SDK doesn't know.
        return Response(content, headers={"content-type": self.media_type})

    def _written(self, served: Served, answers: Sequence[Answer]) -> bytes:
        if self.media_type == JSON:
            return json_text({"predictions": as_objects(answers)})
        if self.media_type == CSV:
            return _csv(served, answers, header=self.header)
        return b"".join(json_text(one) + b"\n" for one in as_objects(answers))


def _csv(served: Served, answers: Sequence[Answer], *, header: bool) -> bytes:
    """The model's answers, as many columns in each line; a row that could not be scored has empty cells."""
    first = next((one for one in answers if isinstance(one, dict)), None)
    fields = answer_fields(served.manifest)
    widths = {}
    for field in fields:
        if field.array:
            known = len(served.manifest.classes or ()) if field.name == "probabilities" else 1
            widths[field.name] = known if first is None else len(first[field.name])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        names = [
            [f"{field.name}_{i}" for i in range(widths[field.name])] if field.array else [field.name]
            for field in fields
        ]
        writer.writerow([name for some in names for name in some])
    empty = [None] * sum(widths.get(field.name, 1) for field in fields)
    for answer in answers:
        if isinstance(answer, dict):
            values = (answer[field.name] for field in fields)
            writer.writerow([_cell(item) for value in values for item in _items(value)])
        else:
            writer.writerow(empty)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _cell(value: object) -> object:
    """A boolean is written as in JSON."""
    return str(value).lower() if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class _Range:
    """What a client takes: a media type, all of a kind, or all."""

    name: str
    quality: float
    header: str | None

    def matches(self, media_type: str) -> int:
        """How specifically it names the type: 0 where it doesn't."""
        if self.name in ("*/*", "*"):
            return 1
        if self.name == f"{media_type.split('/', maxsplit=1)[0]}/*":
            return 2
        known = media_type != CSV or self.header in _HEADER
        return 3 if self.name == media_type and known else 0


def accepted(accept: str) -> AnswerFormat:
    """
    Choose a format.

    Args:
        accept: the header; empty where the request has none.
    Raises: Problem 406 when it takes none of the formats.
    """
    if accept in _USUAL:
        return AnswerFormat()
    if accept.count(",") >= _MOST_RANGES:
        raise Problem(NOT_ACCEPTABLE, f"accept: expected at most {_MOST_RANGES} media types")
    ranges = list(_ranges(accept))
    best, quality = AnswerFormat(), 0.0
    for media_type in (JSON, CSV, *JSON_LINES):
        found = max(ranges, key=lambda one: one.matches(media_type), default=None)
        if found is not None and found.matches(media_type) and found.quality > quality:
            quality = found.quality
            best = AnswerFormat(media_type, media_type == CSV and _HEADER.get(found.header, False))
    if not quality:
        raise Problem(
            NOT_ACCEPTABLE,
            f"accept: expected one of {JSON}, {CSV} (which may say header=present) and {JSON_LINES[0]}, "
            f"found {shown(accept)}",
        )
    return best


def _ranges(accept: str) -> Iterator[_Range]:
    """What the header lists; what is not of its syntax is passed over."""
    for part in accept.lower().split(","):
        name, *more = (piece.strip() for piece in part.split(";"))
        options = {
            key.strip(): value.strip().strip('"') for key, _, value in (one.partition("=") for one in more)
        }
        try:
            quality = float(options.get("q", "1"))
        except ValueError:
            continue
        if 0 <= quality <= 1:
            yield _Range(name, quality, options.get("header"))
