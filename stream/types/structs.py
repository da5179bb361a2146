"""Records inside arrays, maps and unions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types.avro_type import AvroType
from stream.types.cells import Read
from stream.types.misfit import Misfit, mismatch
from stream.types.nested_type import Nested, nullable_schema, parsed_cell, read_at

__all__ = ["Member", "Struct"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    A field of a record.

    Attributes:
        name: in Avro.
        names: that it may have elsewhere, the original one first.
        type: of its values.
        nullable: whether it may be null.
        optional: whether it has a default.
        default: of the schema's JSON.
    """

    name: str
    names: tuple[str, ...]
    type: AvroType
    nullable: bool
    optional: bool
    default: Any = None

    def filled(self) -> Any:
        """The default, as a decoder gives it."""
        return None if self.default is None else self.type.default(self.default)

    def is_default(self, value: object) -> bool:
        """Whether a schema's JSON value is one of its type."""
        return self.nullable if value is None else self.type.is_default(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct(Nested):
    """
    A record in an array, a map or a union.

    Attributes:
        record: its full name.
        members: its fields, in order; at least one.
    """

    record: str
    members: tuple[Member, ...]

    python: ClassVar[type] = dict
    python_types = (dict,)
    text_form = "a JSON object, in a csv too"
    limits = "as its fields; one that is missing and has no default (`missing_field`)"

    @property
    def parts(self) -> tuple[AvroType, ...]:
        """Its fields' types."""
        return tuple(member.type for member in self.members)

    @property
    def parts_nullable(self) -> tuple[bool, ...]:
        """Its fields' own."""
        return tuple(member.nullable for member in self.members)

    @property
    def _part(self) -> str:
        return "a record's field"

    @property
    def full_name(self) -> str:
        """`record Stop (at timestamp-millis, name string or null)`."""
        fields = (
            f"{each.name} {each.type.full_name}{' or null' if each.nullable else ''}" for each in self.members
        )
        return f"record {self.record} ({', '.join(fields)})"

    def read(self, value: Any, *, text: bool) -> dict[str, Any]:
        """Its fields, one by one; other ones are ignored."""
        found: dict[str, Any] = self._reading(text)(value)
        return found

    def _reading(self, text: bool) -> Read:
        readers = [(each, each.type.reader(nullable=each.nullable, text=False)) for each in self.members]

        def read(value: Any) -> dict[str, Any]:
            value = parsed_cell(value, "a JSON object", text=text)
            if not isinstance(value, dict):
                raise mismatch("an object", value)
            found: dict[str, Any] = {}
            wrong: list[Misfit] = []
            for member, convert in readers:
                name = next((name for name in member.names if name in value), None)
                try:
                    if name is not None:
                        found[member.name] = read_at(convert, value[name], name)
                    elif member.optional:
                        found[member.name] = member.filled()
                    else:
                        raise Misfit(
                            "it is missing, and has no default", member.names[0], reason="missing_field"
                        )
                except Misfit as misfit:
                    wrong += misfit.each
            if wrong:
                raise Misfit.of(wrong)
            return found

        return read

    def python_value(self, bare: Any) -> Any:
        """Its fields likewise."""
        return {
            each.name: None if (one := bare[each.name]) is None else each.type.python_value(one)
            for each in self.members
        }

    def is_default(self, value: object) -> bool:
        """An object of defaults of its fields; those with a default may be left out."""
        if not isinstance(value, dict):
            return False
        given = [(each, each.name in value or each.optional) for each in self.members]
        return all(there and each.is_default(value.get(each.name, each.default)) for each, there in given)

    def default(self, value: object) -> object:
        """The fields as a decoder gives them."""
        if not isinstance(value, dict):
            return value
        return {
            each.name: each.filled()
            if (one := value.get(each.name, each.default)) is None
            else each.type.default(one)
            for each in self.members
        }

    def stored(self, value: Any) -> dict[str, Any]:
        """Its fields, as Arrow takes them."""
        return {
            each.name: None
            if (one := value[each.name]) is None
            else read_at(each.type.stored, one, each.name)
            for each in self.members
        }

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if not pa.types.is_struct(column.type):
            return None
        names = [column.type.field(i).name for i in range(column.type.num_fields)]
        parts = []
        for member in self.members:
            chosen = next((name for name in member.names if name in names), None)
            if chosen is None or names.count(chosen) > 1:
                return None
            if pa.types.is_union(column.type.field(chosen).type):
                return None  # Arrow aborts where it gives a union the nulls of its records
            part = pc.struct_field(column, [names.index(chosen)])
            made = member.type.cast(part, nullable=member.nullable, text=False)
            if made is None:
                return None
            if (
                made.null_count
                and not member.nullable
                and pc.any(pc.and_(made.is_null(), column.is_valid())).as_py()
            ):
                return None
            parts.append(made)
        return self.joined(column, parts)

    def shaped(self, kinds: Sequence[pa.DataType]) -> pa.DataType:
        """A struct."""
        return pa.struct([(each.name, kind) for each, kind in zip(self.members, kinds, strict=True)])

    def split(self, column: pa.Array) -> list[pa.Array]:
        """Its fields' columns; null in a null record."""
        return [pc.struct_field(column, [i]) for i in range(len(self.members))]

    def joined(self, column: pa.Array, parts: list[pa.Array]) -> pa.Array:
        """Structs of other fields."""
        fields = list(self.shaped([part.type for part in parts]))
        return pa.StructArray.from_arrays(parts, fields=fields, mask=column.is_null())

    def parents(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """The record itself."""
        return np.where(column.is_valid().to_numpy(zero_copy_only=False), np.arange(len(column)), -1)

    def assembled(self, column: pa.Array, parts: list[list[Any]]) -> list[Any]:
        """Dicts."""
        names = [each.name for each in self.members]
        rows = zip(column.is_valid().to_pylist(), zip(*parts, strict=True), strict=True)
        return [dict(zip(names, row, strict=True)) if there else None for there, row in rows]

    def json_schema(self) -> dict[str, Any]:
        """An object; other fields are ignored."""
        properties = {}
        for each in self.members:
            schema = each.type.json_schema()
            properties[each.names[0]] = nullable_schema(schema) if each.nullable else schema
        required = [each.names[0] for each in self.members if not each.optional]
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> dict[str, Any]:
        """Of valid fields."""
        return {each.name: each.type.sample(chance) for each in self.members}
