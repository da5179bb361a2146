"""
Records as fastavro reads them, with our types: Python's own classes where they hold a value, `Bare` where they don't.

fastavro's own conversions round, or raise beyond Python's calendar. But it takes others: a schema for it calls each
logical type by a name of ours, under which the type's own conversion is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from fastavro.read import LOGICAL_READERS

from stream.codec.leaf import type_at
from stream.codec.nodes import Fixed, Primitive
from stream.types import AvroType

__all__ = ["bare_form", "typed_form"]

_OURS = "prediction-stream-"
"""Begins a logical type's name where fastavro is to read it as we do; nobody else's readers are replaced."""


def typed_form(form: Any) -> Any:
    """
    A schema for fastavro's readers.

    Args:
        form: its JSON, with logical types that are valid only; not changed.
    Returns: the same with names of ours for the logical types.
    """
    return _renamed(form, _registered)


def bare_form(form: Any) -> Any:
    """As `typed_form`, with a name that no reader knows for all logical types: their values stay as written."""
    return _renamed(form, lambda _: f"{_OURS}bare")


def _renamed(form: Any, name: Callable[[Mapping[str, Any]], str]) -> Any:
    if isinstance(form, list):
        return [_renamed(one, name) for one in form]
    if not isinstance(form, dict):
        return form
    made = {
        key: _renamed(value, name) if key in ("items", "values") else value for key, value in form.items()
    }
    if "fields" in form:
        made["fields"] = [{**field, "type": _renamed(field["type"], name)} for field in form["fields"]]
    if "logicalType" in form:
        made["logicalType"] = name(form)
    return made


def _registered(form: Mapping[str, Any]) -> str:
    name = f"{_OURS}{form['logicalType']}"
    LOGICAL_READERS[f"{form['type']}-{name}"] = _reader(form)
    return name


def _reader(form: Mapping[str, Any]) -> Callable[..., object]:
    if form["logicalType"] == "decimal":
        return _decimal
    kind = _kind(form["type"], form["logicalType"], 0, 0, form.get("size"))
    return lambda bare, *_: kind.python_value(bare)


def _decimal(bare: object, written: Mapping[str, Any], _: object = None) -> object:
    precision, scale = written["precision"], written.get("scale", 0)
    return _kind(written["type"], "decimal", precision, scale, written.get("size")).python_value(bare)


@lru_cache(maxsize=256)
def _kind(name: str, logical: str, precision: int, scale: int, size_bytes: int | None) -> AvroType:
    node = (
        Primitive(name, logical, precision, scale)
        if size_bytes is None
        else Fixed(name, size_bytes, logical, precision, scale)
    )
    kind = type_at(node)
    assert kind is not None  # every valid logical type is in the table
    return kind
