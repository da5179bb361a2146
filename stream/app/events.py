"""Events of a configuration: their schema, and files of them as messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.app.send import Message
from stream.app.topic_schemas import package_schema, prefix_of, read_schema
from stream.codec import RecordSchema
from stream.codec.dict_records import write_row
from stream.errors import RecordError, SampleError
from stream.files import read_events
from stream.settings import Settings

__all__ = ["event_messages", "input_schema"]


def input_schema(settings: Settings) -> RecordSchema:
    """
    The schema that events of a configuration are written with: `[input] schema`, else the package's.

    Raises: Refused when neither can be read.
    """
    if settings.input.schema is not None:
        return read_schema(settings.path(settings.input.schema))
    return package_schema(settings, "features.avsc")


def event_messages(
    file: Path, settings: Settings, key: str | None, *, register: bool = False
) -> Iterator[Message]:
    """
    A data file's rows as messages.

    Args:
        file: csv, parquet, avro or jsonl.
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
    for number, row in enumerate(read_events(file, schema), start=1):
        try:
            value = prefix + write_row(schema, row)
        except RecordError as error:
            raise SampleError(
                f"{file}: row {number}: {error.message}", hint="correct the row, or the schema"
            ) from error
        yield Message(None if key is None or row[key] is None else str(row[key]).encode(), value)
