"""Maps of one type, whose keys are texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa

from stream.types.cells import Read
from stream.types.list_layout import ItemsOf, offsets, slices, within
from stream.types.misfit import mismatch
from stream.types.nested_type import key_place, nullable_schema, parsed_cell, read_at

__all__ = ["MapOf", "read_map"]

_SAMPLE_ENTRIES = 3
_PAIR = 2
_ENTRY = {"key", "value"}
"""A map's entry where a library has lists of structs instead of maps."""


def read_map(value: Any, each: Read, *, text: bool) -> dict[str, Any]:
    """
    Read a map.

    Args:
        value: foreign: a dict, or its entries: pairs, as Arrow gives them, or dicts with `key` and `value`. Of two
            entries with one key the last counts, as to Avro's own readers.
        each: reads a value.
        text: whether a text stands for it: a JSON object (csv).
    Raises: Misfit that names the entry.
    """
    value = parsed_cell(value, "a JSON object", text=text)
    entries = value.items() if isinstance(value, dict) else _entries(value)
    found: dict[str, Any] = {}
    for key, item in entries:
        if not isinstance(key, str):
            raise mismatch("a map whose keys are texts", key)
        found[key] = read_at(each, item, key_place(key))
    return found


def _entries(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, list | tuple):
        raise mismatch("an object", value)
    found: list[tuple[Any, Any]] = []
    for one in value:
        if isinstance(one, dict) and one.keys() == _ENTRY:
            found.append((one["key"], one["value"]))
        elif isinstance(one, tuple | list) and len(one) == _PAIR:
            found.append((one[0], one[1]))
        else:
            raise mismatch("an object", value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf(ItemsOf):
    """A map, whose keys are texts."""

    python: ClassVar[type] = dict
    python_types = (dict,)
    text_form = "a JSON object, in a csv too"
    limits = "as its values; a value that is null and must not be, a key that is not a text (`wrong_type`)"

    @property
    def schema(self) -> Any:
        """A map of its values' schema, null included."""
        values = self.item.schema
        return {"type": "map", "values": ["null", values] if self.item_nullable else values}

    def read(self, value: Any, *, text: bool) -> dict[str, Any]:
        """Its values, one by one."""
        found: dict[str, Any] = self._reading(text)(value)
        return found

    def _reading(self, text: bool) -> Read:
        return partial(read_map, each=self.item.reader(nullable=self.item_nullable, text=False), text=text)

    def python_value(self, bare: Any) -> Any:
        """Its values likewise."""
        return {key: None if one is None else self.item.python_value(one) for key, one in bare.items()}

    def is_default(self, value: object) -> bool:
        """An object of defaults of its values."""
        return isinstance(value, dict) and all(map(self._is_item, value.values()))

    def default(self, value: object) -> object:
        """The values as a decoder gives them."""
        if not isinstance(value, dict):
            return value
        return {key: None if one is None else self.item.default(one) for key, one in value.items()}

    def stored(self, value: Any) -> list[tuple[str, Any]]:
        """Its entries, as Arrow takes them."""
        if self.item.stored_as_is:
            return list(value.items())
        return [
            (key, None if one is None else read_at(self.item.stored, one, key_place(key)))
            for key, one in value.items()
        ]

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if not pa.types.is_map(column.type) or not pa.types.is_string(column.type.key_type):
            return None
        items = self.item.cast(within(column, column.items), nullable=self.item_nullable, text=False)
        if items is None or (items.null_count and not self.item_nullable):
            return None
        found = self.joined(column, [items])
        keys = pa.table({"row": self.parents(column), "key": within(column, column.keys)})
        twice = len(keys) != len(keys.group_by(["row", "key"]).aggregate([]))
        return None if twice else found

    def shaped(self, kinds: Sequence[pa.DataType]) -> pa.DataType:
        """A map with texts as keys."""
        return pa.map_(pa.string(), kinds[0])

    def split(self, column: pa.Array) -> list[pa.Array]:
        """All values, those of null maps included."""
        return [within(column, column.items)]

    def joined(self, column: pa.Array, parts: list[pa.Array]) -> pa.Array:
        """Maps of other values."""
        return pa.MapArray.from_arrays(offsets(column), within(column, column.keys), parts[0])

    def assembled(self, column: pa.Array, parts: list[list[Any]]) -> list[Any]:
        """Dicts."""
        keys = within(column, column.keys).to_pylist()
        return [
            None if at is None else dict(zip(keys[at], parts[0][at], strict=True)) for at in slices(column)
        ]

    def json_schema(self) -> dict[str, Any]:
        """An object of its values."""
        values = self.item.json_schema()
        return {
            "type": "object",
            "additionalProperties": nullable_schema(values) if self.item_nullable else values,
        }

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> dict[str, Any]:
        """A few entries."""
        return {f"key {i}": self.item.sample(chance) for i in range(_SAMPLE_ENTRIES)}
