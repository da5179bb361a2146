"""What an estimator is given: dtypes, order, missing values, and what can't be held."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stream.scoring import Inputs
from tests.unit.scoring.models import feature, manifest


def test_frame_keeps_the_models_order_and_names() -> None:
    """Texts may stand between numbers: positions count to a fitted ColumnTransformer."""
    model = manifest(
        feature("t", "string", "text"), feature("x"), feature("d", "date", "datetime"), feature("y", "int")
    )
    columns = {
        "y": pa.array([1, None], pa.int32()),
        "x": pa.array([0.5, 1.5]),
        "d": pa.array([dt.date(2020, 1, 2), None]),
        "t": pa.array(["a", None]),
        "unused": pa.array([b"", b""]),
    }

    built = Inputs(model).build(columns, 2)

    assert isinstance(built.x, pd.DataFrame)
    assert not built.misfits
    assert ["t", "x", "d", "y"] == list(built.x.columns)
    assert ["object", "float64", "datetime64[us]", "float64"] == [str(kind) for kind in built.x.dtypes]
    assert ["a", None] == built.x["t"].tolist()
    assert [0.5, 1.5] == built.x["x"].tolist()
    assert 1.0 == built.x["y"][0]
    assert np.isnan(built.x["y"][1])
    assert pd.Timestamp("2020-01-02") == built.x["d"][0]
    assert built.x["d"].isna().tolist() == [False, True]


def test_frame_of_many_texts_is_the_same() -> None:
    """Beyond 50 columns another way to build it is taken."""
    names = [f"t{i}" for i in range(60)]
    model = manifest(feature("x"), *(feature(name, "string", "text") for name in names), feature("y"))
    columns = {name: pa.array([name, None]) for name in names} | {
        "x": pa.array([1.0, 2.0]), "y": pa.array([3.0, 4.0])
    }  # fmt: skip

    x = Inputs(model).build(columns, 2).x

    assert isinstance(x, pd.DataFrame)
    assert ["x", *names, "y"] == list(x.columns)
    assert ["t59", None] == x["t59"].tolist()
    assert [3.0, 4.0] == x["y"].tolist()
    assert {"object", "float64"} == {str(kind) for kind in x.dtypes}


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None], pa.int32(), [1.0, np.nan]),
        ([2**53, -(2**53)], pa.int64(), [2.0**53, -(2.0**53)]),
        ([2**53 + 2, None], pa.int64(), [2.0**53 + 2, np.nan]),
        ([True, None], pa.bool_(), [1.0, np.nan]),
        ([False, True], pa.bool_(), [0.0, 1.0]),
        ([0.1, None], pa.float32(), [float(np.float32(0.1)), np.nan]),
        ([float("inf"), float("nan")], pa.float64(), [np.inf, np.nan]),
    ],
)
def test_number_becomes_float64(values: list[object], kind: pa.DataType, expected: list[float]) -> None:
    """Null is NaN, a boolean 1 or 0."""
    built = Inputs(manifest(feature("x"), inputs="matrix")).build({"x": pa.array(values, kind)}, 2)

    assert not built.misfits
    np.testing.assert_array_equal(np.array(expected)[:, None], built.x)


def test_long_that_float64_would_round_is_a_fault_of_its_row() -> None:
    """It is never rounded silently."""
    array = pa.array([1, 2**53 + 1, None, 2**63 - 1, -(2**63)], pa.int64())

    built = Inputs(manifest(feature("x", "long"), inputs="matrix")).build({"x": array}, 5)

    assert [1, 3] == sorted(built.misfits)
    assert ("x", "value_out_of_range") == (built.misfits[1].field, built.misfits[1].reason)


@pytest.mark.parametrize(
    ("avro", "array", "bad"),
    [
        ("date", pa.array([2**31 - 1, 0, -(2**31)], pa.int32()).cast(pa.date32()), [0, 2]),
        ("timestamp-millis", pa.array([2**62, 0, -(2**62)], pa.int64()).cast(pa.timestamp("ms")), [0, 2]),
        ("timestamp-micros", pa.array([2**63 - 1, 0, -(2**63)], pa.int64()).cast(pa.timestamp("us")), [2]),
        ("timestamp-micros", pa.array([2**63 - 1, 0, None], pa.int64()).cast(pa.timestamp("us", "UTC")), []),
    ],
)
def test_time_beyond_datetime64_is_a_fault_of_its_row(avro: str, array: pa.Array, bad: list[int]) -> None:
    """Its neighbours keep their times."""
    built = Inputs(manifest(feature("t", avro, "datetime"))).build({"t": array}, 3)

    assert bad == sorted(built.misfits)
    assert {"value_out_of_range"} >= {misfit.reason for misfit in built.misfits.values()}
    assert isinstance(built.x, pd.DataFrame)
    assert pd.Timestamp("1970-01-01") == built.x["t"][1]


def test_null_text_is_what_the_model_was_fitted_on() -> None:
    """None by default, NaN where the manifest says so."""
    model = manifest(feature("a", "string", "text"), feature("b", "string", "text", null="NaN"))
    columns = {"a": pa.array([None, "x"]), "b": pa.array([None, "x"])}

    x = Inputs(model).build(columns, 2).x

    assert isinstance(x, pd.DataFrame)
    assert x["a"][0] is None
    assert isinstance(x["b"][0], float)


def test_nested_field_is_found_by_its_path() -> None:
    """The column has the model's own name."""
    model = manifest(feature("city size", path="home.size"))

    x = Inputs(model).build({"home.size": pa.array([3.0])}, 1).x

    assert isinstance(x, pd.DataFrame)
    assert ["city size"] == list(x.columns)


def test_vector_of_another_length_is_a_fault_of_its_row() -> None:
    """Null, too short, too long; an item that is null is NaN."""
    model = manifest(feature("v", "array<double>"), inputs="vector", width=2)
    array = pa.array([[1.0, 2.0], None, [3.0], [4.0, None], [5.0, 6.0, 7.0]])

    built = Inputs(model).build({"v": array}, 5)

    assert [1, 2, 4] == sorted(built.misfits)
    assert {"vector_length"} == {misfit.reason for misfit in built.misfits.values()}
    assert "found null" in built.misfits[1].message
    assert isinstance(built.x, np.ndarray)
    np.testing.assert_array_equal([[1.0, 2.0], [4.0, np.nan]], built.x[[0, 3]])


def test_vector_of_longs_names_the_row_with_an_inexact_one() -> None:
    """The row's number in the batch, though a shorter list went before it."""
    model = manifest(feature("v", "array<long>"), inputs="vector", width=2)
    array = pa.array([[1], [1, 2], [3, 2**53 + 1]], pa.list_(pa.int64()))

    assert {0: "vector_length", 2: "value_out_of_range"} == {
        i: misfit.reason for i, misfit in Inputs(model).build({"v": array}, 3).misfits.items()
    }


def test_sliced_vector_starts_where_the_slice_does() -> None:
    """Arrow's slices keep the whole buffer."""
    model = manifest(feature("v", "array<double>"), inputs="vector", width=2)
    array = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).slice(1, 2)

    np.testing.assert_array_equal([[3.0, 4.0], [5.0, 6.0]], Inputs(model).build({"v": array}, 2).x)
