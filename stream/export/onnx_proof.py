"""Whether a compiled model answers as the model itself, row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.compiled import VECTOR, input_null, is_text
from stream.export.onnx_trials import Trial
from stream.manifest import Manifest
from stream.scoring import Model, columns_of

__all__ = ["Feed", "Found", "Proof", "compare", "feed_of", "unknown_text"]

_SHOWN = 3
"""Rows named in a message."""

_TIE = 1e-12
"""Where two classes are as probable as each other to this, rounding alone makes the label."""

Feed = dict[str, npt.NDArray[Any]]

Found = Mapping[str, npt.NDArray[Any]]
"""The compiled model's answers: `value`, or `label` with what else it gives; the first axis is the row."""


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What came of asking both.

    Attributes:
        rows: that both answered.
        ties: of them, those with another label that is as probable.
        difference: the largest between two numbers, as a part of max(1, |number|).
        wrong: what differs, for a message; empty if nothing does.
    """

    rows: int
    ties: int
    difference: float
    wrong: str


def unknown_text(content: bytes) -> str:
    """A text that no encoder in a graph knows, since it is nowhere in the file."""
    text = "(empty)"
    while text.encode() in content:
        text += ")"
    return text


def feed_of(
    manifest: Manifest,
    rows: Sequence[Mapping[str, object]],
    inputs: Sequence[str],
    numbers: npt.DTypeLike,
    empty: str,
) -> Feed:
    """
    What the runtime is asked.

    Args:
        manifest: of the model.
        rows: events.
        inputs: their names, in the features' order.
        numbers: the type of numbers, `float64` or `float32`.
        empty: what is asked instead of an empty text, where a null is asked as one.
    Returns: an array of shape (n, 1) per input, or one of shape (n, width); a text that is null is empty.
    """
    columns = columns_of(rows, manifest.features)
    if manifest.inputs == "vector":
        return {VECTOR: np.array(columns[manifest.features[0].path].to_pylist(), numbers)}
    arrays: list[npt.NDArray[Any]] = []
    for feature in manifest.features:
        values: npt.NDArray[Any] = np.array(columns[feature.path].to_pylist(), dtype=object)
        if is_text(feature):
            if input_null(feature) is not None:
                values = np.where(values == "", empty, values)
                values = np.where(values == None, "", values)  # noqa: E711
            arrays.append(values.reshape(-1, 1))
        else:
            with np.errstate(over="ignore"):
                arrays.append(values.astype(np.float64).astype(numbers).reshape(-1, 1))  # None is NaN, True 1
    if manifest.inputs == "matrix":
        return {VECTOR: np.hstack(arrays)}
    return dict(zip(inputs, arrays, strict=True))


def compare(model: Model, asked: Sequence[Trial], found: Found, tolerance: float) -> Proof:
    """
    Ask the model itself, and compare.

    Args:
        model: under its contract.
        asked: n ≥ 1 rows; those that the model does not answer say nothing.
        found: the compiled model's answers to them.
        tolerance: |difference| ≤ tolerance · max(1, |value|).
    """
    events = [trial.event for trial in asked]
    scored = model.with_probabilities().score(columns_of(events, model.manifest.features), len(events))
    rows = np.array(list(scored.rows), np.intp)
    if not len(rows):
        return Proof(0, 0, 0.0, "the model itself answers none of the rows")
    expected = {name: _plain(column) for name, column in scored.columns.items()}
    bad = np.zeros(len(rows), np.bool_)
    ties = bad
    largest = 0.0
    if "label" in expected:
        other = expected["label"] != found["label"][rows]
        ties = other & _tied(expected)
        bad |= other & ~ties
    for name in ("value", "score", "probabilities"):
        if name not in expected or name not in found:
            continue
        known, given = expected[name], np.asarray(found[name], np.float64)[rows]
        with np.errstate(invalid="ignore"):
            gap = np.abs(known - given) / np.maximum(1.0, np.abs(known))
        gap = gap.reshape(len(rows), -1).max(axis=1)
        bad |= ~(gap <= tolerance)  # NaN is none
        largest = max(largest, float(np.nanmax(np.where(bad, np.nan, gap), initial=0.0)))
    return Proof(
        len(rows), int(ties.sum()), largest, _told(asked, rows[bad], np.flatnonzero(bad), expected, found)
    )


def _plain(column: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_list(column.type):
        width = len(column[0])
        return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(-1, width)
    return np.asarray(column.to_pylist())


def _tied(expected: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Rows where the two largest probabilities are the same."""
    probabilities = expected.get("probabilities")
    if probabilities is None:
        return np.zeros(len(expected["label"]), np.bool_)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0] <= _TIE)


def _told(
    asked: Sequence[Trial],
    numbers: npt.NDArray[np.intp],
    places: npt.NDArray[np.intp],
    expected: Mapping[str, npt.NDArray[Any]],
    found: Found,
) -> str:
    """The first rows that differ."""
    told = []
    for number, place in list(zip(numbers.tolist(), places.tolist(), strict=True))[:_SHOWN]:
        for name in ("label", "score", "value"):
            if name in expected and name in found:
                known, given = expected[name][place], found[name][number]
                if known != given or (isinstance(given, float) and math.isnan(given)):
                    told.append(f"{asked[number].what}: {name} was {known}, is {given}")
    more = f"; and {len(numbers) - _SHOWN} more rows" if len(numbers) > _SHOWN else ""
    return (
        "; ".join(told) + more
        if told
        else ("; ".join(asked[n].what for n in numbers[:_SHOWN].tolist()) + more)
    )
