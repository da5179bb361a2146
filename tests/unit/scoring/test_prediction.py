"""The schema of what is published."""

from __future__ import annotations

import json
from typing import Any

import fastavro
import pytest

from stream.errors import PackageError
from stream.scoring import carried_names, prediction_schema
from tests.unit.scoring.models import feature, manifest

ORIGIN = ["model", "source_partition", "source_offset"]


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        (
            {"task": "classifier", "answer": "string", "score": "predict_proba"},
            {"label": "string", "score": "double"},
        ),
        ({"task": "classifier", "answer": "boolean"}, {"label": "boolean"}),
        ({"task": "regressor"}, {"value": "double"}),
        (
            {"task": "outlier", "answer": "int", "score": "decision_function"},
            {"label": "int", "score": "double"},
        ),
        ({"task": "clusterer", "answer": "int"}, {"label": "int"}),
        ({"task": "multi-classifier", "answer": "long"}, {"labels": {"type": "array", "items": "long"}}),
        ({"task": "multi-regressor"}, {"values": {"type": "array", "items": "double"}}),
        (
            {"task": "classifier", "answer": "int", "score": "predict_proba", "probabilities": True},
            {"label": "int", "score": "double", "probabilities": {"type": "array", "items": "double"}},
        ),
    ],
)
def test_fields_follow_the_task(contract: dict[str, Any], expected: dict[str, object]) -> None:
    """The answer, then where it came from."""
    schema = json.loads(prediction_schema(manifest(feature("x"), **contract), {}))

    assert [*expected, *ORIGIN] == [field["name"] for field in schema["fields"]]
    assert list(expected.values()) == [field["type"] for field in schema["fields"]][: len(expected)]
    fastavro.parse_schema(schema)


def test_carried_fields_come_first_with_their_types() -> None:
    """A nested one has `_` for each dot, a nullable one null as default."""
    contract = manifest(feature("x"), carry=("id", "home.city"))

    schema = json.loads(prediction_schema(contract, {"id": "string", "home.city": ["null", "string"]}))

    assert {"name": "id", "type": "string"} == schema["fields"][0]
    assert {"name": "home_city", "type": ["null", "string"], "default": None} == schema["fields"][1]


@pytest.mark.parametrize("name", ["label", "score", "value", "values", "labels", "probabilities", "model",
                                  "source_partition", "source_offset", "source.offset"])  # fmt: skip
def test_carried_field_called_like_ours_is_refused(name: str) -> None:
    """Whether or not this model has that field: the next version might."""
    with pytest.raises(PackageError, match=name):
        carried_names(["id", name])


def test_two_carried_fields_of_one_name_are_refused() -> None:
    """`a.b` and `a_b` would be the same."""
    with pytest.raises(PackageError, match="a_b"):
        carried_names(["a.b", "a_b"])
