"""A model's functions in Spark SQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from stream.batch import instants
from stream.scoring import answer_fields
from stream.spark.shipping import Shipped, ship
from stream.spark.spark_session import require_pyspark, without_pandas
from stream.store import Trust
from stream.table import ScoredTable, TableScorer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["register"]

_ERROR = pa.struct([("stage", pa.string()), ("reason", pa.string()), ("message", pa.string())])


def register(
    spark: SparkSession, package: Path | str, name: str = "predict", *, trust: Trust | None = None
) -> tuple[str, ...]:
    """
    Make a model's functions known to a Spark session.

    `predict(struct(*))` gives a struct of the prediction's fields, null where there is none; `predict_label`,
    `predict_score`, `predict_value` … one of them; `predict_error` why there is none (`stage`, `reason`,
    `message`). Each call scores: ask for `p.*` of `(SELECT predict(struct(*)) AS p …)` rather than for two
    functions. Columns are found by their original or their Avro names; others are ignored. The package's
    bytes travel with the query.

    Args:
        spark: the session.
        package: a model package's folder, or one of its versions.
        name: of the functions.
        trust: who may have packed it; None for anybody.
    Returns: the names that were registered.
    Raises: PackageError when the package is refused; SettingsError when pyspark is not installed.
    """
    require_pyspark()
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    shipped = ship(package, trust)
    opened = shipped.open()
    scorer = TableScorer(opened.model, opened.features)
    prediction = pa.struct(list(instants(scorer.schema, opened.prediction)))
    kinds = {name: prediction, f"{name}_error": _ERROR}
    for field in answer_fields(opened.manifest):
        kinds[f"{name}_{field.name}"] = prediction.field(field.name).type
    with without_pandas():
        for each, kind in kinds.items():
            chosen = each.removeprefix(name).removeprefix("_")
            spark.udf.register(each, arrow_udf(_function(shipped, chosen, kind), from_arrow_type(kind)))
    return tuple(kinds)


def _function(shipped: Shipped, chosen: str, kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    def answer(rows: pa.Array) -> pa.Array:
        return _answer(shipped, chosen, kind, rows)

    return answer


def _answer(shipped: Shipped, chosen: str, kind: pa.DataType, rows: pa.Array) -> pa.Array:
    """n structs → n values; a null struct has none."""
    there = rows.is_valid()
    scored = _scorer(shipped).score(pa.RecordBatch.from_struct_array(rows.filter(there)))
    found = _errors(scored) if chosen == "error" else _predictions(scored, chosen, kind)
    if not rows.null_count:
        return found
    valid = there.to_numpy(zero_copy_only=False)
    return found.take(pa.array(np.cumsum(valid) - 1, mask=~valid))


def _predictions(scored: ScoredTable, chosen: str, kind: pa.DataType) -> pa.Array:
    rows = scored.aligned()
    if chosen:
        return rows.column(chosen).cast(kind)
    columns = [column.cast(field.type) for column, field in zip(rows.columns, kind, strict=True)]
    dead = np.zeros(scored.count, np.bool_)
    dead[list(scored.faults)] = True
    return pa.StructArray.from_arrays(columns, fields=list(kind), mask=pa.array(dead))


def _errors(scored: ScoredTable) -> pa.Array:
    faults = (scored.faults.get(i) for i in range(scored.count))
    found = [f and {"stage": f.stage, "reason": f.reason, "message": f.message} for f in faults]
    return pa.array(found, _ERROR)


_scorers: dict[str, TableScorer] = {}
"""By manifest: Spark's Python processes live longer than a query."""


def _scorer(shipped: Shipped) -> TableScorer:
    if shipped.sha256 not in _scorers:
        package = shipped.open()
        _scorers[shipped.sha256] = TableScorer(package.model, package.features)
    return _scorers[shipped.sha256]
