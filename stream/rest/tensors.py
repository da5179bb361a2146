"""Tensors of the Open Inference Protocol ↔ rows and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from stream.codec import Leaf
from stream.rest.allowance import allowance
from stream.rest.json_extent import admit_text
from stream.rest.problems import Problem, Wrong, wrong_shape
from stream.rest.rows_by_position import listed
from stream.rest.served_model import JsonObject, Row, Served
from stream.rest.tensor_values import Tensor, read_tensor, wrong_tensor
from stream.scoring import answer_fields
from stream.types import List, Nested, parse_json, type_of

__all__ = ["JsonTensor", "inputs_of", "outputs_of", "rows_of", "tensors_of"]

JsonTensor: TypeAlias = "dict[str, Any]"
"""A tensor as JSON: `name`, `datatype`, `shape`, and `data` where it holds values."""

_Columns: TypeAlias = "dict[str, list[Any]]"
"""By name, a value for each row."""

ARRAY = "input"
"""The tensor that holds all columns of an array model. Callers may name it differently, since it is the only one."""


def inputs_of(served: Served) -> list[JsonTensor]:
    """The tensors that a model takes: one for an array model, else one per feature in the schema's order."""
    if served.manifest.is_array:
        leaf = served.features[0] if served.is_vector else None
        kind = leaf.type.foreign.tensor if leaf is not None else "FP64"
        return [{"name": ARRAY, "datatype": kind, "shape": [-1, served.manifest.width]}]
    return [
        {
            "name": served.names[leaf.path],
            "datatype": leaf.type.foreign.tensor,
            "shape": [-1, -1] if isinstance(leaf.type, List) else [-1],
        }
        for leaf in served.features
    ]


def outputs_of(served: Served) -> list[JsonTensor]:
    """The tensors that a model answers; a size is -1 where it is the request's, or only the answer's."""
    widths = {"probabilities": len(served.manifest.classes or ())}
    return [
        {
            "name": field.name,
            "datatype": field.type.foreign.tensor,
            "shape": [-1, widths.get(field.name, -1)] if field.array else [-1],
        }
        for field in answer_fields(served.manifest)
    ]


def tensors_of(served: Served, answers: Sequence[JsonObject]) -> list[JsonTensor]:
    """Predictions → tensors."""
    tensors = []
    for known in outputs_of(served):
        values = [answer[known["name"]] for answer in answers]
        shape = [len(values)]
        if len(known["shape"]) == 2:
            shape.append(len(values[0]) if values else max(0, known["shape"][1]))
            values = [item for row in values for item in row]
        tensors.append({**known, "shape": shape, "data": values})
    return tensors


def rows_of(served: Served, inputs: object) -> list[Row]:
    """
    Tensors → rows.

    Args:
        served: the model.
        inputs: of the request.
    Returns: n rows by feature; carried fields may come as tensors too.
    Raises: Problem 422 with every tensor that does not fit.
    """
    if not isinstance(inputs, list) or not inputs or not all(isinstance(one, dict) for one in inputs):
        raise wrong_shape("inputs: expected a list of tensors: objects with name, datatype, shape and data")
    wrong: list[Wrong] = []
    tensors = [tensor for i, one in enumerate(inputs) if (tensor := read_tensor(one, i, wrong))]
    leaves = served.by_name
    _check_twice(tensors, leaves, wrong)
    if wrong:
        raise Problem(422, "inputs: not tensors as the protocol has them; see errors", wrong)
    matrix = _matrix(served, tensors, leaves)
    columns: _Columns = {}
    for tensor in tensors:
        leaf = leaves.get(tensor.name)
        columns |= (
            _matrix_columns(served, tensor, wrong)
            if tensor is matrix
            else {tensor.name: _column(leaf, tensor, wrong)}
        )
    if not wrong and len({len(column) for column in columns.values()}) > 1:
        wrong += [wrong_tensor(name, f"has {len(column)} rows") for name, column in columns.items()]
    if wrong:
        raise Problem(422, f"inputs: not the tensors that {served.title} takes; see errors", wrong)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _check_twice(tensors: Sequence[Tensor], leaves: Mapping[str, Leaf], wrong: list[Wrong]) -> None:
    """A field may be given once, under its original name or its Avro name."""
    fields = [leaves[tensor.name].path if tensor.name in leaves else tensor.name for tensor in tensors]
    if len(set(fields)) == len(tensors):
        return
    seen: dict[str, str] = {}
    for tensor, field in zip(tensors, fields, strict=True):
        if field in seen:
            also = "" if seen[field] == tensor.name else f": {seen[field]!r} is the same field"
            wrong.append(wrong_tensor(tensor.name, f"is given twice{also}"))
        seen[field] = tensor.name


