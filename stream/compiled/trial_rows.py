"""Rows that an engine's graph is tried on: golden ones; those with one odd value; those that mix all that is tried."""

from __future__ import annotations

import itertools
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

_HUGE = 1e15
_ENDLESS = (math.inf, -math.inf)


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


Changes: TypeAlias = dict[int, dict[int, object]]
"""Other values of rows: by place of a feature, or of an item of a vector, by row."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """
    What is tried at one place, without infinity, which is always left to the model.

    Attributes:
        calm: what no model refuses.
        mixing: those of them that are no huge numbers, which would hide what a sum makes of all others.
        doubtful: with what makes them so.
    """

    calm: list[object]
    mixing: list[object]
    doubtful: list[tuple[object, Doubtful]]


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
    most = max(_LEAST, _VALUES // max(manifest.width, 1))
    values, known = _values(manifest, thresholds, texts), _known(manifest, texts)
    for place, limit in within.items():
        feature = manifest.features[0 if manifest.is_array else place]
        values[place] += far_numbers(feature, limit, place, most)
    tried = {place: _tried(of_place, known.get(place)) for place, of_place in values.items()}
    # Apart: among thousands of thresholds a missing value would not be tried, and then never be answered.
    calm_ones = [(place, value) for place, found in tried.items() for value in found.calm]
    doubtful_ones = [(place, *one) for place, found in tried.items() for one in found.doubtful]
    few = min(_SINGLE, most)
    calm_singles = [calm_ones[number] for number in evenly(len(calm_ones), few)]
    doubtful_singles = [doubtful_ones[number] for number in evenly(len(doubtful_ones), few)]
    mixed = min(max(map(len, values.values()), default=0), _MIXED, most)
    changes = _mixed_changes(tried, range(n, n + mixed))
    row, doubtful = n + mixed, {}
    for place, value in calm_singles:
        changes[place][row] = value
        row += 1
    for place, value, kind in doubtful_singles:
        changes[place][row] = value
        doubtful[row] = (place, kind)
        row += 1
    return TrialRows(_changed(manifest, golden, pa.array(np.arange(row) % n), changes), row, n, doubtful)


def _mixed_changes(tried: Mapping[int, _Tried], rows: range) -> Changes:
    """In each of some rows, another value at every place."""
    chance = np.random.default_rng(0)
    found: Changes = {}
    for place, of_place in tried.items():
        # Nothing that a model may refuse: one such value would hide what it makes of all the others.
        values = of_place.mixing
        order = itertools.cycle(chance.permutation(len(values)).tolist())
        found[place] = {row: values[number] for row, number in zip(rows, order, strict=False)}
    return found


def _tried(values: Sequence[object], known: frozenset[object] | None) -> _Tried:
    found = _Tried([], [], [])
    for value in values:
        if value in _ENDLESS:
            continue
        if value is None or value != value:
            found.doubtful.append((value, "missing"))
        elif known is not None and value not in known:
            found.doubtful.append((value, "unknown"))
        else:
            found.calm.append(value)
            if not isinstance(value, (int, float)) or abs(value) < _HUGE:
                found.mixing.append(value)
    return found


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


def _changed(
    manifest: Manifest, golden: Mapping[str, pa.Array], base: pa.Array, changes: Changes
) -> dict[str, pa.Array]:
    """The golden rows at `base`, with other values."""
    if manifest.inputs == "vector":
        path = manifest.features[0].path
        rows = golden[path].take(base).to_pylist()
        for place, values in changes.items():
            for row, value in values.items():
                if rows[row] is not None and len(rows[row]) == manifest.width:
                    rows[row][place] = value
        return {path: pa.array(rows, golden[path].type)}
    found: dict[str, pa.Array] = {}
    for place, feature in enumerate(manifest.features):
        column = golden[feature.path].take(base)
        if changes.get(place):
            items = column.to_pylist()
            for row, value in changes[place].items():
                items[row] = value
            column = pa.array(items, column.type)
        found[feature.path] = column
    return found
