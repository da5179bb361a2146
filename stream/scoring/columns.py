"""Rows as dicts → the Arrow columns a model is scored on: for golden rows and doors without Avro bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from stream.manifest import Feature
from stream.types import type_called

__all__ = ["columns_of", "value_at"]


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
    Raises: KeyError for a field that a row lacks; Misfit for a value of another type.
    """
    columns: dict[str, pa.Array] = {}
    for feature in features:
        path = feature.path
        values = [row[path] for row in rows] if "." not in path else [value_at(row, path) for row in rows]
        columns[path], wrong = type_called(feature.avro).from_values(values)
        for misfit in wrong.values():
            raise misfit.within(path)
    return columns
