"""A model's functions in Spark SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from stream.extras import require
from stream.scoring import answer_fields
from stream.spark.shipping import Shipped, ship
from stream.spark.spark_session import without_pandas
from stream.store import Trust
from stream.table import StructScorer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["register"]


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
    require("Spark", "spark", "pyspark")
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    shipped = ship(package, trust)
    kinds = _kinds(
        _scorer(shipped, name).type, name, [f.name for f in answer_fields(shipped.open().manifest)]
    )
    with without_pandas():
        for each, (path, kind) in kinds.items():
            function = arrow_udf(_function(shipped, name, path), from_arrow_type(kind))
            spark.udf.register(each, function)
    return tuple(kinds)


def _kinds(
    outcome: pa.StructType, name: str, fields: Sequence[str]
) -> dict[str, tuple[list[str], pa.DataType]]:
    """By function: where in an outcome its answer is, and the answer's type."""
    prediction, error = (outcome.field(each).type for each in ("prediction", "error"))
    return {
        name: (["prediction"], prediction),
        f"{name}_error": (["error"], error),
        **{f"{name}_{field}": (["prediction", field], prediction.field(field).type) for field in fields},
    }


def _function(shipped: Shipped, name: str, path: Sequence[str]) -> Callable[[pa.Array], pa.Array]:
    def answer(rows: pa.Array) -> pa.Array:
        return pc.struct_field(_scorer(shipped, name).score(rows), path)

    return answer


_scorers: dict[tuple[str, str], StructScorer] = {}
"""By manifest and function: Spark's Python processes live longer than a query."""


def _scorer(shipped: Shipped, name: str) -> StructScorer:
    key = (shipped.sha256, name)
    if key not in _scorers:
        package = shipped.open()
        call = f"give it the row: {name}(struct(*))"
        _scorers[key] = StructScorer(
            package.model, package.features, name, call, lambda kind: kind.spark_arrow
        )
    return _scorers[key]
