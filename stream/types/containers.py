"""Arrays of one type."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stream.types.avro_type import AvroType, Refused
from stream.types.cells import Read
from stream.types.json_parsing import parse_json
from stream.types.misfit import mismatch

__all__ = ["List", "nullable_schema", "read_list"]

_SAMPLE_ITEMS = 3


def read_list(value: Any, each: Read, *, text: bool) -> list[Any]:
    """
    Read an array.

    Args:
        value: foreign.
        each: reads an item.
        text: whether a text stands for it: a JSON list (csv).
    Raises: Misfit.
    """
    if text and isinstance(value, str):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            raise mismatch("a JSON list", value) from None
    if not isinstance(value, list | tuple):
        raise mismatch("a list", value)
    return [each(item) for item in value]


@dataclass(frozen=True, slots=True, kw_only=True)
class List(AvroType):
    """
    An array.

    Attributes:
        item: the type of its items.
        item_nullable: whether an item may be null.
    """

    item: AvroType
    item_nullable: bool = False

    python: ClassVar[type] = list
    python_types = (list,)
    csv_as_text = True
    stored_as_is = False
    text_form = "a JSON list, in a csv too"
    limits = "as its items; an item that is null and must not be (`wrong_type`; on the way out `null_value`)"

    @property
    def full_name(self) -> str:
        """`array<double>` …"""
        return f"array<{self.item.full_name}>"

    @property
    def column(self) -> bool:  # type: ignore[override]
        """As its items."""
        return self.item.column

    @property
    def checked(self) -> bool:  # type: ignore[override]
        """As its items."""
        return self.item.checked

    def check(self, bare: Any) -> None:
        """Each item."""
        for one in bare:
            if one is not None:
                self.item.check(one)

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

    def _is_item(self, value: object) -> bool:
        return self.item_nullable if value is None else self.item.is_default(value)

    def default(self, value: object) -> object:
        """The items as a decoder gives them."""
        if not isinstance(value, list):
            return value
        return [None if item is None else self.item.default(item) for item in value]

    def stored(self, value: Any) -> list[Any]:
        """Its items, as Arrow takes them."""
        if self.item.stored_as_is:
            return list(value)
        return [None if item is None else self.item.stored(item) for item in value]

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        kind = column.type
        if pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
            column = column.cast(pa.list_(kind.value_type))
        elif not pa.types.is_list(kind):
            return None
        items = self.item.cast(_items(column), nullable=self.item_nullable, text=False)
        if items is None or (items.null_count and not self.item_nullable):
            return None
        made = _lists(column, items)
        return made if made.type == self.arrow else made.cast(self.arrow)

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """Its items likewise."""
        return bare if bare.type == self.arrow else _lists(bare, self.item.from_storage(_items(bare)))

    def to_storage(self, column: pa.Array) -> pa.Array:
        """Its items likewise."""
        return column if column.type == self.storage else _lists(column, self.item.to_storage(_items(column)))

    def refused(self, column: pa.Array) -> list[Refused]:
        """Lists with a null item where none may be null."""
        if self.item_nullable or not column.flatten().null_count:
            return []
        rows = pc.list_parent_indices(column).filter(column.flatten().is_null())
        return [Refused(rows, "an item is null", reason="null_value")]

    def csv_column(self, column: pa.Array) -> pa.Array:
        """JSON lists."""
        lists = self.json_values(column)
        return pa.array(
            [None if one is None else json.dumps(one, ensure_ascii=False, allow_nan=False) for one in lists],
            pa.string(),
        )

    @property
    def file_arrow(self) -> pa.DataType:
        """A list of its items' type there."""
        return pa.list_(self.item.file_arrow)

    @property
    def duckdb_arrow(self) -> pa.DataType:
        """A list of its items' type there; of those without one its text."""
        item = self.item.duckdb_arrow
        return pa.list_(item) if item == self.item.arrow else pa.string()

    @property
    def spark_arrow(self) -> pa.DataType:
        """A list of its items' type there; of those without one its text."""
        item = self.item.spark_arrow
        return pa.list_(item) if item == self.item.file_arrow else pa.string()

    def json_values(self, column: pa.Array) -> list[Any]:
        """Lists of JSON values."""
        items = self.item.json_values(column.flatten())
        places = iter(items)
        lengths = pc.list_value_length(column).to_pylist()
        return [None if n is None else [next(places) for _ in range(n)] for n in lengths]

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


def _items(lists: pa.Array) -> pa.Array:
    """All items, those of null lists included."""
    start, stop = (lists.offsets[0].as_py(), lists.offsets[-1].as_py()) if len(lists) else (0, 0)
    return lists.values.slice(start, stop - start)


def _lists(lists: pa.Array, items: pa.Array) -> pa.Array:
    """Lists of the same lengths and gaps, of other items: as many as `_items` gives."""
    start = lists.offsets[0].as_py() if len(lists) else 0
    offsets = pc.subtract(lists.offsets, start)
    if lists.null_count:
        gap = pa.concat_arrays([lists.is_null(), pa.array([False])])
        offsets = pc.if_else(gap, pa.scalar(None, pa.int32()), offsets)
    return pa.ListArray.from_arrays(offsets, items)


def nullable_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """
    Args:
        schema: a JSON schema of a type.
    Returns: the same, or null.
    """
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [*kind, "null"] if isinstance(kind, list) else [kind, "null"]}
