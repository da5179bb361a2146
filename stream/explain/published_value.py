"""A prediction's value, read with the schema that wrote it, though that may be years old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stream.codec import RecordSchema, examine, read_bare, unframe
from stream.errors import RecordError
from stream.explain.kept_versions import PredictionSchema
from stream.explain.record_lookup import KafkaRecord
from stream.resources import writers_of
from stream.settings import Settings

__all__ = ["Published", "read_published"]

_UNUSED = RecordSchema('{"type": "record", "name": "Unused", "fields": []}')
"""Where a registry says what every id is, no value has the default."""


@dataclass(frozen=True, slots=True)
class Published:
    """
    A prediction that was read.

    Attributes:
        schema: that wrote it.
        found_by: how that is known, for people.
        body: its Avro bytes.
        prefix: the bytes of its framing.
        fields: of the value, as JSON has them.
        stored: the same as they were written: bare numbers, texts, lists.
    """

    schema: RecordSchema
    found_by: str
    body: bytes
    prefix: bytes
    fields: dict[str, object]
    stored: dict[str, object]

    @property
    def model(self) -> str:
        """`name@version`; empty where the value does not say."""
        found = self.stored.get("model")
        return found if isinstance(found, str) else ""

    @property
    def source(self) -> tuple[int, int] | None:
        """Partition and offset of the event; None where the value does not say."""
        partition, offset = self.stored.get("source_partition"), self.stored.get("source_offset")
        return (partition, offset) if isinstance(partition, int) and isinstance(offset, int) else None


def read_published(
    settings: Settings, record: KafkaRecord, kept: Iterable[PredictionSchema]
) -> Published | RecordError:
    """
    Read a prediction.

    Args:
        settings: the configuration.
        record: of the output topic, with a value.
        kept: the schemas of the versions that are still there; only read as far as needed.
    Returns: the prediction, or why it can't be read.
    Raises: Retriable or BrokerRefused when the registry does not answer, or refuses.
    """
    assert record.value is not None
    framing = settings.framing("output")
    registry = writers_of(settings, "output")
    fault: RecordError | None = None
    if registry is not None:
        try:
            registry.prepare([record.value], [record.headers])
            groups, faults = unframe([record.value], [record.headers], framing, _UNUSED, registry)
        finally:
            registry.close()
        if groups:
            return _read(record.value, groups[0].writer, groups[0].bodies[0], "the registry")
        fault = faults[0]
    for one in kept:
        groups, faults = unframe([record.value], [record.headers], framing, one.schema, None)
        if not groups:
            fault = faults[0] if registry is None else fault
            continue
        found = _read(record.value, one.schema, groups[0].bodies[0], f"prediction.avsc of {one.model}")
        # Without a fingerprint, the one schema that may be believed is that of the version that the value names.
        if framing == "single-object" or (isinstance(found, Published) and found.model == one.model):
            return found
    return fault or RecordError(
        "no version of the model is kept whose `prediction.avsc` reads it", reason="unknown_schema"
    )


def _read(value: bytes, schema: RecordSchema, body: bytes, found_by: str) -> Published | RecordError:
    examined = examine(schema, body)
    if examined.fault is not None:
        return examined.fault
    prefix = value[: len(value) - len(body)]
    return Published(schema, found_by, body, prefix, examined.fields, read_bare(schema, body))
