"""Columns that are not float64: the type that the model was fitted on, and rows that need a frame of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stream.scoring import Inputs, Model
from tests.unit.scoring.models import Calls, feature, manifest


@pytest.mark.parametrize(
    ("avro", "dtype", "column", "expected"),
    [
        ("long", "int64", pa.array([1, 2]), [1, 2]),
        ("int", "int8", pa.array([1, -2], pa.int32()), [1, -2]),
        ("long", "uint16", pa.array([1, 65_535]), [1, 65_535]),
        ("boolean", "bool", pa.array([True, False]), [True, False]),
        ("float", "float32", pa.array([0.1, 0.2], pa.float32()), [np.float32(0.1), np.float32(0.2)]),
    ],
)
def test_number_has_the_type_that_was_asked_for(
    avro: str, dtype: str, column: pa.Array, expected: Any
) -> None:
    """Functions of one's own see the integers and booleans that they were written for."""
    x = (
        Inputs(manifest(feature("a"), feature("x", avro, dtype=dtype)))
        .build({"a": column.cast("f8"), "x": column}, 2)
        .x
    )

    assert ["float64", dtype] == [str(kind) for kind in x.dtypes]
    assert expected == x["x"].tolist()


def test_number_beyond_a_narrow_type_is_a_misfit() -> None:
    """An int8 can't hold what an Avro int can: the row is refused, its neighbours are scored."""
    built = Inputs(manifest(feature("x", "int", dtype="int8"))).build(
        {"x": pa.array([1, 200, 3], pa.int32())}, 3
    )

    assert {1: ("200 is beyond int8", "value_out_of_range")} == {
        row: (misfit.message, misfit.reason) for row, misfit in built.misfits.items()
    }


@pytest.mark.parametrize(("null", "missing"), [("None", None), ("NaN", np.nan)])
def test_objects_keep_booleans_and_what_stood_for_a_missing_one(null: str, missing: object) -> None:
    """pandas reads a column of booleans with gaps as objects."""
    model = manifest(feature("x", "boolean", dtype="object", null=null))

    x = Inputs(model).build({"x": pa.array([True, None, False])}, 3).x

    assert "object" == str(x["x"].dtype)
    assert [True, False] == [x["x"][0], x["x"][2]]
    assert (x["x"][1] is None) == (missing is None)
    assert pd.isna(x["x"][1])


def test_texts_of_pandas_own_type_have_nan() -> None:
    """As `read_csv` gives them."""
    x = Inputs(manifest(feature("x", "string", "text", dtype="str"))).build({"x": pa.array(["a", None])}, 2).x

    pd.testing.assert_series_equal(pd.Series(["a", None], name="x", dtype="str"), x["x"])


def _zone(dtype: str) -> Any:
    return getattr(pd.api.types.pandas_dtype(dtype), "tz")  # noqa: B009  # the stubs lack it


def test_dates_are_pythons_where_the_model_was_fitted_on_them() -> None:
    """None where one is missing; one beyond Python's calendar is a misfit."""
    column = pa.array([0, None, 2_932_896, 2_932_897, -719_163], pa.int32()).cast(pa.date32())

    built = Inputs(manifest(feature("t", "date", "datetime", dtype="object"))).build({"t": column}, 5)

    assert [dt.date(1970, 1, 1), None, dt.date(9999, 12, 31)] == built.x["t"].tolist()[:3]
    assert [3, 4] == sorted(built.misfits)
    assert "2932897 days since 1970 are beyond datetime.date" == built.misfits[3].message


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris", "UTC+02:00"])
@pytest.mark.parametrize("avro", ["timestamp-millis", "timestamp-micros"])
def test_instant_has_the_unit_and_zone_that_was_asked_for(unit: Any, zone: str | None, avro: str) -> None:
    """The hour is that of the owner's zone; the number is counted in the owner's unit."""
    dtype = f"datetime64[{unit}, {zone}]" if zone else f"datetime64[{unit}]"
    column = pa.array(
        [dt.datetime(2024, 7, 1, 23, 30, tzinfo=dt.UTC), None],
        pa.timestamp("ms" if "millis" in avro else "us"),
    )

    x = Inputs(manifest(feature("t", avro, "datetime", dtype=dtype))).build({"t": column}, 2).x

    expected = pd.Series(pd.to_datetime(["2024-07-01T23:30", "NaT"]), name="t").dt.as_unit(unit)
    if zone:
        expected = expected.dt.tz_localize("UTC").dt.tz_convert(_zone(dtype))
    pd.testing.assert_series_equal(expected, x["t"])


def test_instant_beyond_nanoseconds_is_a_misfit() -> None:
    """They end in 2262."""
    column = pa.array(
        [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2300, 1, 1, tzinfo=dt.UTC)], pa.timestamp("us")
    )
    model = manifest(feature("t", "timestamp-micros", "datetime", dtype="datetime64[ns]"))

    assert [1] == list(Inputs(model).build({"t": column}, 2).misfits)


