"""One dead letter for people: decoded as far as it goes, the byte or field that failed, the schemas beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stream.codec import RecordSchema, type_name
from stream.errors import BrokerRefused, RecordError, Refused, Retriable
from stream.records import DeadLetter
from stream.redrive.header_dialects import StoredLetter
from stream.resources import ValueSchemas, opened_schemas
from stream.settings import Settings

__all__ = ["FieldView", "LetterView", "view_letter"]


@dataclass(frozen=True, slots=True)
class FieldView:
    """
    A field of the value.

    Attributes:
        name: at the root of the record.
        written: its type in the schema that the value was written with; None where that has no such field.
        today: its type in the model's `features.avsc`; None where the model doesn't need it.
        value: as JSON has it; None where it was not read too.
        read: whether the value could be read.
        failed: whether it is the field that failed.
    """

    name: str
    written: str | None
    today: str | None
    value: object = None
    read: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class LetterView:
    """
    A letter, looked at with what the configuration knows today.

    Attributes:
        stored: the letter.
        schema: what its value was written with; None where that is not known.
        fields: of that schema and of the model's, in order; empty where neither is known.
        fault: what is wrong with the value today; None = it decodes, or could not be looked at.
        byte: the position in the value where that is, the framing included; None where it is no single byte.
        body: where the Avro bytes begin in the value.
        unknown: why the value could not be looked at; empty where it was.
    """

    stored: StoredLetter
    schema: RecordSchema | None = None
    fields: tuple[FieldView, ...] = ()
    fault: DeadLetter | None = None
    byte: int | None = None
    body: int = 0
    unknown: str = ""


def view_letter(settings: Settings, stored: StoredLetter) -> LetterView:
    """
    Look at a letter's value: with the schema that it names, then as today's model would; the model is not opened.

    Args:
        settings: the configuration.
        stored: the letter.
    Returns: the view; what can't be known is said in it.
    """
    value = stored.letter.value
    if value is None:
        missing = "" if stored.copied else _not_copied(stored)
        return LetterView(stored, unknown=missing or "the record has no value")
    try:
        with opened_schemas(settings) as schemas:
            return _viewed(stored, value, schemas)
    except (Refused, Retriable, BrokerRefused) as error:
        return LetterView(stored, unknown=error.message)


def _not_copied(stored: StoredLetter) -> str:
    place = stored.letter.place
    return (
        f"the share group did not copy the record; it may still be at {place or 'its place on the input'}"
        " (errors.deadletterqueue.copy.record.enable)"
    )


def _viewed(stored: StoredLetter, value: bytes, schemas: ValueSchemas) -> LetterView:
    headers = stored.letter.headers
    fault, examined = schemas.fault(value, headers), schemas.examined(value, headers)
    if fault is None and examined.fault is not None:
        fault = _decode_fault(examined.fault)
    fields = _fields(examined.writer, schemas.features, examined.fields, fault)
    return LetterView(stored, examined.writer, fields, fault, examined.byte, examined.body)


def _decode_fault(error: RecordError) -> DeadLetter:
    return DeadLetter("decode", error.reason, type(error).__qualname__, error.message, error.field)


def _fields(
    writer: RecordSchema | None,
    features: RecordSchema,
    values: dict[str, object],
    fault: DeadLetter | None,
) -> tuple[FieldView, ...]:
    today = {field.name: type_name(field.type) for field in features.root.fields}
    written = {} if writer is None else {field.name: type_name(field.type) for field in writer.root.fields}
    failed = (fault.field or "").split(".")[0] if fault is not None else ""
    views = [
        FieldView(name, written.get(name), today.get(name), failed=name == failed)
        for name in {**written, **today}
    ]
    return tuple(
        replace(view, value=values[view.name], read=True) if view.name in values else view for view in views
    )
