"""The schema that events are written with, as it is given to `pack`: more than the model needs, and odd at times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from stream.errors import SchemaError
from stream.store import PackRequest, open_package, pack

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
ODD: list[dict[str, Any]] = [
    {"name": "default", "type": "int", "default": "x"},
    {"name": "größe", "type": "int"},
    {"name": "empty", "type": {"type": "enum", "name": "E", "symbols": []}},
    {
        "name": "price",
        "type": {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3},
        "feature": 3,
    },
]


def _model() -> LogisticRegression:
    return LogisticRegression().fit(FRAME, [0, 1, 0, 1])


def _events(a: dict[str, Any], *others: dict[str, Any]) -> str:
    fields = [{"name": "a", **a}, {"name": "b", "type": "double"}, *others]
    return json.dumps({"type": "record", "name": "Event", "fields": fields})


@pytest.mark.parametrize("a", [{"type": "double"}, {"type": "double", "default": "NaN"}])
def test_oddities_in_fields_that_the_model_does_not_need_are_packed_over(
    tmp_path: Path, a: dict[str, Any]
) -> None:
    """Avro Java takes such a schema: they are nothing to the two columns."""
    pack(_model(), PackRequest("m", tmp_path / "m"), schema=_events(a, *ODD))

    assert ["a", "b"] == [feature.name for feature in open_package(tmp_path / "m").manifest.features]


def test_default_of_another_type_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """In a field that the model needs it would stand in for the value, some day."""
    with pytest.raises(SchemaError, match="record Event, field 'a': the default 'x' is not of its type"):
        pack(_model(), PackRequest("m", tmp_path / "m"), schema=_events({"type": "double", "default": "x"}))

    assert not (tmp_path / "m").exists()
