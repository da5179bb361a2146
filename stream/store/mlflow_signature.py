"""
A signature of MLflow → what events look like.

Source: <https://mlflow.org/docs/latest/ml/model/signatures/>; the JSON is that of `mlflow.types.schema.Schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stream.files import field_schema, legal_name, legal_names
from stream.types import type_for_mlflow

__all__ = ["VECTOR", "Signature", "Unreadable", "event_schema", "read_signature"]

VECTOR = "features"
"""What the one array field of events is called, where inputs have no names."""

_MAX_DEPTH = 32
"""Types inside each other; MLflow's own signatures have two or three."""

_SCALARS = ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime")


class Unreadable(Exception):
    """A part of a signature that no Avro type holds, or that is not a signature's; the message names it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """
    The inputs of a model.

    Attributes:
        columns: MLflow's type of each input by its name, as JSON; None where inputs have no names.
        width: how many numbers a row has, where inputs have no names; None where that is unknown.
        params: names of what may be given with a question, beside its rows.
    """

    columns: Mapping[str, Mapping[str, Any]] | None
    width: int | None = None
    params: tuple[str, ...] = ()

    @property
    def doubles(self) -> list[str]:
        """The inputs that are floating-point numbers, which JSON may write as 1 for 1.0."""
        return [
            name for name, spec in (self.columns or {}).items() if spec.get("type") in ("double", "float")
        ]

    @property
    def instants(self) -> list[str]:
        """The inputs that are dates and times, which JSON writes as texts."""
        return [name for name, spec in (self.columns or {}).items() if spec.get("type") == "datetime"]


def read_signature(head: Mapping[str, Any]) -> Signature | None:
    """
    Args:
        head: `MLmodel`, parsed.
    Returns: its signature's inputs; None where it has none.
    Raises: Unreadable where what it says is not a signature, or two inputs have one name.
    """
    signature = head.get("signature")
    if not isinstance(signature, dict) or signature.get("inputs") is None:
        return None
    inputs = _listed(signature["inputs"], "inputs")
    params = _listed(signature.get("params") or "[]", "params")
    names = [each.get("name") for each in inputs]
    given = tuple(str(each.get("name")) for each in params)
    if inputs and all(isinstance(name, str) for name in names):
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise Unreadable(f"two inputs are called {twice!r}")
        return Signature({str(each["name"]): _column(each) for each in inputs}, params=given)
    if any(isinstance(name, str) for name in names):
        raise Unreadable("some inputs have names, and some have none")
    return Signature(None, _width(inputs), given)


def _listed(text: Any, key: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable(f"its {key} are not a list of objects as JSON")
    return found


def _column(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A column; a tensor of one number for each row is one, too."""
    if spec.get("type") != "tensor":
        return spec
    dtype, shape = _tensor(spec)
    if shape not in ([-1], [-1, 1]):
        raise Unreadable(
            f"input {spec['name']!r} is a tensor of shape {shape}: a model of columns takes [-1] or [-1, 1]"
        )
    return {"type": _of_tensor(dtype, str(spec["name"])), "name": spec["name"], "required": True}


def _tensor(spec: Mapping[str, Any]) -> tuple[str, list[Any]]:
    about = spec.get("tensor-spec")
    about = about if isinstance(about, dict) else {}
    shape = about.get("shape")
    return str(about.get("dtype")), shape if isinstance(shape, list) else []


def _of_tensor(dtype: str, name: str) -> str:
    known = {
        "bool": "boolean", "int8": "integer", "int16": "integer", "int32": "integer", "uint8": "integer",
        "uint16": "integer", "int64": "long", "uint32": "long", "float16": "float", "float32": "float",
        "float64": "double", "str": "string", "object": "string", "bytes": "binary",
    }  # fmt: skip
    if dtype not in known:
        raise Unreadable(f"input {name!r} is a tensor of {dtype}, which has no Avro type")
    return known[dtype]