@pytest.mark.parametrize(
    ("avro", "dtype", "categories", "column", "expected"),
    [
        ("string", "str", ("b", "a"), pa.array(["a", "b", None]), ["a", "b", None]),
        ("enum", "str", ("b", "a"), pa.array(["a", "b", None]), ["a", "b", None]),
        ("long", "int64", (3, 1), pa.array([1, 3, None]), [1, 3, None]),
        ("int", "float64", (3.0, 1.0), pa.array([1, 3, None], pa.int32()), [1.0, 3.0, None]),
        ("double", "int64", (3, 1), pa.array([1.0, float("nan"), 3.0]), [1, None, 3]),
        ("boolean", "bool", (False, True), pa.array([True, False, None]), [True, False, None]),
    ],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_category_has_the_fitted_categories_in_their_order(
    avro: str, dtype: str, categories: Any, column: pa.Array, expected: list[object], ordered: bool
) -> None:
    """Whatever values a batch holds."""
    model = manifest(feature("c", avro, "category", dtype=dtype, categories=categories, ordered=ordered))

    x = Inputs(model).build({"c": column}, 3).x

    made = pd.CategoricalDtype(pd.Index(categories, dtype=dtype), ordered)
    pd.testing.assert_series_equal(pd.Series(expected, dtype=made, name="c"), x["c"])


def test_unknown_category_is_missing_or_kept() -> None:
    """A row with one that is kept has a frame of its own, and its neighbours' categories stay the fitted ones."""
    column = {"c": pa.array(["a", "z", "b", "y", "z"])}
    shared = {"dtype": "str", "categories": ("a", "b")}
    missing = Inputs(manifest(feature("c", "string", "category", unknown="missing", **shared))).build(
        column, 5
    )
    kept = Inputs(manifest(feature("c", "string", "category", **shared))).build(column, 5)

    assert [0, -1, 1, -1, -1] == missing.x["c"].cat.codes.tolist()
    assert [(5, ["a", "b"])] == [(len(rows), list(x["c"].cat.categories)) for rows, x in missing.parts(5)]
    assert [
        ([0, 2], ["a", "b"], ["a", "b"]),
        ([1, 4], ["z", "z"], ["a", "b", "z"]),
        ([3], ["y"], ["a", "b", "y"]),
    ] == [(rows.tolist(), x["c"].tolist(), list(x["c"].cat.categories)) for rows, x in kept.parts(5)]


def test_unknown_category_that_is_refused_is_a_misfit() -> None:
    """It says what the model knows."""
    model = manifest(feature("c", "long", "category", dtype="int64", categories=(1, 2), unknown="refused"))

    built = Inputs(model).build({"c": pa.array([1, 7, None])}, 3)

    assert {1: "7 is not among the 2 categories that the model was fitted on"} == {
        row: misfit.message for row, misfit in built.misfits.items()
    }
    assert [0, -1, -1] == built.x["c"].cat.codes.tolist()


def test_null_among_whole_numbers_does_not_change_its_neighbours() -> None:
    """The row of the null is given floats, as pandas would; the others stay whole, whatever the batch."""
    model = manifest(feature("n", "long", dtype="int64"), feature("b", "boolean", dtype="bool"), feature("x"))
    columns = {
        "n": pa.array([1, None, 3, None]), "b": pa.array([True, False, None, None]), "x": pa.array([0.5, 1.5, 2.5, 3.5])
    }  # fmt: skip

    found = [
        (rows.tolist(), [str(kind) for kind in x.dtypes], x["x"].tolist())
        for rows, x in Inputs(model).build(columns, 4).parts(4)
    ]

    assert [
        ([0], ["int64", "bool", "float64"], [0.5]),
        ([1], ["float64", "bool", "float64"], [1.5]),
        ([2], ["int64", "float64", "float64"], [2.5]),
        ([3], ["float64", "float64", "float64"], [3.5]),
    ] == found


def test_answers_of_odd_rows_come_in_the_rows_order() -> None:
    """Though they are asked about apart; one that raises is a fault of its own, and a misfit is not asked about."""

    def answer(x: pd.DataFrame) -> np.ndarray:
        if "z" in set(x["c"]):
            raise KeyError("z")
        return x["n"].to_numpy(float)

    model = manifest(
        feature("c", "string", "category", dtype="str", categories=("a",)), feature("n", "long", dtype="int8")
    )
    columns = {"c": pa.array(["a", "z", "y", "a", "a", "y"]), "n": pa.array([0, 1, 2, 300, None, 5])}

    scored = Model(Calls(answer), model).score(columns, 6)

    assert [0, 2, 5] == list(scored.rows)
    assert [0.0, 2.0, 5.0] == scored.columns["value"].to_pylist()
    assert {1: "model_raised", 3: "value_out_of_range", 4: "not_finite"} == {
        row: fault.reason for row, fault in sorted(scored.faults.items())
    }
