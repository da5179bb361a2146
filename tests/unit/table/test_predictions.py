"""Columns in, prediction columns out."""

from __future__ import annotations

import pyarrow as pa

from stream.scoring import Model
from stream.table import predict_columns
from tests.unit.scoring.models import feature, manifest, raising_on


def test_answers_come_with_the_carried_fields_and_the_model() -> None:
    """The fields of a prediction, in its order, for the rows that have an answer."""
    model = Model(raising_on({2.0}), manifest(feature("x"), inputs="matrix", carry=("a.id", "absent")))
    columns = {"x": pa.array([1.0, 2.0, 3.0]), "a.id": pa.array(["one", "two", "three"])}

    found = predict_columns(model, columns, 3)

    assert [0, 2] == list(found.rows)
    assert [1] == list(found.faults)
    assert ["a_id", "value", "model"] == list(found.columns)
    assert [["one", "three"], [1.0, 3.0], ["m@1", "m@1"]] == [c.to_pylist() for c in found.columns.values()]


def test_no_rows_have_no_answers() -> None:
    """An empty table is a table."""
    model = Model(raising_on(set()), manifest(feature("x"), inputs="matrix"))

    found = predict_columns(model, {"x": pa.array([], pa.float64())}, 0)

    assert [0, 0] == [len(column) for column in found.columns.values()]
