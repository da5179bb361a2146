"""
Whether a graph answers as the model that it was made of: only then it is kept.

Both are asked about some thousand rows: golden rows, and the same with values at and beside every threshold of its
trees, unseen texts, missing values, zeros, the largest numbers. Labels must be equal, and numbers to 1e-12 of
max(1, |number|). Rows that the graph leaves to the model, as `CompiledWay` does, are not compared; where the model
refuses a missing or an unknown value, the graph learns to leave it; any other difference ends the trial.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.compiled.compiled_way import Permitted, open_way, said_of
from stream.compiled.engine_graph import EngineGraph, engine_graph
from stream.compiled.onnx_graph import Unsupported
from stream.compiled.trial_rows import TrialRows, trial_rows
from stream.compiled.tried_range import tried_within
from stream.compiled.tried_values import evenly
from stream.errors import SettingsError
from stream.extras import require
from stream.manifest import Compilation, Manifest
from stream.scoring import Answers, Model, Raised, attempt, known_texts

__all__ = ["MAX_MODEL_BYTES", "prove_engine"]

_TOLERANCE = 1e-12

MAX_MODEL_BYTES = 64 * 1024**2
"""
Of an estimator's file: a graph is about as large, is read at every start, and a model that size is not slow for what
it costs to call it.
"""

_FIRST, _FIRST_VALUES = 8, 50_000
"""Doubtful rows that are asked before all others: so many values together, or rows where each has thousands."""

_SHOWN = 5
"""Fields named in a message."""

_Rows = npt.NDArray[np.bool_]


def prove_engine(model: Model, golden: Mapping[str, pa.Array], n: int) -> tuple[bytes | None, Compilation]:
    """
    Compile a model, and ask both.

    Args:
        model: under its contract.
        golden: columns of n ≥ 1 golden rows.
        n: how many.
    Returns: the file, or None, and what came of it.
    """
    try:
        require("a compiled graph", "compiled", "onnx", "onnxruntime")
        found = attempt(lambda: _proved(model, golden, n))
    except SettingsError as error:
        return None, Compilation(reason=f"{error.message}: {error.hint}")
    if isinstance(found, Raised):
        return None, Compilation(reason=f"{found.exception}: {found.message}")
    return found


def _proved(model: Model, golden: Mapping[str, pa.Array], n: int) -> tuple[bytes | None, Compilation]:
    manifest = model.manifest
    texts = known_texts(model.estimator, [feature.name for feature in manifest.features])
    try:
        made = engine_graph(model.estimator, manifest, texts)
    except Unsupported as reason:
        return None, Compilation(reason=str(reason))
    everything = frozenset(range(manifest.width))
    within = tried_within(manifest, golden) if made.sums else {}
    content = made.content(said_of(made.lexicons, Permitted(everything, everything, within)))
    rows = trial_rows(manifest, golden, n, made.thresholds, texts, within)
    reference = Model(model.estimator, manifest)
    reference.ways = ()
    expected = _expected(reference, rows)
    answers, certain = open_way(content, manifest).answered(rows.columns)
    permitted = replace(_permitted(rows, _gaps(answers, expected), certain), within=within)
    return _checked(made, manifest, permitted, rows, expected)


def _checked(
    made: EngineGraph, manifest: Manifest, permitted: Permitted, rows: TrialRows, expected: _Expected
) -> tuple[bytes | None, Compilation]:
    """What is left once the graph leaves to the model what that refuses."""
    content = made.content(said_of(made.lexicons, permitted))
    answers, certain = open_way(content, manifest).answered(rows.columns)
    gaps = _gaps(answers, expected)
    wrong = np.flatnonzero(certain & ~(gaps <= _TOLERANCE))
    if len(wrong):
        return None, Compilation(reason=_told(rows, int(wrong[0]), answers, expected, len(wrong)))
    if not certain[: rows.golden].any():
        return None, Compilation(reason="it would leave every golden row to the estimator")
    return content, Compilation(int(certain.sum()), float(gaps[certain].max()))


@dataclass(frozen=True, slots=True)
class _Expected:
    """
    The model's own answers to n rows.

    Attributes:
        there: which rows have one, shape (n,).
        answers: by field, shape (n, …); anything where there is none.
        faults: by row, why it has none.
    """

    there: _Rows
    answers: dict[str, npt.NDArray[np.generic]]
    faults: dict[int, str]


def _expected(reference: Model, rows: TrialRows) -> _Expected:
    """
    The doubtful rows apart: each that the model raises on takes a call to be found among the others.

    Where it raises on each of the first ones, at even distances, the others are taken for refused, too: a graph leaves
    their values to the model, and is no less right.
    """
    n = rows.count
    known = _Expected(np.zeros(n, np.bool_), {}, {})
    doubtful = np.array(list(rows.doubtful), np.intp)
    width = max(reference.manifest.width, 1)
    first = doubtful[evenly(len(doubtful), max(_FIRST, _FIRST_VALUES // width))]
    _ask(reference, rows, np.arange(n - len(doubtful)), known)
    _ask(reference, rows, first, known)
    if known.there[first].any():
        _ask(reference, rows, np.setdiff1d(doubtful, first), known)
    return known


def _ask(reference: Model, rows: TrialRows, asked: npt.NDArray[np.intp], known: _Expected) -> None:
    """Take up what the model answers to some rows, ascending."""
    part = {path: column.take(pa.array(asked)) for path, column in rows.columns.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a category is not known, that a sum overflows
        scored = reference.score(part, len(asked))
    places = asked[list(scored.rows)]
    known.there[places] = True
    known.faults.update({int(asked[i]): fault.message for i, fault in scored.faults.items()})
    for name, column in scored.columns.items() if len(places) else ():
        found = _plain(column)
        whole = np.zeros((rows.count, *found.shape[1:]), object if name == "label" else np.float64)
        known.answers.setdefault(name, whole)[places] = found


def _plain(column: pa.Array) -> npt.NDArray[np.generic]:
    if pa.types.is_list(column.type):
        width = len(column[0]) if len(column) else 0
        return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(-1, width)
    return np.array(column.to_pylist(), object if not pa.types.is_floating(column.type) else np.float64)


def _gaps(answers: Answers, expected: _Expected) -> npt.NDArray[np.float64]:
    """By row, the largest difference as a part of max(1, |number|); infinite for another label, or no answer."""
    gaps = np.where(expected.there, 0.0, np.inf)
    for name, known in expected.answers.items():
        found = answers[name]
        if name == "label":
            gaps[found.astype(object) != known] = np.inf
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            known = known.astype(np.float64)
            gap = np.abs(known - found.astype(np.float64)) / np.maximum(1.0, np.abs(known))
        gap = np.where(np.isnan(gap), np.inf, gap).reshape(len(gaps), -1).max(axis=1, initial=0.0)
        gaps = np.maximum(gaps, gap)
    return gaps


def _permitted(rows: TrialRows, gaps: npt.NDArray[np.float64], certain: _Rows) -> Permitted:
    """Places where every doubtful value that was tried is answered alike."""
    seen: dict[tuple[int, str], bool] = {}
    for row, key in rows.doubtful.items():
        seen[key] = seen.get(key, True) and bool(certain[row] and gaps[row] <= _TOLERANCE)
    alike = {
        kind: frozenset(p for (p, k), good in seen.items() if good and k == kind)
        for kind in ("missing", "unknown")
    }
    return Permitted(alike["missing"], alike["unknown"])


def _told(rows: TrialRows, row: int, answers: Answers, expected: _Expected, count: int) -> str:
    """The first row that differs."""
    event = {path: column[row].as_py() for path, column in rows.columns.items()}
    shown = ", ".join(f"{path} = {value!r}" for path, value in list(event.items())[:_SHOWN])
    given = {name: values[row] for name, values in answers.items()}
    known = {name: values[row] for name, values in expected.answers.items()}
    was = known if expected.there[row] else expected.faults.get(row, "no answer")
    return f"{count} of {rows.count} rows are answered otherwise, such as {shown}: {given}, not {was}"
