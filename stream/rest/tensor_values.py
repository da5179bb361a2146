"""
A tensor of the Open Inference Protocol, read as strictly as numpy makes an array of it.

Its data is a flat list in row-major order, or nested exactly as its shape says. A value must be one of its datatype,
or null, which is how NaN and missing values are written.

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md, "Tensor Data".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeGuard

from stream.rest.allowance import allowance
from stream.rest.problems import Wrong
from stream.types import shown

__all__ = ["Tensor", "read_tensor", "wrong_parameters", "wrong_tensor"]

_MOST_DIMENSIONS, _MOST_VALUES = 32, 2**31
"""Of a tensor: as many as numpy has, and more than a request may hold."""

_FLOATS = {"FP16": 65_520, "FP32": 2**128 - 2**103, "FP64": 2**1024 - 2**970}
"""From here on a number would be rounded to infinity."""

_RANGES: dict[str, tuple[int, int]] = {
    **{f"UINT{bits}": (0, 1 << bits) for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": (-(1 << bits - 1), 1 << bits - 1) for bits in (8, 16, 32, 64)},
    **{name: (1 - stop, stop) for name, stop in _FLOATS.items()},
}
"""The least number of a datatype, and the first one beyond it."""

_DATATYPES = ("BOOL", *_RANGES, "BYTES")

_PLAIN: dict[str, set[type]] = {
    **{name: set() for name in _DATATYPES},
    "BOOL": {bool},
    "BYTES": {str},
    "FP64": {float},
}
"""Classes whose every value is one of the datatype: JSON has no number beyond float64's that is a float."""

_CONTENT_TYPES = ("np", "pd", "str", "datetime")
"""MLServer's codecs whose JSON is the plain values: `base64` and `pd_json` are texts that stand for something else."""


class Tensor(NamedTuple):
    """
    A tensor of a request.

    Attributes:
        name: as the caller calls it.
        datatype: of the protocol.
        shape: sizes, ≥ 0.
        values: in row-major order, as many as the shape says; None is a missing one.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: list[Any]


def read_tensor(given: dict[str, Any], number: int, wrong: list[Wrong]) -> Tensor | None:
    """
    Read a tensor.

    Args:
        given: of a request.
        number: its place among the request's tensors.
        wrong: gets what is wrong with it.
    Returns: None where something is wrong.
    """
    part: Callable[[str], Any] = given.get
    name, datatype, shape, data = part("name"), part("datatype"), part("shape"), part("data")
    if not isinstance(name, str):
        wrong.append(wrong_tensor(f"inputs[{number}]", f"name: expected a text, found {shown(name)}"))
        return None
    faults = _faults(shape, datatype, data, given.get("parameters"))
    if faults is None:
        allowance().rows(shape[0] if shape else 0)
        values, kinds = _flat(data, shape)
        if values is None:
            fault = (
                f"data: expected {math.prod(shape)} values for shape {shape}, flat or nested as it says, "
                f"found {_found(data)}"
            )
        elif (place := _misfit(datatype, values, kinds)) is None:
            return Tensor(name, datatype, tuple(shape), values)
        else:
            fault = f"data: expected {datatype}, found {shown(values[place])} at place {place}"
        faults = [fault]
    wrong += [wrong_tensor(name, fault) for fault in faults]
    return None


def wrong_tensor(field: str, message: str) -> Wrong:
    """What is wrong with a tensor."""
    return {"field": field, "reason": "wrong_tensor", "message": message}


def _faults(shape: object, datatype: object, data: object, parameters: object) -> list[str] | None:
    """What is wrong with the tensor's parts, without its values; None for nothing."""
    if parameters is None and type(data) is list and datatype in _DATATYPES and _is_shape(shape):
        return None
    faults = []
    if not _is_shape(shape):
        faults.append(f"shape: expected a list of sizes, found {shown(shape)}")
    if datatype not in _DATATYPES:
        faults.append(f"datatype: expected one of {', '.join(_DATATYPES)}, found {shown(datatype)}")
    if isinstance(parameters, dict) and "binary_data_size" in parameters:
        faults.append("data: binary tensors are not supported: send it as JSON")
    elif not isinstance(data, list):
        faults.append(f"data: expected a list, found {shown(data)}")
    if fault := wrong_parameters(parameters):
        faults.append(fault)
    return faults or None


def wrong_parameters(parameters: object) -> str | None:
    """
    Args:
        parameters: of a request or a tensor.
    Returns: what is wrong with them; None for nothing.
    """
    if parameters is not None and not isinstance(parameters, dict):
        return f"parameters: expected an object, found {shown(parameters)}"
    found = (parameters or {}).get("content_type")
    if found in (None, *_CONTENT_TYPES):
        return None
    return f"parameters: content_type: expected one of {', '.join(_CONTENT_TYPES)}, found {shown(found)}"


def _is_shape(shape: object) -> TypeGuard[list[int]]:
    """Whether it is a list of sizes, few and small enough to be multiplied."""
    if not isinstance(shape, list) or len(shape) > _MOST_DIMENSIONS or not set(map(type, shape)) <= {int}:
        return False
    return not shape or (min(shape) >= 0 and max(shape) <= _MOST_VALUES)


def _flat(data: list[Any], shape: Sequence[int]) -> tuple[list[Any] | None, set[type]]:
    """The values, and their classes; None where they are not as many, or nested otherwise, than the shape says."""
    kinds = set(map(type, data))
    if list not in kinds:
        return (data if len(data) == math.prod(shape) else None), kinds
    level: list[Any] = [data]
    for size in shape:
        if not all(type(one) is list and len(one) == size for one in level):
            return None, kinds
        level = [value for one in level for value in one]
    kinds = set(map(type, level))
    return (None if list in kinds else level), kinds


def _found(data: list[Any]) -> str:
    lists = sum(type(one) is list for one in data)
    return f"{len(data)} values" + (f", {lists} of them lists" if lists else "")


def _misfit(datatype: str, values: list[Any], kinds: set[type]) -> int | None:
    """The place of the first value that is none of the datatype; None where all are."""
    kinds.discard(type(None))
    if kinds <= _PLAIN[datatype]:
        return None
    if kinds == {int} and datatype in _RANGES:
        low, stop = _RANGES[datatype]
        present = [value for value in values if value is not None]
        if low <= min(present) and max(present) < stop:
            return None
    wrong = (i for i, value in enumerate(values) if value is not None and not _is_one(datatype, value))
    return next(wrong, None)


def _is_one(datatype: str, value: Any) -> bool:
    """Whether a value is one of the datatype: a whole number may be written as 7.0."""
    if datatype not in _RANGES:
        return type(value) in _PLAIN[datatype]
    low, stop = _RANGES[datatype]
    number = isinstance(value, int | float | Decimal) and type(value) is not bool
    return bool(number and low <= value < stop and (datatype in _FLOATS or value % 1 == 0))
