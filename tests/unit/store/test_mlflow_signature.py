"""Signatures and input examples as MLflow 3.17 writes them → what events look like."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from stream.codec import RecordSchema
from stream.store.mlflow_example import example_rows
from stream.store.mlflow_signature import Signature, Unreadable, event_schema, read_signature


def read(*inputs: dict[str, Any], params: list[dict[str, Any]] | None = None) -> Signature:
    """The signature of a head with these inputs."""
    about = {"inputs": json.dumps(inputs), "params": None if params is None else json.dumps(params)}
    found = read_signature({"signature": about})
    assert found is not None
    return found


def avro(spec: dict[str, Any]) -> Any:
    """The Avro type of one named input."""
    text = event_schema(read({"name": "x", "required": True, **spec}), "m")
    RecordSchema(text)
    return json.loads(text)["fields"][0]["type"]


SCALARS = {
    "boolean": "boolean",
    "integer": "int",
    "long": "long",
    "float": "float",
    "double": "double",
    "string": "string",
    "binary": "bytes",
    "datetime": {"type": "long", "logicalType": "local-timestamp-micros"},
}


@pytest.mark.parametrize(("mlflow", "expected"), SCALARS.items())
def test_each_scalar_type_has_its_avro_type(mlflow: str, expected: object) -> None:
    """All of MLflow's `DataType`s."""
    assert expected == avro({"type": mlflow})


def test_an_input_that_is_not_required_may_be_null() -> None:
    """Which is its default, since its column may be missing."""
    fields = json.loads(event_schema(read({"name": "x", "type": "long", "required": False}), "m"))["fields"]
    assert [{"name": "x", "type": ["null", "long"], "default": None}] == fields


NESTED = [
    ({"type": "array", "items": {"type": "double"}}, {"type": "array", "items": "double"}),
    ({"type": "map", "values": {"type": "long"}}, {"type": "map", "values": "long"}),
    ({"type": "sparkml-vector"}, {"type": "array", "items": "double"}),
    (
        {"type": "object", "properties": {"a b": {"type": "string", "required": False}}},
        {
            "type": "record",
            "name": "m_x",
            "fields": [{"name": "a_b", "type": ["null", "string"], "default": None, "feature": "a b"}],
        },
    ),
    (
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        {"type": "array", "items": {"type": "array", "items": "int"}},
    ),
]


@pytest.mark.parametrize(("mlflow", "expected"), NESTED)
def test_types_that_are_made_of_others_keep_their_shape(mlflow: dict[str, Any], expected: object) -> None:
    """Arrays, maps, objects; an optional property may be null."""
    assert expected == avro(mlflow)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"type": "any"}, "input 'x' is of any type"),
        ({"type": "array", "items": {"type": "any"}}, r"input 'x'\[\] is of any type"),
        ({"type": "duck"}, "of the type 'duck', which is not MLflow's"),
        ({"type": "object", "properties": {}}, "an object without properties"),
        (
            {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}},
            r"a tensor of shape \[-1, 3\]",
        ),
        ({"type": "tensor", "tensor-spec": {"dtype": "complex64", "shape": [-1]}}, "a tensor of complex64"),
    ],
)
def test_what_no_avro_type_holds_is_named(spec: dict[str, Any], why: str) -> None:
    """With the input."""
    with pytest.raises(Unreadable, match=why):
        avro(spec)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bool", "boolean"), ("int8", "int"), ("uint32", "long"), ("float32", "float"), ("str", "string")],
)
def test_a_named_tensor_of_one_number_a_row_is_a_column(dtype: str, expected: str) -> None:
    """Of shape [-1] or [-1, 1]."""
    for shape in ([-1], [-1, 1]):
        assert expected == avro({"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}})


def test_inputs_without_names_are_one_array() -> None:
    """As a model that was fitted on an array takes them."""
    for inputs in (
        [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}],
        [{"type": "long"}] * 2,
    ):
        found = read(*inputs)
        assert (None, 2) == (found.columns, found.width)
        fields = json.loads(event_schema(found, "m"))["fields"]
        assert [{"name": "features", "type": {"type": "array", "items": "double"}}] == fields


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ([{"type": "long", "name": "x"}, {"type": "long"}], "some inputs have names"),
        ([{"type": "long", "name": "x"}] * 2, "two inputs are called 'x'"),
        ([{"type": "string"}], "no names, and among them are 'string'"),
        (
            [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 28, 28]}}],
            "n. of numbers is taken",
        ),
    ],
)
def test_inputs_that_are_no_columns_are_refused(inputs: list[dict[str, Any]], why: str) -> None:
    """Nothing is taken by position in silence."""
    with pytest.raises(Unreadable, match=why):
        event_schema(read(*inputs), "m")


