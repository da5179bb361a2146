"""The event that a prediction was made of: found, compared with the prediction, and decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import overload

import pyarrow as pa

from stream.codec import Decoder, Framing, RecordSchema, examine, unframe
from stream.errors import PackageError, RecordError, class_name
from stream.explain.record_lookup import KafkaRecord
from stream.records import DeadLetter, Headers
from stream.resources import KnownWriters, chosen_schema, package_writers, writers_of
from stream.settings import Settings
from stream.store import Package, events_of

__all__ = ["EventView", "same_record", "view_event"]

_NOT_KEPT = {"__value_schema_id", "traceparent", "tracestate", "baggage"}
"""Headers that a prediction need not have as its event had them: the schema's id, and the trace context."""


@dataclass(frozen=True, slots=True)
class EventView:
    """
    An event, read as the version that scored it reads it.

    Attributes:
        record: as it is on the input topic.
        writer: the schema that its value was written with; None where that is not known.
        found_by: how that is known, for people.
        fields: of the value, as JSON has them.
        fault: why the version can't score it today; None = it decodes.
        columns: that the version needs, by path, one row; None where it does not decode.
    """

    record: KafkaRecord
    writer: RecordSchema | None = None
    found_by: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    fault: DeadLetter | None = None
    columns: Mapping[str, pa.Array] | None = None


def same_record(prediction: KafkaRecord, event: KafkaRecord) -> tuple[str, ...]:
    """
    What a prediction does not have of an event, though it keeps that of its own.

    Args:
        prediction: the record.
        event: the record at the place that it names.
    Returns: `key`, `headers`; empty where it may be its event. Timestamps are no witness: a topic may be stamped by
        its broker.
    """
    found = []
    if prediction.key != event.key:
        found.append("key")
    if _kept(prediction.headers) != _kept(event.headers):
        found.append("headers")
    return tuple(found)


def _kept(headers: Headers) -> list[tuple[str, bytes | None]]:
    return [header for header in headers if header[0] not in _NOT_KEPT]


def view_event(settings: Settings, record: KafkaRecord, package: Package | None) -> EventView:
    """
    Read an event with the schema that it names, then as a version reads it.

    Args:
        settings: the configuration.
        record: of the input topic.
        package: the version; None where it is gone: then the event is only shown, as far as its schema is known.
    Returns: the view; what can't be read is said in it.
    Raises: Retriable or BrokerRefused when the registry does not answer, or refuses; SchemaError when
        `[input] schema` can't be read.
    """
    value, headers, framing = record.value, record.headers, settings.framing("input")
    if value is None:
        return EventView(record, fault=_fault(RecordError("the event has no value", reason="null_value")))
    registry = writers_of(settings)
    try:
        known = _known(settings, package)
        if registry is not None:
            registry.prepare([value], [headers])
        writers = registry or known
        groups, faults = unframe([value], [headers], framing, known.default, writers)
        if not groups:
            return EventView(record, fault=_fault(faults[0]))
        by = "the registry" if registry is not None else _named(known, groups[0].writer, framing)
        seen = examine(groups[0].writer, groups[0].bodies[0])
        view = EventView(record, groups[0].writer, by, seen.fields, _fault(seen.fault))
        if package is None:
            return view
        features = RecordSchema(package.features)
        decoder = Decoder(features, package.manifest.needed, framing, known.default, writers)
        decoded = decoder.decode([value], [headers])
    except PackageError as error:
        return EventView(record, fault=_fault(RecordError(error.message, reason="unknown_schema")))
    finally:
        if registry is not None:
            registry.close()
    fault = decoded.faults.get(0)
    return replace(view, fault=fault, columns=None if fault is not None else decoded.columns)


def _known(settings: Settings, package: Package | None) -> KnownWriters:
    """Of the version; of the current one where that is gone. Raises: PackageError where there is neither."""
    if package is None:
        return package_writers(settings)
    return KnownWriters(RecordSchema(package.features), events_of(package), chosen_schema(settings))


@overload
def _fault(error: RecordError) -> DeadLetter: ...
@overload
def _fault(error: RecordError | None) -> DeadLetter | None: ...
def _fault(error: RecordError | None) -> DeadLetter | None:
    if error is None:
        return None
    return DeadLetter("decode", error.reason, class_name(type(error)), error.message, error.field)


def _named(known: KnownWriters, writer: RecordSchema, framing: Framing) -> str:
    """The file that a schema is from, and whether the value says so."""
    file = next(name for name, schema in known.named.items() if schema.fingerprint == writer.fingerprint)
    return f"{file}, as configured now: the value names no schema" if framing == "bare" else file
