"""Schemas of a configuration: from files and the registry, and the framing that names them on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from stream.codec import RecordSchema, confluent_prefix, plain_row, read_row, single_object_prefix, unframe
from stream.errors import SchemaError, SettingsError
from stream.records import Headers
from stream.registry import Client, RegistryWriters, subject_name
from stream.resources.known_writers import KnownWriters
from stream.resources.model_place import package_folder
from stream.resources.package_trust import trust_of
from stream.settings import Settings, Side
from stream.store import EVENTS_FILE, read_head, read_vouched, resolve
from stream.text_files import read_text_file

__all__ = [
    "chosen_schema",
    "input_schema",
    "package_schema",
    "package_writers",
    "prefix_of",
    "read_schema",
    "registry_client",
    "row_reader",
    "subject_of",
    "writers_of",
]


def read_schema(path: Path) -> RecordSchema:
    """
    An Avro schema from its file.

    Raises: SchemaError naming the file, and the field where it is the schema that is wrong.
    """
    text = read_text_file(path, SchemaError, "correct the path of the schema")
    try:
        return RecordSchema(text)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error.message}", hint=error.hint) from error


_File: TypeAlias = Literal["features.avsc", "events.avsc", "prediction.avsc"]


def package_schema(settings: Settings, name: _File) -> RecordSchema:
    """
    A schema of the configured package's current version; its model is not opened.

    Raises: PackageError when there is no such package, or the file is not the one that was packed and, where
        keys are trusted, signed; SettingsError when a key can't be used.
    """
    folder = resolve(package_folder(settings))
    content = read_vouched(folder, name, trust_of(settings.model))
    try:
        return RecordSchema(content.decode())
    except (UnicodeDecodeError, SchemaError) as error:
        raise SchemaError(f"{folder / name}: {error}", hint="pack the model again") from error


def input_schema(settings: Settings) -> RecordSchema:
    """
    The schema that `stream produce` writes a configuration's events with: `[input] schema`, else the package's
    features, which every reader knows by their fingerprint; else, where values name no schema, what they are read with.

    Raises: Refused when neither can be read.
    """
    if settings.input.schema is not None:
        return read_schema(settings.path(settings.input.schema))
    named = settings.framing("input") == "single-object" or settings.schema_registry.url
    return package_schema(settings, "features.avsc") if named else package_writers(settings).default


def package_writers(settings: Settings) -> KnownWriters:
    """
    The schemas that events may be written with; the package's model is not opened.

    Raises: Refused when one of them can't be read.
    """
    _, manifest = read_head(resolve(package_folder(settings)))
    events = package_schema(settings, "events.avsc") if EVENTS_FILE in manifest.files else None
    return KnownWriters(package_schema(settings, "features.avsc"), events, chosen_schema(settings))


def chosen_schema(settings: Settings) -> tuple[Path, RecordSchema] | None:
    """`[input] schema` and its path as given; None where it is not set. Raises: SchemaError."""
    chosen = settings.input.schema
    return None if chosen is None else (Path(chosen), read_schema(settings.path(chosen)))


def registry_client(settings: Settings) -> Client | None:
    """The configuration's registry; None when none is configured. Raises: SettingsError."""
    chosen = settings.schema_registry
    if not chosen.url:
        return None
    from stream.registry import Connection

    return Client(Connection(chosen, settings.path))


def subject_of(settings: Settings, side: Side, schema: RecordSchema) -> str:
    """The subject under which a topic's schema is registered."""
    topic = settings.input.topic if side == "input" else settings.output.topic
    return subject_name(settings.schema_registry.subject, topic, schema.name)


def writers_of(settings: Settings, side: Side = "input") -> RegistryWriters | None:
    """The writer schemas of a topic's values, by the ids they carry; None without a registry."""
    framing = settings.framing(side)
    client = registry_client(settings) if framing == "confluent" else None
    if client is None:
        return None
    return RegistryWriters(client, lambda schema: subject_of(settings, side, schema))


def prefix_of(settings: Settings, side: Side, schema: RecordSchema, *, register: bool = False) -> bytes:
    """
    The bytes before each value that is written to a topic.

    Args:
        settings: the configuration.
        side: which topic.
        schema: of the values.
        register: register the schema when it is not there.
    Raises: SettingsError when the registry does not know the schema, or none is configured;
        SchemaError when it finds the schema incompatible; Retriable or BrokerRefused when it does not answer
        or refuses.
    """
    framing = settings.framing(side)
    if framing == "single-object":
        return single_object_prefix(schema)
    if framing == "bare":
        return b""
    client = registry_client(settings)
    if client is None:
        raise SettingsError(
            f"[{side}] framing: `confluent` needs the id that a schema registry gave the schema",
            hint="configure `[schema_registry] url`, or use `single-object`",
        )
    subject = subject_of(settings, side, schema)
    with client:
        found = client.register(subject, schema.text) if register else client.id_of(subject, schema.text)
    if found is None:
        how = "`stream topics --create`" if side == "output" else "`stream produce --register`"
        raise SettingsError(
            f"{client.url}: {schema.name} is not registered under {subject}", hint=f"register it with {how}"
        )
    return confluent_prefix(found)


@contextmanager
def row_reader(
    settings: Settings, side: Side, schema: RecordSchema
) -> Iterator[Callable[[bytes, Headers | None], dict[str, object]]]:
    """
    Decodes one value of a topic at a time, for people.

    Args:
        settings: the configuration.
        side: which topic; dead letters are framed as the input.
        schema: of values that name no other.
    Yields: value and headers → fields, as JSON has them; raises RecordError when they can't be read, Retriable when the
        registry does not answer. The connection to the registry is closed at the end.
    """
    framing = settings.framing(side)
    writers = writers_of(settings, side)
    known = package_writers(settings) if writers is None and side == "input" else writers

    def read(value: bytes, headers: Headers | None) -> dict[str, object]:
        if writers is not None:
            writers.prepare([value], [headers])
        groups, faults = unframe([value], [headers], framing, schema, known)
        if faults:
            raise faults[0]
        [group] = groups
        return plain_row(group.writer, read_row(group.writer, group.bodies[0]))

    try:
        yield read
    finally:
        if writers is not None:
            writers.close()
