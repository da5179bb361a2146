"""Records as readers of files give them: Python's own classes where they hold a value, `Bare` where they don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from stream.codec.fastavro_form import fastavro_form
from stream.codec.leaf import type_at
from stream.codec.nodes import Array, Map, Node, Record, is_null, strip_null
from stream.codec.schema import RecordSchema

__all__ = ["bare_form", "typed_row"]

_Typed: TypeAlias = Callable[[Any], Any]


def bare_form(schema: RecordSchema) -> object:
    """
    A schema for fastavro without logical types, whose conversions round, or raise beyond Python's calendar.

    Args:
        schema: of a file.
    Returns: its JSON. In unions of several types the logical types stay: they tell the branches apart.
    """
    return _without_meaning(fastavro_form(schema.root))


def _without_meaning(form: Any) -> Any:
    if isinstance(form, list):
        return (
            form
            if len([one for one in form if one != "null"]) > 1
            else [_without_meaning(one) for one in form]
        )
    if not isinstance(form, dict):
        return form
    kept = {key: value for key, value in form.items() if key not in _MEANING}
    for key in ("items", "values"):
        if key in kept:
            kept[key] = _without_meaning(kept[key])
    if "fields" in kept:
        kept["fields"] = [{**one, "type": _without_meaning(one["type"])} for one in kept["fields"]]
    return kept


_MEANING = frozenset({"logicalType", "precision", "scale"})


def typed_row(schema: RecordSchema) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """
    Args:
        schema: of a file.
    Returns: what turns a record that was read by `bare_form` into values with their meaning.
    """
    return _Maker().record(schema.root)


class _Maker:
    """Makes the functions of one schema; a record may contain itself."""

    def __init__(self) -> None:
        self._records: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

    def record(self, record: Record) -> Callable[[dict[str, Any]], dict[str, Any]]:
        if record.name in self._records:
            return self._records[record.name]
        changes: dict[str, _Typed] = {}

        def typed(values: dict[str, Any]) -> dict[str, Any]:
            for name, change in changes.items():
                if values[name] is not None:
                    values[name] = change(values[name])
            return values

        self._records[record.name] = typed
        for field in record.fields:
            if (change := self._change(field.type)) is not None:
                changes[field.name] = change
        return typed

    def _change(self, node: Node) -> _Typed | None:
        bare, _ = strip_null(node)
        if isinstance(bare, Record):
            return self.record(bare)
        if isinstance(bare, Array | Map):
            each = self._change(bare.items if isinstance(bare, Array) else bare.values)
            return None if each is None else (_items(each) if isinstance(bare, Array) else _values(each))
        kind = None if is_null(bare) else type_at(bare)
        return None if kind is None or kind.name == kind.kind else kind.python_value


def _items(each: _Typed) -> _Typed:
    return lambda items: [None if one is None else each(one) for one in items]


def _values(each: _Typed) -> _Typed:
    return lambda entries: {key: None if one is None else each(one) for key, one in entries.items()}
