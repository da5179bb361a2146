"""A data file's rows as events of a configuration, sent to its input topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stream.batch import Input, Needs, check_columns
from stream.codec import Record, RecordSchema, find, position_of, strip_null, write_row
from stream.errors import RecordError, SampleError
from stream.files import named_format, read_events
from stream.resources import input_schema, is_remote, package_folder, package_schema, prefix_of
from stream.rights import rights_of
from stream.settings import Settings
from stream.store import read_head, resolve
from stream.tasks.event_sending import Message, replay
from stream.transport import Cluster, Sink

__all__ = ["RowFile", "check_file", "event_messages", "send_file"]


@dataclass(frozen=True, slots=True)
class RowFile:
    """
    A data file.

    Attributes:
        path: of one of the formats that are read.
        delimiter: the character that separates a csv's cells; None to find it.
    """

    path: Path
    delimiter: str | None = None


def check_file(file: RowFile, settings: Settings) -> list[str]:
    """
    Before anything is sent: whether a file that has a header has the events' columns.

    Args:
        file: of any format that is read.
        settings: the configuration; events have its input's schema.
    Returns: what the format notes of the file, and a line for each column that is not there and has a default.
    Raises: SampleError naming the columns that are needed, and those that the file has: a field without a default; or
        all fields that the model reads, since events of defaults alone are about nothing.
    """
    schema = input_schema(settings)
    given = Input(str(file.path), named_format(file.path, file.delimiter).name, (), file.delimiter)
    fields = [field.name for field in schema.root.fields]
    who = f"the schema {schema.name}"
    return check_columns([given], Needs(who, schema.root, fields, _read_paths(settings, schema)))


def _read_paths(settings: Settings, schema: RecordSchema) -> list[str]:
    """Of the events' fields, the paths of those that the model reads; of all, where that can't be known."""
    every = [field.name for field in schema.root.fields]
    if settings.input.schema is not None and (is_remote(settings) or not package_folder(settings).exists()):
        return every  # whoever writes events need not have the model
    package = package_folder(settings)
    _, manifest = read_head(resolve(package))
    features = package_schema(settings, "features.avsc").root
    read = (_written_path(schema.root, features, feature.path) for feature in manifest.features)
    return [path for path in dict.fromkeys(read) if path] or every


def _written_path(writer: Record, reader: Record, path: str) -> str:
    """What the writer calls a field of the reader, or the record that it is in; empty where it has none."""
    names: list[str] = []
    node: object = writer
    for step in find(reader, path):
        if not isinstance(node, Record):
            break
        position = position_of(node, step)
        if position is None:
            return ""
        field = node.fields[position]
        names.append(field.name)
        node = strip_null(field.type)[0]
    return ".".join(names)


def event_messages(
    file: RowFile, settings: Settings, key: str | None, *, register: bool = False
) -> Iterator[Message]:
    """
    A data file's rows as messages.

    Args:
        file: of any format that is read.
        settings: the configuration; events have its input's schema and framing.
        key: the field whose text becomes the key; None = no key.
        register: register the schema when the registry does not know it.
    Raises: SampleError naming file, row and column; SettingsError when the schema is not registered.
    """
    schema = input_schema(settings)
    prefix = prefix_of(settings, "input", schema, register=register)
    if key is not None and key not in schema.fields:
        raise SampleError(
            f"--key {key}: {schema.name} has no such field", hint=f"one of {', '.join(schema.fields)}"
        )
    one_of = _read_paths(settings, schema)
    for number, row in enumerate(read_events(file.path, schema, file.delimiter, one_of), start=1):
        try:
            value = prefix + write_row(schema, row)
        except RecordError as error:
            raise SampleError(
                f"{file.path}: row {number}: {error.message}", hint="correct the row, or the schema"
            ) from error
        yield Message(None if key is None or row[key] is None else str(row[key]).encode(), value)


def send_file(
    file: RowFile,
    settings: Settings,
    key: str | None,
    *,
    rate: float | None,
    limit: int | None,
    register: bool,
    progress: Callable[[int], object],
) -> int:
    """
    Send a data file's rows to the input topic.

    Args:
        file: as `event_messages`.
        settings: as `event_messages`.
        key: as `event_messages`.
        rate: events per second; None = as fast as the broker takes them.
        limit: rows to send at most; None = all.
        register: as `event_messages`.
        progress: called with the number handed over so far.
    Returns: how many were sent; all are acknowledged.
    Raises: as `event_messages`, after the rows before have been sent; Stopped when the topic is not there or the
        broker refuses.
    """
    cluster = Cluster(settings.kafka, rights_of("produce", settings))
    cluster.require(settings.input.topic)
    messages = islice(event_messages(file, settings, key, register=register), limit)
    with cluster.naming_refusals():
        return replay(messages, Sink(settings.kafka), settings.input.topic, rate, progress=progress)