def _width(inputs: Sequence[Mapping[str, Any]]) -> int | None:
    """Of inputs without names: one tensor of rows of numbers, or a column for each number."""
    if len(inputs) == 1 and inputs[0].get("type") == "tensor":
        dtype, shape = _tensor(inputs[0])
        if len(shape) != 2 or shape[0] != -1 or _of_tensor(dtype, "(unnamed)") in ("string", "binary"):
            raise Unreadable(
                f"its input is a tensor of {dtype} and shape {shape}: [-1, n] of numbers is taken"
            )
        return shape[1] if isinstance(shape[1], int) and shape[1] > 0 else None
    others = [each.get("type") for each in inputs if each.get("type") not in _SCALARS[:5]]
    if others:
        raise Unreadable(f"its inputs have no names, and among them are {', '.join(map(repr, others[:3]))}")
    return len(inputs) or None


def event_schema(signature: Signature, name: str) -> str:
    """
    The schema of events that a signature describes.

    Args:
        signature: of a model.
        name: of the record; made legal.
    Returns: an Avro schema: a field for each named input, else the one array of numbers `VECTOR`. An input that is
        not required may be null, which is its default.
    Raises: Unreadable naming an input that no Avro type holds.
    """
    record = legal_name(name)
    if signature.columns is None:
        fields = [{"name": VECTOR, "type": {"type": "array", "items": "double"}}]
    else:
        fields = [
            field_schema(
                column, legal, _avro(spec, f"{record}_{legal}", repr(column), 0), not _required(spec)
            )
            for (column, spec), legal in zip(
                signature.columns.items(), legal_names(list(signature.columns)).values(), strict=True
            )
        ]
    return (
        json.dumps({"type": "record", "name": record, "fields": fields}, indent=2, ensure_ascii=False) + "\n"
    )


def _required(spec: Mapping[str, Any]) -> bool:
    return spec.get("required") is not False


def _avro(spec: Any, name: str, place: str, depth: int) -> Any:
    """An Avro type, as JSON; `name` is that of a record, should it be one."""
    kind = spec.get("type") if isinstance(spec, dict) else None
    if depth > _MAX_DEPTH:
        raise Unreadable(f"input {place} is nested more than {_MAX_DEPTH} deep")
    if isinstance(kind, str) and kind in _SCALARS:
        return type_for_mlflow(kind).schema
    if kind not in _NESTED:
        what = (
            "of any type, which is no Avro type"
            if kind == "any"
            else f"of the type {kind!r}, which is not MLflow's"
        )
        raise Unreadable(f"input {place} is {what}")
    return _NESTED[kind](spec, name, place, depth + 1)


def _array(spec: Mapping[str, Any], name: str, place: str, depth: int) -> Any:
    return {"type": "array", "items": _avro(spec.get("items"), name, f"{place}[]", depth)}


def _map(spec: Mapping[str, Any], name: str, place: str, depth: int) -> Any:
    return {"type": "map", "values": _avro(spec.get("values"), name, f"{place}[…]", depth)}


def _object(spec: Mapping[str, Any], name: str, place: str, depth: int) -> Any:
    properties = spec.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise Unreadable(f"input {place} is an object without properties")
    legal = legal_names(list(map(str, properties)))
    fields = [
        field_schema(
            key, legal[key], _avro(one, f"{name}_{legal[key]}", f"{place}.{key}", depth), not _required(one)
        )
        for key, one in properties.items()
    ]
    return {"type": "record", "name": name, "fields": fields}


def _vector(spec: Mapping[str, Any], name: str, place: str, depth: int) -> Any:
    return {"type": "array", "items": "double"}


_NESTED: Mapping[Any, Callable[[Mapping[str, Any], str, str, int], Any]] = {
    "array": _array,
    "map": _map,
    "object": _object,
    "sparkml-vector": _vector,
}
"""MLflow's types that are made of others."""
