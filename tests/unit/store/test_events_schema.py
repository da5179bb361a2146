"""The schema that events are written with, as it is given to `pack`: more than the model needs, and odd at times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from stream.errors import PackageError, SchemaError
from stream.store import PackRequest, events_of, open_package, pack

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


def test_schema_is_kept_as_it_was_given(tmp_path: Path) -> None:
    """Its fingerprint is what producers write before each value; it is hashed as every file."""
    given = _events({"type": "double"}, *ODD)
    pack(_model(), PackRequest("m", tmp_path / "m"), schema=given)
    package = open_package(tmp_path / "m")

    assert given == (package.path / "events.avsc").read_text("utf-8")
    assert "events.avsc" in package.manifest.files
    events = events_of(package)
    assert events is not None
    assert given == events.text


def test_package_of_a_sample_has_none(tmp_path: Path) -> None:
    """No producer writes with a schema that nobody has seen; a package without the file is as valid as ever."""
    pack(_model(), PackRequest("m", tmp_path / "m"), sample=FRAME)
    package = open_package(tmp_path / "m")

    assert not (package.path / "events.avsc").exists()
    assert events_of(package) is None


def test_changed_schema_is_refused(tmp_path: Path) -> None:
    """Whoever could change it could make the worker read other numbers."""
    pack(_model(), PackRequest("m", tmp_path / "m"), schema=_events({"type": "double"}, *ODD))
    file = tmp_path / "m/versions/1/events.avsc"
    file.write_text(file.read_text("utf-8").replace("price", "prize"), "utf-8")

    with pytest.raises(PackageError, match=r"events\.avsc: its sha256 is"):
        open_package(tmp_path / "m")