@pytest.mark.parametrize("text", ["{", "7", '["x"]', None, "[" * 100_000])
def test_what_is_not_a_signature_is_said(text: object) -> None:
    """It is data that anybody may have written."""
    if text is None:
        assert read_signature({"signature": {"inputs": None}}) is None
        return
    with pytest.raises(Unreadable):
        read_signature({"signature": {"inputs": text}})


EXAMPLES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "dataframe", "pandas_orient": "split"}, {"columns": ["x"], "data": [[1], [2]]}),
    ({"type": "ndarray"}, {"x": [1, 2]}),
    ({"type": "ndarray"}, {"x": [[1], [2]]}),
    ({"type": "json_object"}, [{"x": 1}, {"x": 2}]),
    ({"type": "json_object"}, {"x": [1, 2]}),
    ({"type": "json_object", "params": "true"}, {"inputs": {"x": [1, 2]}, "params": {"k": 3}}),
]


@pytest.mark.parametrize(("about", "held"), EXAMPLES)
def test_each_form_of_example_is_rows(about: dict[str, Any], held: Any) -> None:
    """What JSON writes as 1 is a double where the signature says so."""
    found = example_rows(json.dumps(held).encode(), about, read({"name": "x", "type": "double"}), "e.json")
    assert [{"x": 1.0}, {"x": 2.0}] == [row.values for row in found.rows]
    assert [float, float] == [type(row.values["x"]) for row in found.rows]


def test_an_example_without_names_is_an_array_a_row() -> None:
    """In the field that events have then."""
    found = example_rows(b"[[1, null], [3, 4]]", {"type": "ndarray"}, None, "e.json")
    assert 2 == len(found.rows)
    assert [3.0, 4.0] == found.rows[1].values["features"]


def test_instants_and_bytes_are_read_as_the_signature_says() -> None:
    """JSON has neither."""
    held = {"columns": ["t", "b"], "data": [["2024-02-29T08:00:00", base64.b64encode(b"\xff").decode()]]}
    signature = read({"name": "t", "type": "datetime"}, {"name": "b", "type": "binary"})
    about = {"type": "dataframe", "pandas_orient": "split"}
    found = example_rows(json.dumps(held).encode(), about, signature, "e.json")
    assert b"\xff" == found.rows[0].values["b"]
    assert "timestamp[us]" == str(found.columns.field("t").type)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("about", "content"),
    [
        ({"type": "sparse_matrix_csr"}, b"{}"),
        ({"type": "dataframe", "pandas_orient": "split"}, b'{"columns": ["x", "x"], "data": [[1, 2]]}'),
        ({"type": "dataframe", "pandas_orient": "split"}, b"[]"),
        ({"type": "ndarray"}, b"[1, 2]"),
        ({"type": "json_object"}, b'"text"'),
        ({"type": "ndarray"}, b"\xff"),
    ],
)
def test_an_example_that_is_not_rows_says_so(about: dict[str, Any], content: bytes) -> None:
    """It is left out then."""
    with pytest.raises(Unreadable, match="can't be read as rows"):
        example_rows(content, about, None, "e.json")
