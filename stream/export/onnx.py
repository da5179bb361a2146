"""
A model as ONNX, proven to answer as it did: our own graph in doubles; where there is none, skl2onnx's in float32.

The proof is asked of the golden rows, and of many with one value changed: at and beside the trees' thresholds, missing
values, zeros, infinities, texts that the model has not seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stream.compiled import Unsupported, compile_graph, output_names
from stream.errors import PackageError
from stream.export.onnx_proof import Found, Proof, compare, feed_of, unknown_text
from stream.export.onnx_skl2onnx import by_skl2onnx
from stream.export.onnx_trials import Trial, trials
from stream.extras import require
from stream.manifest import Manifest
from stream.scoring import Raised, attempt, columns_of, known_texts
from stream.store import Golden, Package
from stream.types import type_called

__all__ = ["Compiled", "compile_onnx"]

_TOLERANCE = 1e-12
"""Of doubles: |difference| ≤ 1e-12 · max(1, |value|)."""

_FLOAT_TOLERANCE = 1e-5
"""Of skl2onnx's graphs, which compute in float32, as for float32 answers."""

_FLOAT_RANGE = 1e6
"""Up to here float32 holds a number to a tenth."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Compiled:
    """
    A model that compiled and answers the same.

    Attributes:
        content: of the `.onnx` file.
        inputs: name and type (`double`, `float`, `string`) of each.
        outputs: names.
        rows: golden rows that were compared.
        tried: rows beside them that were compared.
        ties: of all of them, those with another label that is as probable.
        left_out: golden rows that could not be asked: ONNX has no text that is null.
        difference: the largest between two numbers, as a part of max(1, |number|).
        tolerance: of it.
        nulls: whether a text that is null may be asked, as the empty one.
        empty: where it may, the text that an empty one is asked as: one that the model does not know.
    """

    content: bytes
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    rows: int
    tried: int
    ties: int
    left_out: int
    difference: float
    tolerance: float
    nulls: bool
    empty: str


@dataclass(frozen=True, slots=True)
class _Way:
    """
    A way from a model to a graph.

    Attributes:
        content: of the file.
        thresholds: by feature's place, where trees decide.
        numbers: the type of the inputs that are numbers.
        tolerance: of the answers.
        nulls: whether a text may be null.
        empty: what stands for an empty text where a null is asked as one.
    """

    content: bytes
    thresholds: Mapping[int, npt.NDArray[np.float64]]
    numbers: str
    tolerance: float
    nulls: bool
    empty: str


@contextmanager
def _extremes_asked() -> Iterator[None]:
    """Numbers that overflow, and what comes of them, are what is asked: numpy's warnings say nothing new."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@_extremes_asked()
def compile_onnx(package: Package, golden: Golden) -> Compiled:
    """
    Compile a model, and ask both it and the model itself.

    Args:
        package: opened.
        golden: its golden rows.
    Returns: the compiled model; labels are equal, scores and values within its tolerance.
    Raises: PackageError when the model does not compile, or answers differently, with the rows; SettingsError when
        the libraries of the extra are not installed.
    """
    require("exporting to ONNX", "onnx", "onnx", "skl2onnx", "onnxruntime")
    manifest = package.manifest
    if not golden.events:
        raise _refusal(manifest, "it has no golden rows to be tried on")
    way = _way(package)
    asked = _asked(package, golden, way)
    session = _session(manifest, way.content)
    inputs = tuple(
        (each.name, each.type.removeprefix("tensor(").removesuffix(")")) for each in session.get_inputs()
    )
    rows = sum(trial.golden for trial in asked)
    proof = _proven(package, session, asked, way, [name for name, _ in inputs])
    names = tuple(each.name for each in session.get_outputs())
    return Compiled(
        way.content, inputs, names, rows, proof.rows - rows, proof.ties, len(golden.events) - rows,
        proof.difference, way.tolerance, way.nulls, way.empty,
    )  # fmt: skip


