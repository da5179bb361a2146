"""
Checked columns in, prediction columns out: scoring without Kafka, for REST, files, SQL and Spark.

Pure, as `stream.pipeline` is: the same model gives the same answers and the same faults. Rows have no offset: a
prediction has the fields of `prediction.avsc` except `source_partition` and `source_offset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from stream.scoring import Model, Scored, carried_names, prediction_columns

__all__ = ["predict_columns"]


def predict_columns(model: Model, columns: Mapping[str, pa.Array], n: int) -> Scored:
    """
    Score n rows.

    Args:
        model: the loaded estimator.
        columns: an array of length n for each feature's path (`columns_of` and `stream.table.column_reader` make
            them); those of carried paths are copied; others are ignored.
        n: number of rows, ≥ 0.
    Returns: an answer or a fault for each row. The columns are in the prediction's order: the carried fields
        that were given, by their name in the prediction, the answer's fields, `model`.
    Raises: as `Model.score`; never for any columns of the manifest's types.
    """
    scored = model.score(columns, n)
    carry = carried_names(model.manifest.carry)
    return replace(scored, columns=prediction_columns(columns, n, scored, carry))
