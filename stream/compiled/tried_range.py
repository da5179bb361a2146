"""
How large an event's numbers may be for a graph that adds up their products.

Two libraries add in different orders. Where large numbers cancel out, what is left of a sum is what each has rounded;
so such a graph is believed for numbers only that were tried together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stream.compiled.engine_layout import is_coded
from stream.manifest import Feature, Manifest

__all__ = ["far_numbers", "tried_within"]

_FURTHER = 10.0
"""Than the largest golden number: what is larger still is rare, and left to the estimator."""

_COUNT = 300
"""Numbers of each feature at most, mixed with those of all others."""

_ENDS = {"int": 2.0**31 - 1, "long": 2.0**53}


def tried_within(manifest: Manifest, golden: Mapping[str, pa.Array]) -> dict[int, float]:
    """
    By place of each number, how far sums are tried.

    Args:
        manifest: of the model.
        golden: columns of the golden rows.
    """
    if manifest.is_array:
        items = golden[manifest.features[0].path]
        flat = pc.list_flatten(items) if pa.types.is_list(items.type) else items
        return dict.fromkeys(range(manifest.width), _reach(flat))
    return {
        place: _reach(golden[feature.path])
        for place, feature in enumerate(manifest.features)
        if not is_coded(feature) and feature.avro != "boolean"
    }


def _reach(column: pa.Array) -> float:
    values = np.abs(column.drop_null().to_numpy(zero_copy_only=False).astype(np.float64))
    return _FURTHER * float(values[np.isfinite(values)].max(initial=1.0))


def far_numbers(feature: Feature, limit: float, seed: int, most: int) -> list[object]:
    """
    Numbers to try, some of them at the ends.

    Args:
        feature: of the model; of a vector, any item.
        limit: they are between -limit and limit.
        seed: tells features apart.
        most: rows that they are mixed into: more would not be tried.
    Returns: as an event holds them.
    """
    count = min(_COUNT, most)
    kind = feature.avro.removeprefix("array<").removesuffix(">")
    chance = np.random.default_rng(seed)
    sizes = limit * np.where(chance.random(count) < 0.5, 1.0, chance.random(count))
    values = sizes * chance.choice([-1.0, 1.0], count)
    if kind in _ENDS:
        return [*np.clip(np.rint(values), -_ENDS[kind], _ENDS[kind]).astype(np.int64).tolist()]
    found: list[object] = (values.astype(np.float32) if kind == "float" else values).tolist()
    return found
