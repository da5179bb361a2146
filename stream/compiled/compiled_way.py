"""
The way to a model's answers through a compiled graph: for few rows, where a call of the estimator costs most.

It gives no answer where it is not certain: beyond the values that were tried, where an answer is not finite, and where
two classes are so near to each other that rounding could decide. The estimator is asked then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.compiled.engine_input import LARGEST, MatrixInput
from stream.compiled.engine_layout import MATRIX, Lexicon
from stream.manifest import Category, Manifest
from stream.scoring import Answers, Raised, attempt

__all__ = ["CompiledWay", "Permitted", "open_way", "said_of"]

_SAID = "prediction-stream.engine"
"""The key under which a file says what it is to be asked with."""

_TIE = 1e-9
"""Scores this close make no label here; as `stream.scoring` has it."""

_Rows: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Permitted:
    """
    What a graph answers as the estimator does, beside what is known.

    Attributes:
        missing: places of features that may be missing.
        unknown: places of those that may have a value that the estimator has not seen.
        within: by place, how large a number may be; up to `LARGEST` where it is not among them.
    """

    missing: frozenset[int]
    unknown: frozenset[int]
    within: Mapping[int, float] = field(default_factory=dict)


def said_of(lexicons: Mapping[int, Lexicon], permitted: Permitted) -> dict[str, str]:
    """What the file of a graph says of itself."""
    content = {
        "lexicons": {str(place): list(lexicon.values) for place, lexicon in lexicons.items()},
        "missing": sorted(permitted.missing),
        "unknown": sorted(permitted.unknown),
        "within": {str(place): limit for place, limit in permitted.within.items()},
    }
    return {_SAID: json.dumps(content)}


class CompiledWay:
    """
    A way (`stream.scoring.Way`) through ONNX Runtime. May be used by several threads at once.

    Args:
        session: of ONNX Runtime.
        manifest: of the model.
        lexicons: by feature's place.
        permitted: what it answers.

    Attributes:
        most_rows: it is asked for at most so many.
        quick_rows: as `stream.scoring.Way` has them.
    """

    name = "compiled"
    light = True

    def __init__(
        self, session: Any, manifest: Manifest, lexicons: Mapping[int, Lexicon], permitted: Permitted
    ) -> None:
        self._session = session
        self._input = MatrixInput(manifest, lexicons)
        self._path = manifest.features[0].path
        self._outputs = [output.name for output in session.get_outputs()]
        self._classes = None if manifest.classes is None else np.asarray(manifest.classes)
        self.most_rows = self.quick_rows = 0
        self._limit, self._banned = np.full(manifest.width, LARGEST), np.full(manifest.width, np.nan)
        self._gaps = np.zeros(manifest.width, np.bool_)
        self._permit(lexicons, permitted)

    def _permit(self, lexicons: Mapping[int, Lexicon], permitted: Permitted) -> None:
        self._gaps[[place for place in permitted.missing if place not in lexicons]] = True
        for place, limit in permitted.within.items():
            self._limit[place] = min(LARGEST, limit)
        for place, lexicon in lexicons.items():
            self._limit[place] = lexicon.unknown if place in permitted.unknown else lexicon.missing
            if place not in permitted.missing:
                self._banned[place] = lexicon.missing
        self._bans = not np.isnan(self._banned).all()

    def applies(self, n: int) -> bool:
        """Whether the estimator costs more for n rows."""
        return n <= self.most_rows

    def read(self, columns: Mapping[str, pa.Array]) -> Answers | None:
        """See `stream.scoring.Way.read`."""
        found = attempt(lambda: self.answered(columns))
        if isinstance(found, Raised):
            return None
        answers, certain = found
        return answers if certain.all() else None

    def answered(self, columns: Mapping[str, pa.Array]) -> tuple[Answers, _Rows]:
        """
        Ask for all rows, whatever is in them.

        Args:
            columns: an array of length n ≥ 1 for each feature's path.
        Returns: n answers, and which of them count, shape (n,).
        Raises: what the runtime raises.
        """
        cells = self._input.build(columns, len(columns[self._path]))
        certain = self._tried(cells.matrix)
        if cells.sound is not None:
            certain &= cells.sound
        outputs = dict(
            zip(self._outputs, self._session.run(self._outputs, {MATRIX: cells.matrix}), strict=True)
        )
        if self._classes is None:
            value = outputs["value"]
            return {"value": value}, certain & np.isfinite(value)
        answers: Answers = {"label": self._classes[outputs["which"]], "score": outputs["score"]}
        certain = certain & (outputs["gap"] > _TIE) & np.isfinite(outputs["score"])
        if "probabilities" in outputs:
            answers["probabilities"] = outputs["probabilities"]
            certain = certain & np.isfinite(outputs["probabilities"]).all(axis=1)
        return answers, certain

    def _tried(self, matrix: npt.NDArray[np.float64]) -> _Rows:
        """Rows with such values only as the graph was tried with."""
        good: _Rows = np.asarray(np.abs(matrix) <= self._limit, np.bool_)
        if self._bans:
            good = np.logical_and(good, matrix != self._banned)
        if not good.all():
            good = np.logical_or(good, np.isnan(matrix) & self._gaps)
        rows: _Rows = np.logical_and.reduce(good, axis=1)
        return rows


def open_way(content: bytes, manifest: Manifest) -> CompiledWay:
    """
    Open a file that `prove_engine` has made.

    Args:
        content: of the file.
        manifest: of the model.
    Raises: what the runtime raises; ValueError, KeyError or TypeError where the file says nothing of itself.
    """
    session = _session(content)
    said = json.loads(session.get_modelmeta().custom_metadata_map[_SAID])
    lexicons: dict[int, Lexicon] = {}
    for place, values in said["lexicons"].items():
        known: tuple[Category, ...] = tuple(values)
        lexicons[int(place)] = Lexicon(known)
    within = {int(place): float(limit) for place, limit in said.get("within", {}).items()}
    permitted = Permitted(frozenset(said["missing"]), frozenset(said["unknown"]), within)
    return CompiledWay(session, manifest, lexicons, permitted)


def _session(content: bytes) -> Any:
    """One thread, which does not spin: a worker scales by processes."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # what is wrong is raised
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
