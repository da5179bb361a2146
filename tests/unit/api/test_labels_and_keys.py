"""Labels of columns may be numbers; keys of a carried map are texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import stream

NULL = ["null", {"type": "map", "values": "int"}]
RECORD = {
    "type": "record",
    "name": "Inner",
    "fields": [{"name": "_0", "feature": "0", "type": "int"}],
}
SCHEMA = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "x", "type": "double"},
        {"name": "m", "type": NULL},
        {"name": "r", "type": {"type": "array", "items": RECORD}},
    ],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> stream.Model:
    """Carries a map and an array of records."""
    estimator = LogisticRegression().fit(pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}), [0, 0, 1, 1])
    folder: Path = tmp_path_factory.mktemp("packages") / "keyed"
    stream.pack(estimator, name="keyed", schema=SCHEMA, carry=["m", "r"], out=folder)
    return stream.load(folder)


@pytest.mark.parametrize("key", [1, np.int64(1), None, b"a", (1, 2), 0.5], ids=repr)
@pytest.mark.parametrize("frame", [False, True], ids=["rows", "frame"])
def test_key_that_is_not_a_text_is_refused(model: stream.Model, key: Any, frame: bool) -> None:
    """Never made one: two keys could become the same."""
    rows = [{"x": 1.0, "m": {key: 2, "1": 3}, "r": []}]
    error = model.predict(pd.DataFrame(rows))["error"][0] if frame else model.predict(rows)[0]["error"]

    assert "wrong_type: field 'm': expected a map whose keys are texts" in error


def test_label_that_is_a_number_is_a_field_of_a_record(model: stream.Model) -> None:
    """By its text, as a table's columns have it."""
    assert [{"_0": 7}] == model.predict({"x": 1.0, "m": {"a": 1}, "r": [{0: 7}]})["r"]