def _matrix(served: Served, tensors: Sequence[Tensor], leaves: Mapping[str, Leaf]) -> Tensor | None:
    """
    The tensor that holds all columns; None where each has one of its own.

    Raises: Problem 422 when no tensor is a feature's, and none can hold all of them.
    """
    if served.manifest.is_array and len(tensors) == 1 and len(tensors[0].shape) == 2:
        return tensors[0]
    if served.names_feature([tensor.name for tensor in tensors]):
        return None
    others = [tensor for tensor in tensors if tensor.name not in leaves]
    names = [served.names[leaf.path] for leaf in served.features]
    numbers = served.manifest.is_array or all(leaf.type.numeric for leaf in served.features)
    if len(others) == 1 and numbers:
        order = [feature.path for feature in served.manifest.features]
        if not served.manifest.is_array and order != [leaf.path for leaf in served.features]:
            raise wrong_shape(
                f"inputs: the columns of {served.title} have one order in its schema and another in the model: "
                f"expected a tensor for each of {listed(names)}"
            )
        return others[0]
    expected = f"a tensor for each of {listed(names)}" + (", or one for all of them" if numbers else "")
    raise wrong_shape(
        f"inputs: none of {listed([tensor.name for tensor in tensors])} is a feature of {served.title}: "
        f"expected {expected}"
    )


def _matrix_columns(served: Served, tensor: Tensor, wrong: list[Wrong]) -> _Columns:
    """All columns in one tensor; for a vector its one field."""
    width = served.manifest.width
    if len(tensor.shape) != 2 or tensor.shape[1] != width:
        found = list(tensor.shape)
        wrong.append(wrong_tensor(tensor.name, f"shape: expected [n, {width}], found {found}"))
    if tensor.datatype not in type_of("double").tensors:
        wrong.append(
            wrong_tensor(tensor.name, f"datatype: expected that of a number, found {tensor.datatype}")
        )
    if wrong:
        return {}
    if served.is_vector:
        return {served.features[0].path: _split(tensor.values, width, tensor.shape[0])}
    return {feature.path: tensor.values[i::width] for i, feature in enumerate(served.manifest.features)}


def _column(leaf: Leaf | None, tensor: Tensor, wrong: list[Wrong]) -> list[Any]:
    """One feature's values, a row each."""
    values, shape = tensor.values, tensor.shape
    if leaf is not None and isinstance(leaf.type, List) and len(shape) == 2:
        values = _split(values, shape[1], shape[0])
    elif len(shape) != 1 and shape[1:] != (1,):
        wrong.append(wrong_tensor(tensor.name, f"shape: expected [n] or [n, 1], found {list(shape)}"))
    if leaf is None:
        return values  # neither a feature nor carried: ignored, as in an event
    if isinstance(leaf.type, Nested) and tensor.datatype == "BYTES" and len(shape) == 1:
        values = [_unpacked(one) for one in values]
    if tensor.datatype not in leaf.type.tensors:
        taken = " or ".join(sorted(leaf.type.tensors))
        wrong.append(wrong_tensor(tensor.name, f"datatype: expected {taken}, found {tensor.datatype}"))
    return values


def _split(values: list[Any], width: int, rows: int) -> list[list[Any]]:
    """Rows of a matrix."""
    return [values[row * width : (row + 1) * width] for row in range(rows)]


def _unpacked(value: Any) -> Any:
    """The protocol has texts where it has no type: JSON stands in them."""
    if not isinstance(value, str):
        return value
    admit_text(value, allowance())
    try:
        return parse_json(value)
    except (ValueError, RecursionError):
        return value  # its type says what it expected
