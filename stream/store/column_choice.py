"""Which of the types that a feature's column may have the estimator takes: found by asking it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from stream.codec import RecordSchema
from stream.files import Sample, owner_frame
from stream.manifest import Feature, Manifest
from stream.scoring import Estimator, Inputs, Isolation, attempt, taken, typed_features, unshared

__all__ = ["Owner", "choose_types"]

Owner: TypeAlias = tuple[Sample, Mapping[str, tuple[str, ...]], RecordSchema]
"""A sample, the texts that are known of its columns, and the events' schema."""

_ASKED = 50
"""Rows that are asked about where the estimator raises on all of them together."""


def choose_types(
    estimator: Estimator,
    draft: Manifest,
    columns: Mapping[str, pa.Array],
    n: int,
    owner: Owner | None,
) -> Manifest:
    """
    Settle the types of a frame's columns.

    Args:
        estimator: fitted.
        draft: a manifest with its inputs and features.
        columns: of n ≥ 1 rows, by path.
        n: number of rows.
        owner: the sample, the texts that are known of its columns, and the events' schema; None without one.
    Returns: the draft with the first types on which the estimator answers any row; the first of all if there are none.
    """
    if draft.inputs != "frame":
        return draft
    frame = None
    if owner is not None:
        sample, texts, schema = owner
        frame = owner_frame(sample, texts).rename(columns=str)
        frame = frame.rename(columns=_by_feature(draft.features, schema, set(frame.columns)))
    choices = [replace(draft, features=found) for found in typed_features(estimator, draft.features, frame)]
    if len(choices) == 1:
        return choices[0]
    return next((choice for choice in choices if _answers(estimator, choice, columns, n)), choices[0])


def _by_feature(features: tuple[Feature, ...], schema: RecordSchema, known: set[str]) -> dict[str, str]:
    """A sample's columns may have the fields' own names where the model has others."""
    names: dict[str, str] = {}
    for feature in features:
        leaf = schema.leaf(feature.path)
        for name in (leaf.feature, leaf.path):
            if feature.name not in known and name in known:
                names[str(name)] = feature.name
    return names


def _answers(estimator: Estimator, draft: Manifest, columns: Mapping[str, pa.Array], n: int) -> bool:
    for rows, x in Inputs(draft).build(columns, n).parts(n):
        if isinstance(attempt(partial(_predict, estimator, x)), dict):
            return True
        few = slice(0, _ASKED)
        isolation = Isolation(partial(_predict, estimator), taken(x, few), rows[few])
        isolation.run()
        if isolation.answers:
            return True
    return False


def _predict(estimator: Estimator, x: object) -> dict[str, np.ndarray]:
    return {"": np.asarray(estimator.predict(unshared(x)))}
