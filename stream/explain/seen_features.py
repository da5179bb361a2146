"""The features of one event as the model saw them: after defaults, with their types, missing ones as given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stream.codec import LeafPlan, RecordSchema, resolve
from stream.manifest import Feature
from stream.scoring import Inputs, X, value_at
from stream.store import Package

__all__ = ["SeenFeature", "seen_features"]


@dataclass(frozen=True, slots=True)
class SeenFeature:
    """
    One column of the estimator's input, for one event.

    Attributes:
        name: as the estimator knows it.
        path: of the field in the model's `features.avsc`.
        avro: the field's type.
        written: the event's value, as JSON has it; None where it is null or not written.
        source: `event`, or `default` where the event's writer has no such field.
        dtype: the type of the column, or array, that the estimator was given.
        value: what it was given: a number, a text, a boolean, a time.
        missing: `NaN`, `None` or `NaT`, where it was given no value; empty otherwise.
    """

    name: str
    path: str
    avro: str
    written: object
    source: str
    dtype: str
    value: object
    missing: str


def seen_features(
    package: Package, columns: Mapping[str, pa.Array], writer: RecordSchema, fields: Mapping[str, object]
) -> list[SeenFeature]:
    """
    The estimator's input for one event.

    Args:
        package: the version.
        columns: the decoded event: one row.
        writer: the schema that the event was written with.
        fields: the event's own, as JSON has them.
    Returns: a feature per column, in the estimator's order; none where the input's types can't hold the event.
    """
    built = Inputs(package.manifest).build(columns, 1)
    if built.misfits:
        return []
    [(_, x)] = built.parts(1)
    features, reader = package.manifest.features, RecordSchema(package.features)
    origins = {feature.path: _origin(writer, reader, feature.path, fields) for feature in features}
    return [
        SeenFeature(name, feature.path, feature.avro, *origins[feature.path], dtype, *_given(value))
        for name, feature, dtype, value in _cells(x, features)
    ]


def _cells(x: X, features: tuple[Feature, ...]) -> Iterator[tuple[str, Feature, str, object]]:
    """Name, feature, type and value of each column of a one-row input."""
    if hasattr(x, "columns"):
        for position, feature in enumerate(features):
            column = x.iloc[:, position]
            yield feature.name, feature, str(column.dtype), column.iloc[0]
    elif hasattr(x, "iloc"):
        yield features[0].name, features[0], str(x.dtype), x.iloc[0]
    elif len(features) == x.shape[1]:
        for position, feature in enumerate(features):
            yield feature.name, feature, str(x.dtype), x[0, position]
    else:
        for position in range(x.shape[1]):
            yield f"{features[0].name}[{position}]", features[0], str(x.dtype), x[0, position]


def _origin(
    writer: RecordSchema, reader: RecordSchema, path: str, fields: Mapping[str, object]
) -> tuple[object, str]:
    """The event's own value, and whether it has one."""
    plan = resolve(writer.root, reader.root, path)
    if not isinstance(plan, LeafPlan) or not plan.steps:
        return None, "default"
    return value_at(fields, ".".join(step.name for step in plan.steps)), "event"


def _given(value: Any) -> tuple[object, str]:
    """A cell's value, and what a missing one is."""
    if value is None:
        return None, "None"
    if type(value).__name__ in ("NaTType", "NAType"):
        return None, str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None, "NaN"
    return value, ""
