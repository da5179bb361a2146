"""The Avro type of a column whose Arrow type a file declares."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from stream.files.avro_fields import field_schema, legal_names
from stream.types import AvroType, type_for

__all__ = ["Keep", "declared_type"]

_LISTS = (
    pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
    pa.types.is_large_list_view,
)  # fmt: skip


class Keep(NamedTuple):
    """What becomes of a column: is it repeated as it is, does a model take it, or both?"""

    exact: bool
    taken: bool

    def type_for(self, kind: pa.DataType) -> AvroType | None:
        """The type of a column that is no container."""
        found = type_for(kind, exact=self.exact)
        return type_for(kind) if self.taken and found is not None and found.model is None else found


def declared_type(kind: pa.DataType, name: str, keep: Keep) -> tuple[Any, str]:
    """
    Args:
        kind: of Arrow.
        name: for the records in it.
        keep: what becomes of the column.
    Returns: the Avro type, as JSON, and why; None where Avro has none.
    """
    found = _from_arrow(kind, name, keep)
    return (
        (None, f"Avro has no type for {kind}")
        if found is None
        else (found, f"from {kind}{_lost(kind, found)}")
    )


def _lost(arrow: pa.DataType, kind: Any) -> str:
    """What a type can't keep of Arrow's."""
    nanos = (pa.types.is_timestamp(arrow) or pa.types.is_time(arrow)) and arrow.unit == "ns"
    rounded = nanos and not str(kind["logicalType"]).endswith("nanos")
    return "; its nanoseconds are rounded down to microseconds" if rounded else ""


def _from_arrow(kind: pa.DataType, name: str, keep: Keep) -> Any:
    if isinstance(kind, pa.JsonType):
        return "string"
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _from_arrow(kind.value_type, name, keep)
    if pa.types.is_struct(kind):
        return _from_struct(kind, name, keep)
    if any(is_one(kind) for is_one in _LISTS):
        items = _from_arrow(kind.value_type, f"{name}_item", keep)
        return None if items is None else {"type": "array", "items": items}
    if pa.types.is_map(kind):
        values = _from_arrow(kind.item_type, f"{name}_value", keep) if kind.key_type == pa.string() else None
        return None if values is None else {"type": "map", "values": ["null", values]}
    found = keep.type_for(kind)
    return None if found is None else found.schema


def _from_struct(kind: pa.StructType, name: str, keep: Keep) -> Any:
    """A record; any of its fields may be null, since Arrow doesn't say which can't."""
    parts = [kind.field(i) for i in range(kind.num_fields)]
    names = legal_names([part.name for part in parts])
    inner = {part.name: _from_arrow(part.type, f"{name}_{names[part.name]}", keep) for part in parts}
    fields = [field_schema(key, names[key], value, True) for key, value in inner.items() if value is not None]
    return {"type": "record", "name": name, "fields": fields} if fields else None
