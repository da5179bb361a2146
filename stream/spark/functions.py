"""A model's functions in Spark SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from stream.codec import RecordSchema
from stream.extras import require
from stream.scoring import answer_fields
from stream.spark.shipping import Shipped, ship
from stream.spark.spark_session import without_pandas
from stream.store import Trust
from stream.table import Absent, StructScorer, absent_columns, rows_lack
from stream.types import AvroType

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["answer_types", "check_row", "functions_of", "register", "register_shipped"]


def register(
    spark: SparkSession, package: Path | str, name: str = "predict", *, trust: Trust | None = None
) -> tuple[str, ...]:
    """
    Make a model's functions known to a Spark session.

    `predict(struct(*))` gives a struct of the prediction's fields, null where there is none; `predict_label`,
    `predict_score`, `predict_value` … one of them; `predict_error` why there is none (`stage`, `reason`,
    `message`). Each call scores: ask for `p.*` of `(SELECT predict(struct(*)) AS p …)` rather than for two
    functions. Columns are found by their original or their Avro names; others are ignored. Rows that lack a column
    without a default end the query. The package's bytes travel with the query.

    Args:
        spark: the session.
        package: a model package's folder, one of its versions, or a URI of MLflow.
        name: of the functions.
        trust: who may have packed it; None for anybody.
    Returns: the names that were registered.
    Raises: PackageError when the package is refused; SettingsError when pyspark is not installed.
    """
    require("Spark", "spark", "pyspark")
    return register_shipped(spark, ship(package, trust), name)


def register_shipped(spark: SparkSession, shipped: Shipped, name: str = "predict") -> tuple[str, ...]:
    """As `register`, of a model that has been read already."""
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    kinds = _kinds(_scorer(shipped, name).type, name, _fields(shipped))
    with without_pandas():
        for each, (path, kind) in kinds.items():
            function = arrow_udf(_function(shipped, name, path), from_arrow_type(kind))
            spark.udf.register(each, function)
    return tuple(kinds)


def functions_of(shipped: Shipped, name: str = "predict") -> tuple[str, ...]:
    """The names that `register` gives a model's functions."""
    return tuple(_kinds(_scorer(shipped, name).type, name, _fields(shipped)))


def answer_types(shipped: Shipped, name: str = "predict") -> dict[str, AvroType]:
    """The types of a prediction's fields, in order."""
    return dict(_scorer(shipped, name).types)


def _fields(shipped: Shipped) -> list[str]:
    return [field.name for field in answer_fields(shipped.open().manifest)]


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
        if pa.types.is_struct(rows.type):
            check_row(shipped, name, tuple(field.name for field in rows.type))
        return pc.struct_field(_scorer(shipped, name).score(rows), path)

    return answer


def check_row(shipped: Shipped, name: str, columns: Sequence[str]) -> list[str]:
    """
    Args:
        shipped: the model.
        name: of the function, for messages.
        columns: of the rows that it is called with.
    Returns: a line for each column that is not there and whose default is taken.
    Raises: QueryError when one is not there that the model needs.
    """
    absent = _absent(shipped, tuple(columns))
    if missing := [one.name for one in absent if one.needed]:
        near = {one.name: one.near for one in absent}
        named = ", ".join(f"`{near.get(one) or 'your_column'}` AS `{one}`" for one in missing[:3])
        hint = f"name columns in a subquery: SELECT {name}(struct(*)) FROM (SELECT *, {named} FROM …)"
        model, one_of = shipped.open().manifest.model, absent[0].one_of
        raise rows_lack(f"{name}(struct(*))", missing, model, columns, hint, one_of)
    return [f"{name}(struct(*)): {one.defaulted}" for one in absent]


def _absent(shipped: Shipped, columns: tuple[str, ...]) -> list[Absent]:
    key = (shipped.sha256, columns)
    if key not in _headers:
        package = shipped.open()
        paths = [feature.path for feature in package.manifest.features]
        _headers[key] = absent_columns(RecordSchema(package.features).root, paths, columns)
    return _headers[key]


_headers: dict[tuple[str, tuple[str, ...]], list[Absent]] = {}
"""By manifest and columns: which of the model's are not there."""

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
