"""Schemas of a configuration: read from files, and the framing that names them on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from stream.codec import RecordSchema, single_object_prefix
from stream.errors import SchemaError, SettingsError
from stream.settings import Framing
from stream.store.folder import resolve

__all__ = ["output_prefix", "package_schema", "read_schema"]


def read_schema(path: Path) -> RecordSchema:
    """
    An Avro schema from its file.

    Raises: SchemaError naming the file, and the field where it is the schema that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SchemaError(
            f"{path}: can't be read: {reason}", mend="correct the path of the schema"
        ) from error
    try:
        return RecordSchema(text)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error.message}", mend=error.mend) from error


def output_prefix(framing: Framing, schema: RecordSchema) -> bytes:
    """
    The bytes before each value written with a schema.

    Raises: SettingsError for `confluent`, whose ids only a schema registry gives.
    """
    if framing == "single-object":
        return single_object_prefix(schema)
    if framing == "bare":
        return b""
    raise SettingsError(
        "[output] framing: `confluent` needs the id that a schema registry gave the schema, and none is configured",
        mend="use `single-object`",
    )


def package_schema(package: Path, name: Literal["features.avsc", "prediction.avsc"]) -> RecordSchema:
    """
    A schema of a package's current version; its model is not opened.

    Raises: PackageError when there is no such package; SchemaError when the file can't be read.
    """
    return read_schema(resolve(package) / name)
