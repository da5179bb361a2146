"""Rows that a compiled model is tried on: golden ones, and those where the least change decides, or a value is odd."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.manifest import Feature, Manifest
from stream.scoring import value_at

__all__ = ["Trial", "trials"]

_PER_FEATURE = 900
"""Values tried of one feature at most: 300 thresholds, each with its neighbours."""

_ALL = 9_000
"""Rows at most, which a slow model answers in seconds."""

_UNSEEN = "no text that a model has seen"
_INTEGERS = {"int": 2**31, "long": 2**63}
_SPECIAL = (0.0, -0.0, 5e-324, -1.0, 1.0, 1e30, -1e30, math.inf, -math.inf, math.nan)


@dataclass(frozen=True, slots=True)
class Trial:
    """
    A row to try.

    Attributes:
        event: an Avro record as a dict.
        what: it is, for a message: `row 3 with temp = 20.5`.
        golden: whether it is a golden row as it is.
        value: of another row, the one that was put into it.
    """

    event: dict[str, object]
    what: str
    golden: bool = True
    value: object = None


def trials(
    manifest: Manifest,
    events: Sequence[Mapping[str, object]],
    thresholds: Mapping[int, npt.NDArray[np.float64]],
    texts: Mapping[str, Sequence[str]],
) -> list[Trial]:
    """
    The golden rows, and the same with one value changed.

    Args:
        manifest: of the model.
        events: golden rows, one at least.
        thresholds: by feature's place (of a vector: by item's), where trees decide; ascending.
        texts: by feature's name, those that the model knows.
    Returns: the golden rows first.
    """
    found = [Trial(dict(event), f"row {number}") for number, event in enumerate(events)]
    changes = list(_changes(manifest, thresholds, texts))
    kept = _evenly(len(changes), _ALL)
    for number, (path, item, value) in zip(itertools.count(), (changes[place] for place in kept)):
        row = number % len(events)
        changed = _changed(events[row], path, item, value)
        if changed is not None:
            name = path if item is None else f"{path}[{item}]"
            found.append(Trial(changed, f"row {row} with {name} = {value!r}", False, value))
    return found


def _evenly(count: int, most: int) -> list[int]:
    """At most so many of some things' numbers, at even distances."""
    found: list[int] = np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(int)).tolist()
    return found


def _changes(
    manifest: Manifest,
    thresholds: Mapping[int, npt.NDArray[np.float64]],
    texts: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, int | None, object]]:
    """Paths, items of a vector, and values."""
    if manifest.inputs == "vector":
        vector = manifest.features[0]
        kind = vector.avro.removeprefix("array<").removesuffix(">")
        for item in range(manifest.width):
            values = _numbers(kind, thresholds.get(item, np.empty(0)))
            yield from ((vector.path, item, value) for value in values)
        return
    for place, feature in enumerate(manifest.features):
        for value in _values(feature, thresholds.get(place, np.empty(0)), texts.get(feature.name, ())):
            yield feature.path, None, value


def _values(feature: Feature, found: npt.NDArray[np.float64], texts: Sequence[str]) -> list[object]:
    nothing: list[object] = [None] if feature.nullable else []
    if feature.kind == "text" and feature.avro in ("string", "enum"):
        free = feature.avro == "string"
        return [*nothing, *texts[:_PER_FEATURE], *([_UNSEEN, ""] if free else [])]
    if feature.kind == "category":
        free = feature.avro == "string" and feature.unknown != "refused"
        return [*nothing, *(feature.categories or ())[:_PER_FEATURE], *([_UNSEEN, ""] if free else [])]
    return [*nothing, *_numbers(feature.avro, found)]


def _numbers(kind: str, found: npt.NDArray[np.float64]) -> list[object]:
    """Values of an Avro type at and beside thresholds, and odd ones; none for types that are no plain numbers."""
    found = found[np.isfinite(found)]
    few = found[_evenly(len(found), _PER_FEATURE // 3)]
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


def _changed(
    event: Mapping[str, object], path: str, item: int | None, value: object
) -> dict[str, object] | None:
    """The event with another value; None where a record on the way is null."""
    changed: dict[str, object] = copy.deepcopy(dict(event))
    *way, last = path.split(".")
    holder = value_at(changed, ".".join(way)) if way else changed
    if not isinstance(holder, dict):
        return None
    if item is None:
        holder[last] = value
        return changed
    items = holder[last]
    if not isinstance(items, list) or item >= len(items):
        return None
    items[item] = value
    return changed