def _way(package: Package) -> _Way:
    """Our own graph; where there is none, skl2onnx's, if it knows the model."""
    manifest, estimator = package.manifest, package.model.estimator
    try:
        made = compile_graph(estimator, manifest)
    except Unsupported as reason:
        known = by_skl2onnx(estimator, manifest)
        if isinstance(known, str):
            raise _refusal(manifest, f"{reason}; {known}") from reason
        return _Way(known, {}, "float32", _FLOAT_TOLERANCE, nulls=False, empty="")
    empty = unknown_text(made.content)
    return _Way(made.content, made.thresholds, "float64", _TOLERANCE, nulls=True, empty=empty)


def _asked(package: Package, golden: Golden, way: _Way) -> list[Trial]:
    manifest = package.manifest
    names = [feature.name for feature in manifest.features]
    texts = known_texts(package.model.estimator, names)
    found = trials(manifest, golden.events, way.thresholds, texts)
    if not way.nulls:
        found = [trial for trial in found if _has_all_texts(manifest, trial.event)]
        # Beyond float32's digits its answers are others; the golden rows say whether that matters.
        found = [trial for trial in found if not _is_beyond(trial)]
        if not found:
            raise _refusal(manifest, "every golden row has a text that is null, which ONNX can't hold")
    return found


def _is_beyond(trial: Trial) -> bool:
    return isinstance(trial.value, (int, float)) and abs(trial.value) > _FLOAT_RANGE  # NaN is none


def _has_all_texts(manifest: Manifest, event: Mapping[str, object]) -> bool:
    columns = columns_of([event], [feature for feature in manifest.features if feature.kind == "text"])
    return not any(column.null_count for column in columns.values())


def _session(manifest: Manifest, content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # what is wrong is raised
    return _guarded(manifest, partial(onnxruntime.InferenceSession, content, options))


def _proven(package: Package, session: Any, asked: list[Trial], way: _Way, inputs: list[str]) -> Proof:
    manifest = package.manifest
    feed = feed_of(manifest, [trial.event for trial in asked], inputs, way.numbers, way.empty)
    outputs = _guarded(manifest, lambda: session.run(None, feed))
    found = _own(manifest, session, outputs) if way.nulls else _theirs(manifest, outputs)
    proof = compare(package.model, asked, found, way.tolerance)
    if proof.wrong:
        raise _refusal(manifest, f"compiled, it answers differently: {proof.wrong}")
    return proof


def _own(manifest: Manifest, session: Any, outputs: list[Any]) -> Found:
    by_name = dict(zip((each.name for each in session.get_outputs()), outputs, strict=True))
    return {field: np.asarray(by_name[name]) for field, name in output_names(manifest).items()}


def _theirs(manifest: Manifest, outputs: list[Any]) -> Found:
    """Labels and probabilities, or values, as skl2onnx orders them."""
    first = np.asarray(outputs[0]).reshape(-1)
    if manifest.task == "regressor":
        return {"value": first.astype(np.float64)}
    kind: Any = type_called(manifest.answer).python
    labels = np.array([kind(label) for label in first.tolist()])
    if manifest.score is None:
        return {"label": labels}
    classes, scores = list(manifest.classes or ()), np.asarray(outputs[1], np.float64)
    which = [1 if len(classes) == 2 else classes.index(label) for label in labels.tolist()]
    return {"label": labels, "score": scores[np.arange(len(scores)), which], "probabilities": scores}


def _guarded(manifest: Manifest, call: Callable[[], T]) -> T:
    """The runtime raises errors of many kinds for what it can't do."""
    result = attempt(call)
    if isinstance(result, Raised):
        raise _refusal(manifest, f"the runtime refuses it: {' '.join(result.message.split())[:300]}")
    return result


def _refusal(manifest: Manifest, reason: str) -> PackageError:
    return PackageError(
        f"{manifest.model} can't be exported to ONNX: {reason}",
        hint="let BigQuery call `stream serve`: stream export --to bigquery",
    )
