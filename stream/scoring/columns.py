"""Rows as dicts → the Arrow columns a model is scored on: for golden rows and doors without Avro bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import pyarrow as pa

from stream.manifest import Feature

__all__ = ["ARROW", "columns_of", "value_at"]

ARROW: Mapping[str, pa.DataType] = {
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "enum": pa.string(),
    "uuid": pa.string(),
    "date": pa.date32(),
    "timestamp-millis": pa.timestamp("ms"),
    "timestamp-micros": pa.timestamp("us"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "array<int>": pa.list_(pa.int32()),
    "array<long>": pa.list_(pa.int64()),
    "array<float>": pa.list_(pa.float32()),
    "array<double>": pa.list_(pa.float64()),
}
"""A feature's Arrow type by its Avro type."""


def value_at(row: Mapping[str, object], path: str) -> object:
    """
    A leaf of a nested row.

    Args:
        row: an Avro record as a dict.
        path: dotted.
    Returns: its value; None where a record on the way is null.
    Raises: KeyError if a field on the way is not there.
    """
    value: object = row
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value[name]
    return value


def columns_of(rows: Sequence[Mapping[str, object]], features: Sequence[Feature]) -> dict[str, pa.Array]:
    """
    The columns of the features.

    Args:
        rows: n Avro records as dicts, with every feature's field.
        features: of the model.
    Returns: an array of length n per feature, by its path.
    Raises: KeyError for a field that a row lacks; pyarrow.ArrowException for a value of another type.
    """
    return {
        feature.path: pa.array([_plain(value_at(row, feature.path)) for row in rows], ARROW[feature.avro])
        for feature in features
    }


def _plain(value: object) -> object:
    """Avro readers turn a text with the logical type uuid into an object; the model sees the text."""
    return str(value) if isinstance(value, UUID) else value
