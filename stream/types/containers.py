"""Arrays of one type."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa

from stream.types.cells import Read
from stream.types.list_layout import ItemsOf, offsets, slices, within
from stream.types.misfit import Misfit, mismatch
from stream.types.nested_type import nullable_schema, parsed_cell, read_at

__all__ = ["List", "read_list"]

_SAMPLE_ITEMS = 3


def read_list(value: Any, each: Read, *, text: bool) -> list[Any]:
    """
    Read an array.

    Args:
        value: foreign.
        each: reads an item.
        text: whether a text stands for it: a JSON list (csv).
    Raises: Misfit that names the item.
    """
    value = parsed_cell(value, "a JSON list", text=text)
    if not isinstance(value, list | tuple):
        raise mismatch("a list", value)
    try:
        return [each(item) for item in value]
    except Misfit:
        return [read_at(each, item, f"[{i}]") for i, item in enumerate(value)]


@dataclass(frozen=True, slots=True, kw_only=True)
class List(ItemsOf):
    """An array."""

    python: ClassVar[type] = list
    python_types = (list,)
    text_form = "a JSON list, in a csv too"
    limits = "as its items; an item that is null and must not be (`wrong_type`; on the way out `null_value`)"

    @property
    def schema(self) -> Any:
        """An array of its items' schema, null included."""
        items = self.item.schema
        return {"type": "array", "items": ["null", items] if self.item_nullable else items}

    def read(self, value: Any, *, text: bool) -> list[Any]:
        """Its items, one by one."""
        found: list[Any] = self._reading(text)(value)
        return found

    def _reading(self, text: bool) -> Read:
        return partial(read_list, each=self.item.reader(nullable=self.item_nullable, text=False), text=text)

    def python_value(self, bare: Any) -> Any:
        """Its items likewise."""
        return [None if one is None else self.item.python_value(one) for one in bare]

    def is_default(self, value: object) -> bool:
        """A list of defaults of its items."""
        return isinstance(value, list) and all(map(self._is_item, value))

    def default(self, value: object) -> object:
        """The items as a decoder gives them."""
        if not isinstance(value, list):
            return value
        return [None if item is None else self.item.default(item) for item in value]

    def stored(self, value: Any) -> list[Any]:
        """Its items, as Arrow takes them."""
        if self.item.stored_as_is:
            return list(value)
        try:
            return [None if item is None else self.item.stored(item) for item in value]
        except Misfit:
            places = enumerate(value)
            return [None if one is None else read_at(self.item.stored, one, f"[{i}]") for i, one in places]

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        kind = column.type
        if pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
            column = column.cast(pa.list_(kind.value_type))
        elif not pa.types.is_list(kind):
            return None
        items = self.item.cast(within(column, column.values), nullable=self.item_nullable, text=False)
        if items is None or (items.null_count and not self.item_nullable):
            return None
        made = self.joined(column, [items])
        return made if made.type == self.arrow else made.cast(self.arrow)

    def shaped(self, kinds: Sequence[pa.DataType]) -> pa.DataType:
        """A list."""
        return pa.list_(kinds[0])

    def split(self, column: pa.Array) -> list[pa.Array]:
        """All items, those of null lists included."""
        return [within(column, column.values)]

    def joined(self, column: pa.Array, parts: list[pa.Array]) -> pa.Array:
        """Lists of other items."""
        return pa.ListArray.from_arrays(offsets(column), parts[0])

    def assembled(self, column: pa.Array, parts: list[list[Any]]) -> list[Any]:
        """Lists."""
        return [None if at is None else parts[0][at] for at in slices(column)]

    def json_schema(self) -> dict[str, Any]:
        """An array of its items."""
        items = self.item.json_schema()
        return {"type": "array", "items": nullable_schema(items) if self.item_nullable else items}

    @property
    def tensors(self) -> frozenset[str]:
        """Those of its items."""
        return self.item.tensors

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> list[Any]:
        """A few items."""
        return [self.item.sample(chance) for _ in range(_SAMPLE_ITEMS)]
