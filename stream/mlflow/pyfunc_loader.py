"""
A package as MLflow's python_function: what `mlflow.pyfunc.load_model`, `mlflow models serve` and `spark_udf` ask.

MLflow finds it by the `loader_module` of `MLmodel`; nothing here imports MLflow, or anything else that scoring doesn't.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stream.codec import RecordSchema
from stream.errors import InputError
from stream.mlflow.signature import error_column
from stream.records import DeadLetter
from stream.store import Package, open_package
from stream.table import ScoredTable, TableScorer, frame_rows
from stream.types import AvroType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PackageModel", "load"]

log = logging.getLogger(__name__)

_PART_ROWS = 16_384
"""Rows that are scored at a time, so that memory does not grow with the table."""

_TURN = threading.RLock()
"""Not every estimator may be asked by two threads at once."""

_PLAIN = ("null", "boolean", "int", "long", "float", "double")
"""Types whose values JSON has itself; all others are written as every door writes them in JSON, and then as text."""


def load(path: str) -> PackageModel:
    """
    Open the package of a model folder, as `stream.load` does: hashes first, its golden rows last.

    Args:
        path: of the package.
    Raises: PackageError with the step that failed.
    """
    package = open_package(Path(path))
    for note in package.notes:
        log.warning("model package %s: %s", package.manifest.model, note)
    return PackageModel(package)


class PackageModel:
    """
    A version of a package, opened, that MLflow asks.

    Args:
        package: the version.
    """

    def __init__(self, package: Package) -> None:
        self.manifest = package.manifest
        self._scorer = TableScorer(package.model, RecordSchema(package.features), optional=True)
        self._error = error_column(package.manifest)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """
        Ask the model.

        Args:
            model_input: a pandas frame of n ≥ 0 rows, columns by their original or their Avro names; it is never
                changed.
            params: of MLflow; none are taken.
        Returns: a frame of n rows with the same index: the carried fields, the answer, `model`, and `error`: None, or
            why the row has no prediction, all of which is None then. Instants, decimals and all that JSON has no type
            for are texts.
        Raises: InputError when it is not a frame, or two columns have one name. Never for any values.
        Blocks while the model works.
        """
        import pandas as pd

        if not isinstance(model_input, pd.DataFrame):
            raise InputError(
                f"expected a pandas DataFrame, found {type(model_input).__name__}",
                hint="give a frame with the columns of the model's signature",
            )
        names = [str(name) for name in model_input.columns]
        wanted = self._scorer.wanted(names)
        if twice := [name for name in dict.fromkeys(wanted) if names.count(name) > 1]:
            raise InputError(
                f"several columns are called {', '.join(map(repr, twice[:10]))}", hint="leave one of each"
            )
        parts = [
            self._scored(model_input.iloc[start : start + _PART_ROWS], wanted)
            for start in range(0, max(len(model_input), 1), _PART_ROWS)
        ]
        return self._frame(parts, model_input.index)

    def _scored(self, rows: pd.DataFrame, wanted: Sequence[str]) -> ScoredTable:
        part = frame_rows(rows, wanted)
        with _TURN:
            return self._scorer.score_rows(part) if isinstance(part, list) else self._scorer.score(part)

    def _frame(self, parts: Sequence[ScoredTable], index: pd.Index) -> pd.DataFrame:
        import pandas as pd

        batches = [part.aligned() for part in parts]
        columns = {
            name: _series([batch.column(place) for batch in batches], kind, index)
            for place, (name, kind) in enumerate(self._scorer.types.items())
        }
        reasons = [
            None if fault is None else _reason(fault)
            for part in parts
            for fault in (part.faults.get(row) for row in range(part.count))
        ]
        columns[self._error] = pd.Series(reasons, index, dtype=object)
        return pd.DataFrame(columns, index=index)


def _reason(fault: DeadLetter) -> str:
    """The stable code, and what is wrong."""
    return f"{fault.reason}: {fault.message}"


def _series(columns: Sequence[pa.Array], kind: AvroType, index: pd.Index) -> pd.Series:
    """Numbers in their own types where none is missing; else objects, with None for what is."""
    import pandas as pd

    plain = kind.name in _PLAIN
    values = [value for column in columns for value in (column.to_pylist() if plain else _told(column, kind))]
    missing = any(value is None for value in values)
    typed = plain and values and not missing and kind.name != "null"
    return pd.Series(values, index, dtype=None if typed else object)


def _told(column: pa.Array, kind: AvroType) -> list[Any]:
    """As JSON has it; what would be an object there is its text, and a list of plain items itself."""
    values = kind.json_values(column)
    if kind.kind not in ("array", "map", "record", "union"):
        return values
    if kind.kind == "array" and getattr(kind, "item", kind).name in (*_PLAIN, "string"):
        return values
    return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
