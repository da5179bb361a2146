"""A data file's rows as events of a configuration, sent to its input topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stream.codec import write_row
from stream.errors import RecordError, SampleError
from stream.files import read_events
from stream.resources import input_schema, prefix_of
from stream.rights import rights_of
from stream.settings import Settings
from stream.tasks.event_sending import Message, replay
from stream.transport import Cluster, Sink

__all__ = ["RowFile", "event_messages", "send_file"]


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
    for number, row in enumerate(read_events(file.path, schema, file.delimiter), start=1):
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
