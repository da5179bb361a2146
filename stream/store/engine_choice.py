"""How an opened model is asked about few rows: by its compiled graph, where that is there and answers the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from stream.compiled import CompiledWay, open_way
from stream.errors import SettingsError
from stream.extras import require
from stream.manifest import Manifest
from stream.scoring import Model, Raised, Trial, attempt, columns_of, same_answer
from stream.store.golden import Golden
from stream.store.manifests import ENGINE_FILE

__all__ = ["Engine", "choose_engine"]

Engine: TypeAlias = Literal["auto", "sklearn"]
"""`auto`: the compiled graph, for as many rows as it is faster; `sklearn`: always the estimator itself."""

_EQUAL = 1e-12

_MEASURED_S = 0.01
"""CPU time after which a measurement is not repeated; it is repeated some times, since the first calls take longer."""

_QUICK_S = 0.002
"""CPU time that an event loop may spend on rows before others have their turn."""

_REPEATED = 5

_MOST_ROWS = 100_000
"""Asked at once at most: what a call takes beyond that is memory, not overhead."""

_PENALTY = 1.3
"""On each row: where both are nearly as fast, large batches, which were not measured, are left to the estimator."""

Columns: TypeAlias = Mapping[str, pa.Array]


def choose_engine(model: Model, golden: Golden, content: bytes | None, engine: Engine) -> str:
    """
    Let a model be asked through its graph, if it is to be.

    Args:
        model: opened; its golden rows score as when packed. It takes up the way.
        golden: those rows.
        content: of the graph's file; None where there is none.
        engine: what is wanted.
    Returns: what answers, and why, as a phrase.
    """
    if engine == "sklearn":
        return "sklearn, as is asked for"
    if content is None:
        return f"sklearn ({_absent(model.manifest)})"
    try:
        require("its compiled graph", "compiled", "onnxruntime")
    except SettingsError as error:
        return f"sklearn ({error.message}: {error.hint})"
    way = attempt(partial(open_way, content, model.manifest))
    if isinstance(way, Raised):
        return f"sklearn (the compiled graph can't be opened: {' '.join(way.message.split())[:300]})"
    columns, n = columns_of(golden.events, model.manifest.features), len(golden.events)
    if problem := _differs(model, way, columns, n):
        return f"sklearn ({problem})"
    way.most_rows, way.quick_rows = _worth(model, way, columns, n)
    model.ways = (Trial(way, model.manifest, passed=True), *model.ways)
    rows = "any number of rows" if way.most_rows >= _MOST_ROWS else f"up to {way.most_rows:,} rows at once"
    return f"compiled for {rows}: {model.manifest.compiled}"


def _absent(manifest: Manifest) -> str:
    if manifest.compiled is None:
        return "it was packed by a release that compiled none: pack it again"
    return manifest.compiled.reason or f"its manifest speaks of a compiled graph, and names no {ENGINE_FILE}"


def _differs(model: Model, way: CompiledWay, columns: Columns, n: int) -> str:
    """Whether golden rows are answered otherwise here, by other versions of the libraries; empty if none is."""
    found = attempt(partial(way.answered, columns))
    if isinstance(found, Raised):
        return f"the compiled graph raises here: {' '.join(found.message.split())[:300]}"
    answers, certain = found
    scored = model.score(columns, n)
    rows = [row for row in scored.rows if certain[row]]
    places = {row: place for place, row in enumerate(scored.rows)}
    known = {name: column.to_pylist() for name, column in scored.columns.items()}
    for row in rows:
        for name, values in known.items():
            given, own = np.asarray(answers[name][row]).tolist(), values[places[row]]
            if not same_answer(given, own, _EQUAL, _EQUAL):
                return f"golden row {row} is answered otherwise by the compiled graph here: {name} {given}, not {own}"
    return "" if rows else "the compiled graph answers none of the golden rows here"


def _worth(model: Model, way: CompiledWay, columns: Columns, n: int) -> tuple[int, int]:
    """
    By what a call costs, and what each row adds to it: the number of rows from which on the estimator is faster, and
    of those that the way answers in `_QUICK_S`.
    """
    one = {path: column.slice(0, 1) for path, column in columns.items()}
    ours = _line(lambda: way.read(one), lambda: way.read(columns), n)
    theirs = _line(lambda: model.score(one, 1), lambda: model.score(columns, n), n)
    quick = n if not ours[1] else max(0, int((_QUICK_S - ours[0]) / ours[1]))
    ours = ours[0], ours[1] * _PENALTY
    if ours[1] <= theirs[1]:
        most = _MOST_ROWS if ours[0] <= theirs[0] else 0
    else:
        most = min(_MOST_ROWS, max(0, int((theirs[0] - ours[0]) / (ours[1] - theirs[1]))))
    return most, min(most, quick)


def _line(few: Callable[[], object], many: Callable[[], object], n: int) -> tuple[float, float]:
    """CPU seconds of a call, and of each row."""
    low = _cpu_s(few)
    if n == 1:
        return low, 0.0
    each = max(0.0, (_cpu_s(many) - low) / (n - 1))
    return low - each, each


def _cpu_s(call: Callable[[], object]) -> float:
    """The least of some calls."""
    best, spent = float("inf"), 0.0
    for _ in range(_REPEATED):
        began = time.thread_time()
        call()
        took = time.thread_time() - began
        best, spent = min(best, took), spent + took
        if spent > _MEASURED_S:
            break
    return best
