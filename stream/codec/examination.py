"""A value that may be broken, looked at by people: what of it can be read, and the byte at which it can't."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stream.codec.dict_records import plain_row, read_row
from stream.codec.schema import RecordSchema
from stream.codec.strict import Checker, about
from stream.codec.walk import Invalid, Walk
from stream.errors import RecordError

__all__ = ["Examined", "examine"]


@dataclass(frozen=True, slots=True)
class Examined:
    """
    What became of a value.

    Attributes:
        fields: the root's fields before the fault, by name, as JSON has them; all of them where there is none.
        fault: what is wrong; None = the bytes are exactly one value of the schema.
        byte: where that is, counted from the first byte after the framing; None where it is no single byte.
    """

    fields: dict[str, object]
    fault: RecordError | None = None
    byte: int | None = None


def examine(schema: RecordSchema, body: bytes) -> Examined:
    """
    Read a value as far as it goes.

    Args:
        schema: the writer's.
        body: the Avro bytes, without framing.
    Returns: the fields that are sound, and the fault that ends them. No bytes make it raise.
    """
    ends, wrong = _walked(schema, body)
    fault = None if wrong is None else about(wrong)
    byte = None if wrong is None else wrong.position
    try:
        return Examined(_first_fields(schema, body, ends), fault, byte)
    except RecordError as error:
        return Examined({}, fault or error, byte)


def _walked(schema: RecordSchema, body: bytes) -> tuple[list[int], Invalid | None]:
    """Where each of the root's fields ends, as far as they are sound, and what is wrong then."""
    checker, walk = Checker(schema.root), Walk(body)
    walk.depth = 1  # the root itself
    ends = [0]
    try:
        for field in schema.root.fields:
            try:
                ends.append(checker.compile(field.type)(walk, ends[-1]))
            except Invalid as wrong:
                wrong.path.append(field.name)
                raise
        walk.finish(ends[-1])
    except Invalid as wrong:
        return ends, wrong
    return ends, None


def _first_fields(schema: RecordSchema, body: bytes, ends: list[int]) -> dict[str, object]:
    """The fields whose ends are known: a record of these fields alone has the same bytes up to there."""
    document = schema.document
    document["fields"] = document["fields"][: len(ends) - 1]
    part = RecordSchema(json.dumps(document))
    return plain_row(part, read_row(part, body[: ends[-1]]))
