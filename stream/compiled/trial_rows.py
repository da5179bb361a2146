"""Rows that an engine's graph is tried on: golden ones; those with one odd value; those that mix all that is tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.compiled.engine_layout import is_coded
from stream.compiled.tried_range import far_numbers
from stream.compiled.tried_values import UNSEEN, evenly, trial_numbers, trial_values
from stream.manifest import Feature, Manifest

__all__ = ["Doubtful", "TrialRows", "trial_rows"]

Doubtful: TypeAlias = Literal["missing", "unknown"]
"""What a value is that a model may refuse."""

_SINGLE, _MIXED = 1_000, 1_500
"""Rows at most with one value changed, and with all: a forest of 100 trees answers them in 30 ms."""

_VALUES = 400_000
"""Of all rows together, where a row has thousands; 20 rows at least."""

_LEAST = 20


@dataclass(frozen=True, slots=True)
class TrialRows:
    """
    Rows to try.

    Attributes:
        columns: an array of length n for each feature's path.
        count: n.
        golden: how many of them, the first ones, are golden rows as they are.
        doubtful: by row with one value that is missing or unknown, the feature's place and which; the last rows.
    """

    columns: dict[str, pa.Array]
    count: int
    golden: int
    doubtful: dict[int, tuple[int, Doubtful]]


@dataclass(frozen=True, slots=True)
class _Change:
    """Another value of a row: of a feature, or of an item of a vector."""

    row: int
    place: int
    value: object


def trial_rows(
    manifest: Manifest,
    golden: Mapping[str, pa.Array],
    n: int,
    thresholds: Mapping[int, npt.NDArray[np.float64]],
    texts: Mapping[str, Sequence[str]],
    within: Mapping[int, float],
) -> TrialRows:
    """
    Make the rows.

    Args:
        manifest: of the model.
        golden: an array of length n ≥ 1 for each feature's path.
        n: how many golden rows there are.
        thresholds: by place, where trees decide; ascending.
        texts: by feature's name, those that the model knows.
        within: by place, up to where sums of the numbers are tried.
    """
    values, known = _values(manifest, thresholds, texts), _known(manifest, texts)
    for place, limit in within.items():
        values[place] += far_numbers(manifest.features[0 if manifest.is_array else place], limit, place)
    most = max(_LEAST, _VALUES // max(manifest.width, 1))
    singles = [
        (place, value, _kind(value, known.get(place)))
        for place, of_place in values.items()
        for value in of_place
        if not _is_endless(value)
    ]
    # Apart: among thousands of thresholds a missing value would not be tried, and then never be answered.
    calm_ones = [single for single in singles if single[2] is None]
    doubtful_ones = [single for single in singles if single[2] is not None]
    singles = [
        part[number]
        for part in (calm_ones, doubtful_ones)
        for number in evenly(len(part), min(_SINGLE, most))
        if part
    ]
    mixed = min(max(map(len, values.values()), default=0), _MIXED, most)
    start = n + mixed
    changes = [_Change(start + row, place, value) for row, (place, value, _) in enumerate(singles)]
    chance = np.random.default_rng(0)
    for place, of_place in values.items():
        # Nothing that a model may refuse: one such value would hide what it makes of all the others.
        calm = [value for value in of_place if _kind(value, known.get(place)) is None and not _is_huge(value)]
        mixing = chance.permutation(len(calm)).tolist()
        changes += [_Change(n + row, place, calm[mixing[row % len(calm)]]) for row in range(mixed) if calm]
    doubtful = {
        start + row: (place, kind) for row, (place, _, kind) in enumerate(singles) if kind is not None
    }
    count = start + len(singles)
    return TrialRows(_changed(manifest, golden, pa.array(np.arange(count) % n), changes), count, n, doubtful)


def _known(manifest: Manifest, texts: Mapping[str, Sequence[str]]) -> dict[int, frozenset[object]]:
    """By place of a feature that goes in as a code, what the model knows of it."""
    return {
        place: frozenset(texts.get(feature.name, ()) if feature.kind == "text" else feature.categories or ())
        for place, feature in enumerate(() if manifest.is_array else manifest.features)
        if is_coded(feature)
    }


def _values(
    manifest: Manifest, thresholds: Mapping[int, npt.NDArray[np.float64]], texts: Mapping[str, Sequence[str]]
) -> dict[int, list[object]]:
    """By place, what is tried: no infinity, which is always left to the model."""
    nowhere = np.empty(0)
    if manifest.inputs == "vector":
        item = manifest.features[0].avro.removeprefix("array<").removesuffix(">")
        places = range(manifest.width)
        return {place: trial_numbers(item, thresholds.get(place, nowhere)) for place in places}
    found: dict[int, list[object]] = {}
    for place, feature in enumerate(manifest.features):
        known = texts.get(feature.name, ())
        found[place] = trial_values(feature, thresholds.get(place, nowhere), known)
        if is_coded(feature) and UNSEEN not in found[place]:
            found[place] += _unseen(feature)
    return found


def _unseen(feature: Feature) -> list[object]:
    """A category that the model does not know, where an event may hold one."""
    if feature.avro in ("int", "long", "double"):
        return [next(number for number in range(10**6) if number not in (feature.categories or ()))]
    return []


def _kind(value: object, known: frozenset[object] | None) -> Doubtful | None:
    if value is None or value != value:
        return "missing"
    return "unknown" if known is not None and value not in known else None


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _is_huge(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) >= 1e15


def _changed(
    manifest: Manifest, golden: Mapping[str, pa.Array], base: pa.Array, changes: Sequence[_Change]
) -> dict[str, pa.Array]:
    """The golden rows at `base`, with other values."""
    found: dict[str, pa.Array] = {}
    by_place: dict[int, list[_Change]] = {}
    for change in changes:
        by_place.setdefault(change.place, []).append(change)
    if manifest.inputs == "vector":
        path = manifest.features[0].path
        rows = golden[path].take(base).to_pylist()
        for change in changes:
            if rows[change.row] is not None and len(rows[change.row]) == manifest.width:
                rows[change.row][change.place] = change.value
        return {path: pa.array(rows, golden[path].type)}
    for place, feature in enumerate(manifest.features):
        column = golden[feature.path].take(base)
        if place in by_place:
            values = column.to_pylist()
            for change in by_place[place]:
                values[change.row] = change.value
            column = pa.array(values, column.type)
        found[feature.path] = column
    return found
