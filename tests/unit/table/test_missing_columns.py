"""A table's header beside the model's columns: what is missing, what has a default, what was perhaps meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.codec import RecordSchema
from stream.table import Absent, AnyOf, absent_columns

WEATHER = {
    "type": "record", "name": "Weather",
    "fields": [{"name": "temp", "type": "double"}, {"name": "tags", "type": {"type": "array", "items": "double"},
                                                    "default": [1.0]}],
}  # fmt: skip

SCHEMA = RecordSchema(
    json.dumps(
        {
            "type": "record", "name": "r",
            "fields": [
                {"name": "mean_radius", "type": "double", "feature": "mean radius"},
                {"name": "bmi", "type": ["null", "double"], "default": None},
                {"name": "weather", "type": WEATHER},
            ],
        }
    )
)  # fmt: skip

OPTIONAL = RecordSchema(
    json.dumps(
        {
            "type": "record", "name": "r",
            "fields": [
                {"name": "bmi", "type": ["null", "double"], "default": None},
                {"name": "weather", "type": {**WEATHER, "fields": WEATHER["fields"][1:]}, "default": {"tags": [1.0]}},
            ],
        }
    )
)  # fmt: skip

PATHS = ["mean_radius", "bmi", "weather.temp", "weather.tags"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mean radius", "bmi", "weather"], []),
        (["mean_radius", "bmi", "weather.temp", "weather.tags"], []),
        (
            ["mean radius", "BMI", "weather.temp"],
            [Absent("bmi", False, None, "BMI"), Absent("weather.tags", False, [1.0])],
        ),
        (["Mean Radius", "bmi", "weather.tags"], [
            Absent("mean radius", True, None, "Mean Radius"), Absent("weather.temp", True)]),
        ([], [Absent("mean radius", True), Absent("bmi", False), Absent("weather", True)]),
    ],
    ids=["originals", "Avro's and dotted", "defaults", "needed", "nothing"],
)  # fmt: skip
def test_absent_columns_are_named(names: list[str], expected: list[Absent]) -> None:
    """By the model's own name; near is a name that the model does not take itself."""
    assert expected == absent_columns(SCHEMA.root, PATHS, names)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], [Absent("bmi", True, one_of=True), Absent("weather", True, one_of=True)]),
        (["BMI", "id"], [Absent("bmi", True, None, "BMI", True), Absent("weather", True, one_of=True)]),
        (["weather.more"], [Absent("bmi", True, one_of=True), Absent("weather.tags", True, one_of=True)]),
        (["bmi"], [Absent("weather", False, {"tags": [1.0]})]),
        (["weather"], [Absent("bmi", False)]),
    ],
    ids=["no column", "others", "another inside", "one", "a struct"],
)
def test_all_are_needed_where_none_is_there(names: list[str], expected: list[Absent]) -> None:
    """Each has a default; an answer from defaults alone would be about nothing."""
    assert expected == absent_columns(OPTIONAL.root, ["bmi", "weather.tags"], names)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"bmi": None}, False),
        ({"weather.tags": [1.0]}, False),
        ({"weather": None, "id": 1}, False),
        ({}, True),
        ({"id": 1, "BMI": 2.0}, True),
        ({0: 1.0}, True),
    ],
)
def test_row_that_names_no_field_is_found(row: dict[Any, object], expected: bool) -> None:
    """What is null is named; a label may be a number."""
    assert expected == (AnyOf(OPTIONAL.root, ["bmi", "weather.tags"]).misfit(row) is not None)
