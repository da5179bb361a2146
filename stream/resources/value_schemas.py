"""The schemas that the worker's decoder knows today, without opening the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stream.codec import Decoder, Framing, RecordSchema, examine, unframe
from stream.errors import RecordError
from stream.records import DeadLetter, Headers
from stream.registry import RegistryWriters
from stream.resources.known_writers import KnownWriters
from stream.resources.model_place import package_folder
from stream.resources.topic_schemas import package_schema, package_writers, writers_of
from stream.settings import Settings
from stream.store import read_head, resolve

__all__ = ["ExaminedValue", "ValueSchemas", "opened_schemas"]


@dataclass(frozen=True, slots=True)
class ExaminedValue:
    """
    A value, read as far as it goes.

    Attributes:
        writer: the schema that it was written with; None where that is not known.
        fields: that could be read, as JSON has them.
        fault: why it is not exactly one value of that schema, or why that is not known; None = it is.
        byte: the position in the value where it fails, the framing included; None where it is no single byte.
        body: where the Avro bytes begin in the value.
    """

    writer: RecordSchema | None
    fields: dict[str, object]
    fault: RecordError | None
    byte: int | None = None
    body: int = 0


@dataclass(frozen=True, slots=True)
class ValueSchemas:
    """
    What it takes to read an event's value.

    Attributes:
        features: the model's `features.avsc`.
        framing: of the input's values.
        known: the writers' schemas of the package and the configuration.
        registry: the writers' schemas by id, asked of the registry; None without one.
        decoder: as the worker's.
    """

    features: RecordSchema
    framing: Framing
    known: KnownWriters
    registry: RegistryWriters | None
    decoder: Decoder

    def unframed(
        self, value: bytes, headers: Headers, default: RecordSchema | None = None
    ) -> tuple[RecordSchema, bytes] | RecordError:
        """
        Take off a value's framing.

        Args:
            value: as it came.
            headers: of its record.
            default: of values whose framing names no schema, or a fingerprint that is this schema's; None = the
                configuration's.
        Returns: the writer's schema and the Avro bytes, or why there is none.
        Raises: Retriable when the registry does not answer.
        """
        self._prepare(value, headers)
        schema = default or self.known.default
        groups, faults = unframe([value], [headers], self.framing, schema, self.registry or self.known)
        return faults[0] if faults else (groups[0].writer, groups[0].bodies[0])

    def examined(self, value: bytes, headers: Headers) -> ExaminedValue:
        """Read a value as far as it goes, with the schema that it names. Args, Raises: as `unframed`."""
        found = self.unframed(value, headers)
        if isinstance(found, RecordError):
            return ExaminedValue(None, {}, found)
        writer, avro = found
        read, body = examine(writer, avro), len(value) - len(avro)
        byte = None if read.byte is None else body + read.byte
        return ExaminedValue(writer, read.fields, read.fault, byte, body)

    def fault(self, value: bytes, headers: Headers) -> DeadLetter | None:
        """What keeps the model's fields from being read of a value today; None = nothing. Raises: as `unframed`."""
        self._prepare(value, headers)
        return self.decoder.decode([value], [headers]).faults.get(0)

    def _prepare(self, value: bytes, headers: Headers) -> None:
        if self.registry is not None:
            self.registry.prepare([value], [headers])


@contextmanager
def opened_schemas(settings: Settings) -> Iterator[ValueSchemas]:
    """
    The schemas of a configuration; the connection to the registry is closed at the end.

    Raises: Refused where one of them can't be read.
    """
    _, manifest = read_head(resolve(package_folder(settings)))
    features = package_schema(settings, "features.avsc")
    known, registry = package_writers(settings), writers_of(settings)
    framing = settings.framing("input")
    try:
        decoder = Decoder(features, manifest.needed, framing, known.default, registry or known)
        yield ValueSchemas(features, framing, known, registry, decoder)
    finally:
        if registry is not None:
            registry.close()
