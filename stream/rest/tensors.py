"""Tensors of the Open Inference Protocol ↔ rows and answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeGuard

from stream.rest.allowance import allowance
from stream.rest.problems import Problem, Wrong, wrong_shape
from stream.rest.served_model import JsonObject, Row, Served
from stream.scoring import answer_fields
from stream.types import List, shown, type_of

__all__ = ["Tensor", "inputs_of", "outputs_of", "rows_of", "tensors_of"]

Tensor: TypeAlias = "dict[str, Any]"
"""A tensor of the protocol: `name`, `datatype`, `shape`, and `data` where it holds values."""

ARRAY = "input"
"""The tensor that holds all columns of an array model. Callers may name it differently, since it is the only one."""

_MOST_DIMENSIONS, _MOST_VALUES = 32, 2**31
"""Of a tensor: as many as numpy has, and more than a request may hold."""


def inputs_of(served: Served) -> list[Tensor]:
    """The tensors that a model takes: one for an array model, else one per feature in the schema's order."""
    if served.manifest.is_array:
        leaf = served.features[0] if served.manifest.inputs == "vector" else None
        kind = leaf.type.foreign.tensor if leaf is not None else "FP64"
        return [{"name": ARRAY, "datatype": kind, "shape": [-1, served.manifest.width]}]
    return [
        {"name": served.names[leaf.path], "datatype": leaf.type.foreign.tensor, "shape": [-1]}
        for leaf in served.features
    ]


def outputs_of(served: Served) -> list[Tensor]:
    """The tensors that a model answers."""
    return [
        {
            "name": field.name,
            "datatype": field.type.foreign.tensor,
            "shape": [-1, -1] if field.array else [-1],
        }
        for field in answer_fields(served.manifest)
    ]


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
    tensors = [(one.get("name"), *_values(one, i, wrong)) for i, one in enumerate(inputs)]
    if wrong:
        raise Problem(422, "inputs: not tensors as the protocol has them; see errors", wrong)
    if served.manifest.is_array and len(inputs) == 1 and len(tensors[0][1]) == 2:
        return _array_rows(served, inputs[0], *tensors[0][1:])
    columns = {
        str(name): _column(served, inputs[i], shape, flat, wrong)
        for i, (name, shape, flat) in enumerate(tensors)
    }
    lengths = {len(column) for column in columns.values()}
    if not wrong and len(lengths) > 1:
        wrong += [_wrong(name, f"has {len(column)} rows") for name, column in columns.items()]
    if wrong:
        raise Problem(422, f"inputs: not the tensors that {served.title} takes; see errors", wrong)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def tensors_of(served: Served, answers: Sequence[JsonObject]) -> list[Tensor]:
    """Predictions → tensors."""
    tensors = []
    for known in outputs_of(served):
        values = [answer[known["name"]] for answer in answers]
        shape = [len(values)]
        if len(known["shape"]) == 2:
            shape.append(len(values[0]) if values else 0)
            values = [item for row in values for item in row]
        tensors.append({**known, "shape": shape, "data": values})
    return tensors


def _wrong(field: object, message: str) -> Wrong:
    return {"field": str(field), "reason": "wrong_tensor", "message": message}


def _values(tensor: Tensor, number: int, wrong: list[Wrong]) -> tuple[list[int], list[Any]]:
    """A tensor's shape and its values in row-major order."""
    name, shape, data = tensor.get("name"), tensor.get("shape"), tensor.get("data")
    if not isinstance(name, str):
        wrong.append(_wrong(f"inputs[{number}]", "expected a name"))
        return [], []
    if not _is_shape(shape):
        wrong.append(_wrong(name, f"shape: expected a list of sizes, found {shown(shape)}"))
        return [], []
    allowance().rows(shape[0] if shape else 0)
    if not isinstance(data, list):
        wrong.append(_wrong(name, f"data: expected a list, found {shown(data)}"))
        return [], []
    flat = list(_flat(data, len(shape)))
    if len(flat) != math.prod(shape):
        wrong.append(
            _wrong(name, f"data: expected {math.prod(shape)} values for shape {shape}, found {len(flat)}")
        )
    return shape, flat


def _is_shape(shape: object) -> TypeGuard[list[int]]:
    """Whether it is a list of sizes, few and small enough to be multiplied."""
    return (
        isinstance(shape, list)
        and len(shape) <= _MOST_DIMENSIONS
        and all(type(size) is int and 0 <= size <= _MOST_VALUES for size in shape)
    )


def _flat(data: list[Any], depth: int) -> list[Any]:
    """The values of a list that is nested no deeper than its shape; those of a flat one as they are."""
    if depth > 1 and any(isinstance(one, list) for one in data):
        return [v for one in data for v in (_flat(one, depth - 1) if isinstance(one, list) else [one])]
    return data


def _array_rows(served: Served, tensor: Tensor, shape: list[int], flat: list[Any]) -> list[Row]:
    """All columns in one tensor."""
    width = served.manifest.width
    wrong = []
    if shape[1] != width:
        wrong.append(_wrong(tensor["name"], f"shape: expected [n, {width}], found {shape}"))
    if tensor.get("datatype") not in type_of("double").tensors:
        wrong.append(
            _wrong(tensor["name"], f"datatype: expected that of a number, found {tensor.get('datatype')!r}")
        )
    if wrong:
        raise Problem(422, f"inputs: not the tensor that {served.title} takes; see errors", wrong)
    rows = [flat[start : start + width] for start in range(0, len(flat), width)]
    if served.manifest.inputs == "vector":
        return [{served.features[0].path: row} for row in rows]
    paths = [feature.path for feature in served.manifest.features]
    return [dict(zip(paths, row, strict=True)) for row in rows]


def _column(
    served: Served, tensor: Tensor, shape: list[int], flat: list[Any], wrong: list[Wrong]
) -> list[Any]:
    """One feature's values, a row each."""
    name, datatype = tensor["name"], tensor.get("datatype")
    leaf = next((leaf for leaf in served.leaves if name in (leaf.path, served.names[leaf.path])), None)
    if leaf is not None and isinstance(leaf.type, List) and len(shape) == 2:
        width = shape[1]
        flat = [flat[start : start + width] for start in range(0, len(flat), width or 1)]
    elif len(shape) != 1 and shape[1:] != [1]:
        wrong.append(_wrong(name, f"shape: expected [n] or [n, 1], found {shape}"))
    if leaf is None:
        return flat  # neither a feature nor carried: ignored, as in an event
    taken = leaf.type.tensors
    if datatype not in taken:
        wrong.append(_wrong(name, f"datatype: expected {' or '.join(sorted(taken))}, found {datatype!r}"))
    return flat
