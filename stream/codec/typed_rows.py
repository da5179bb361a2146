"""Records as readers of files give them: Python's own classes where they hold a value, `Bare` where they don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from stream.codec.fastavro_form import fastavro_form
from stream.codec.node_types import plain_type
from stream.codec.nodes import Array, Map, Node, Record, Union, branch_name, is_null, several, strip_null

__all__ = ["bare_form", "typed_row"]

_Typed: TypeAlias = Callable[[Any], Any]


def bare_form(root: Record) -> object:
    """
    A schema for fastavro without logical types, whose conversions round, or raise beyond Python's calendar.

    Args:
        root: the schema.
    Returns: its JSON, in which a value says of which of several types it is (`fastavro_form`).
    """
    return fastavro_form(root, meaning=False)


def typed_row(root: Record, *, exact: bool = True) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """
    Args:
        root: the schema.
        exact: for a reader whose types may be coarser: what they can't hold must not be rounded (`exact_value`).
    Returns: what turns a record that was read by `bare_form` into values with their meaning.
    """
    return _Maker(exact).record(root)


class _Maker:
    """Makes the functions of one schema; a record may contain itself."""

    def __init__(self, exact: bool) -> None:
        self._exact = exact
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
        if isinstance(bare, Union):
            return self._branch(bare)
        kind = None if is_null(bare) else plain_type(bare)
        if kind is None or kind.name == kind.kind:
            return None
        return kind.exact_value if self._exact else kind.python_value

    def _branch(self, union: Union) -> _Typed | None:
        changes = {branch_name(one): self._change(one) for one in several(union)}
        if not any(changes.values()):
            return None

        def typed(value: dict[str, Any]) -> dict[str, Any]:
            return {
                name: one if (each := changes[name]) is None else each(one) for name, one in value.items()
            }

        return typed


def _items(each: _Typed) -> _Typed:
    return lambda items: [None if one is None else each(one) for one in items]


def _values(each: _Typed) -> _Typed:
    return lambda entries: {key: None if one is None else each(one) for key, one in entries.items()}
