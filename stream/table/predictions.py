"""
Checked columns in, prediction columns out: the scoring core for the doors without Kafka (REST, files, SQL, Spark).

Pure, as `stream.pipeline` is; the same model, the same answers, the same faults. There is no framing, no Avro
bytes and no offset: a prediction has the fields of `prediction.avsc` but `source_partition` and
`source_offset`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from stream.scoring import Model, Scored, carried_names

__all__ = ["predict_columns"]


def predict_columns(model: Model, columns: Mapping[str, pa.Array], n: int) -> Scored:
    """
    Score n rows.

    Args:
        model: the loaded estimator.
        columns: an array of length n for each feature's path (`columns_of` and `stream.table.column_reader` make
            them); those of carried paths are copied where they are there; others are ignored.
        n: number of rows, ≥ 0.
    Returns: an answer or a fault for each row. The columns are in the prediction's order: the carried fields
        that were given, by their name in the prediction, the answer's fields, `model`.
    Raises: as `Model.score`; never for any columns of the manifest's types.
    """
    scored = model.score(columns, n)
    names = carried_names(model.manifest.carry)
    carried = {name: columns[path] for path, name in names.items() if path in columns}
    if len(scored.rows) < n:
        taken = pa.array(scored.rows, pa.int64())
        carried = {name: column.take(taken) for name, column in carried.items()}
    origin = pa.repeat(pa.scalar(model.manifest.model, pa.string()), len(scored.rows))
    return Scored(scored.rows, {**carried, **scored.columns, "model": origin}, scored.faults, scored.misfits)
