"""Values that tell a graph from the model that it was made of: at and beside thresholds, missing, unseen, odd ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stream.manifest import Feature

__all__ = ["UNSEEN", "evenly", "trial_numbers", "trial_values"]

_PER_FEATURE = 900
"""Values tried of one feature at most: 300 thresholds, each with its neighbours."""

UNSEEN = "no text that a model has seen"
_INTEGERS = {"int": 2**31, "long": 2**63}
_SPECIAL = (0.0, -0.0, 5e-324, -1.0, 1.0, 1e30, -1e30, math.inf, -math.inf, math.nan)


def evenly(count: int, most: int) -> list[int]:
    """At most so many of some things' numbers, at even distances."""
    found: list[int] = np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(int)).tolist()
    return found


def trial_values(feature: Feature, found: npt.NDArray[np.float64], texts: Sequence[str]) -> list[object]:
    """
    The values of a feature to try.

    Args:
        feature: of the model.
        found: where trees decide, ascending.
        texts: that the model knows.
    Returns: as an event holds them.
    """
    nothing: list[object] = [None] if feature.nullable else []
    if feature.kind == "text" and feature.avro in ("string", "enum"):
        free = feature.avro == "string"
        return [*nothing, *texts[:_PER_FEATURE], *([UNSEEN, ""] if free else [])]
    if feature.kind == "category":
        free = feature.avro == "string" and feature.unknown != "refused"
        return [*nothing, *(feature.categories or ())[:_PER_FEATURE], *([UNSEEN, ""] if free else [])]
    return [*nothing, *trial_numbers(feature.avro, found)]


def trial_numbers(kind: str, found: npt.NDArray[np.float64]) -> list[object]:
    """Values of an Avro type at and beside thresholds, and odd ones; none for types that are no plain numbers."""
    found = found[np.isfinite(found)]
    few = found[evenly(len(found), _PER_FEATURE // 3)]
    if kind == "boolean":
        return [True, False]
    if kind == "double":
        beside = [few, np.nextafter(few, -np.inf), np.nextafter(few, np.inf)]
        return [*np.concatenate(beside).tolist(), *_SPECIAL]
    if kind == "float":
        near = few.astype(np.float32)
        beside = [near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))]
        return [*np.concatenate(beside).tolist(), *np.array(_SPECIAL, np.float32).tolist()]
    if kind in _INTEGERS:
        end = _INTEGERS[kind]
        whole = {int(edge + step) for edge in np.floor(few) for step in (0, 1) if -end <= edge + step < end}
        return [*sorted(whole), 0, -1, 1, 2**24 + 1, end - 1, -end]
    return []
