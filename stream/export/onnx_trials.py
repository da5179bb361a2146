"""Rows that a compiled model is tried on: golden ones, and those where the least change decides, or a value is odd."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.compiled import evenly, trial_numbers, trial_values
from stream.manifest import Manifest
from stream.scoring import value_at

__all__ = ["Trial", "trials"]

_ALL = 9_000
"""Rows at most, which a slow model answers in seconds."""


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
    kept = evenly(len(changes), _ALL)
    for number, (path, item, value) in zip(itertools.count(), (changes[place] for place in kept)):
        row = number % len(events)
        changed = _changed(events[row], path, item, value)
        if changed is not None:
            name = path if item is None else f"{path}[{item}]"
            found.append(Trial(changed, f"row {row} with {name} = {value!r}", False, value))
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
            values = trial_numbers(kind, thresholds.get(item, np.empty(0)))
            yield from ((vector.path, item, value) for value in values)
        return
    for place, feature in enumerate(manifest.features):
        for value in trial_values(feature, thresholds.get(place, np.empty(0)), texts.get(feature.name, ())):
            yield feature.path, None, value


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
