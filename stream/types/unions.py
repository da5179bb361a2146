"""
Unions of several types.

A value says which of the types it is of, everywhere as Avro's own JSON encoding does: an object with one member, named
by the type: `{"int": 5}`. A number or a text alone would not say it: 5 may be an int, a long or a date. In Arrow it
is a struct with a field per type, of which one is not null.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types import cells
from stream.types.avro_type import AvroType, Refused
from stream.types.cells import Read
from stream.types.json_parsing import parse_json
from stream.types.misfit import Misfit, shown
from stream.types.nested_type import Nested, key_place, read_at

__all__ = ["Choice", "read_branch"]


def read_branch(
    value: Any, tagged: Sequence[tuple[str, Read]], plain: Sequence[Read], *, text: bool
) -> dict[str, Any]:
    """
    Read a value of a union.

    Args:
        value: foreign: an object with one member that is named by a branch (members that are null aside, where a
            struct has one for each), or a value that one branch alone takes. A date is not of an instant's branch
            where there is a date's, nor an instant of a date's.
        tagged: by branch, what reads a value that is said to be of it.
        plain: for each branch, what reads a value that may be of it.
        text: whether a text stands for it, as in a csv: JSON, or a plain value.
    Returns: the branch's name, and the value.
    Raises: Misfit that names the branches where none, or more than one, takes it.
    """
    given = _object(value) if text else value
    if isinstance(given, dict) and given and all(name in dict(tagged) for name in given):
        present = [name for name, one in given.items() if one is not None]
        if len(present) == 1:
            name = present[0]
            return {name: read_at(dict(tagged)[name], given[name], key_place(name))}
        if text:  # an object of this form is never a text, as in JSON
            return read_branch(given, tagged, [read for _, read in tagged], text=False)
    found: dict[str, Any] = {}
    for (name, _), read in zip(tagged, plain, strict=True):
        try:
            found[name] = read(value)
        except Misfit:
            continue
    own = _own(value, found)
    if len(own) != 1:
        raise _unclear(value, list(own), [name for name, _ in tagged])
    return own


def _own(value: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Without the instants that were made of a date, and the dates that were made of an instant."""
    days = {name for name, one in found.items() if type(one) is dt.date}
    if not days:
        return found
    if type(value) is dt.date or (isinstance(value, str) and cells.date(value) is not None):
        instant = (dt.datetime, int)  # a number of nanoseconds
        made = {name for name, one in found.items() if isinstance(one, instant)}
    else:
        made = days
    return {name: one for name, one in found.items() if name not in made}


def _object(value: Any) -> Any:
    """What a cell says, where it is a JSON object."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return parse_json(value)
    except (ValueError, RecursionError):
        return value


def _unclear(value: Any, taking: Sequence[str], branches: Sequence[str]) -> Misfit:
    which = " or ".join(taking or branches)
    why = f"which may be {which}" if taking else "which is none of them"
    said = " or ".join(f'{{"{name}": …}}' for name in taking or branches)
    return Misfit(f"expected one of {', '.join(branches)}, found {shown(value)}, {why}: write it as {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Nested):
    """
    A union of several types.

    Attributes:
        branches: each type with the name that Avro's JSON encoding has for it; null is not among them.
    """

    branches: tuple[tuple[str, AvroType], ...]

    python: ClassVar[type] = dict
    python_types = (dict,)
    text_form = '`{"int": 5}`: an object that names the type, in a csv too'
    limits = "what none of the types takes, or more than one where it is not named (`wrong_type`)"

    @property
    def parts(self) -> tuple[AvroType, ...]:
        """Its types."""
        return tuple(kind for _, kind in self.branches)

    @property
    def parts_nullable(self) -> tuple[bool, ...]:
        """All but one are null."""
        return (True,) * len(self.branches)

    @property
    def names(self) -> tuple[str, ...]:
        """The types' names."""
        return tuple(name for name, _ in self.branches)

    @property
    def full_name(self) -> str:
        """`union<int, string>`."""
        return f"union<{', '.join(kind.full_name for kind in self.parts)}>"

    @property
    def has_missing(self) -> bool:  # type: ignore[override]
        """Not where one of them is a text."""
        return all(kind.has_missing for kind in self.parts)

    @property
    def has_nan(self) -> bool:  # type: ignore[override]
        """Where one of them has it."""
        return any(kind.has_nan for kind in self.parts)

    def read(self, value: Any, *, text: bool) -> dict[str, Any]:
        """The type's name, and the value."""
        found: dict[str, Any] = self._reading(text)(value)
        return found

    def _reading(self, text: bool) -> Read:
        tagged = [(name, kind.reader(nullable=False, text=False)) for name, kind in self.branches]
        plain = [kind.reader(nullable=False, text=text) for kind in self.parts]
        return lambda value: read_branch(value, tagged, plain, text=text)

    def python_value(self, bare: Any) -> Any:
        """The value likewise."""
        return self._as("python_value", bare)

    def is_default(self, value: object) -> bool:
        """A default of one of them, without its name."""
        return any(kind.is_default(value) for kind in self.parts)

    def default(self, value: object) -> object:
        """The first that it can be a default of, and the value as a decoder gives it."""
        name, kind = next((name, kind) for name, kind in self.branches if kind.is_default(value))
        return {name: kind.default(value)}

    def stored(self, value: Any) -> dict[str, Any]:
        """The value, as Arrow takes it."""
        return self._as("stored", value)

    def _as(self, method: str, value: dict[str, Any]) -> dict[str, Any]:
        ((name, one),) = value.items()
        return {name: read_at(getattr(dict(self.branches)[name], method), one, key_place(name))}

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        if not pa.types.is_struct(column.type):
            return None
        names = [column.type.field(i).name for i in range(column.type.num_fields)]
        if len(set(names)) != len(names) or not names or not set(names) <= set(self.names):
            return None
        if any(pa.types.is_union(column.type.field(name).type) for name in names):
            return None  # Arrow aborts where it gives a union the nulls of its structs
        parts = []
        for name, kind in self.branches:
            part = pc.struct_field(column, [names.index(name)]) if name in names else pa.nulls(len(column))
            if (made := kind.cast(part, nullable=True, text=False)) is None:
                return None
            parts.append(made)
        return None if self._unsaid(column, parts) else self.joined(column, parts)

    def _unsaid(self, column: pa.Array, parts: Sequence[pa.Array]) -> list[int]:
        """Rows that are not null, and have none or several of the types."""
        count = np.sum([part.is_valid().to_numpy(zero_copy_only=False) for part in parts], axis=0)
        wrong: list[int] = np.flatnonzero(
            column.is_valid().to_numpy(zero_copy_only=False) & (count != 1)
        ).tolist()
        return wrong

    def refused(self, column: pa.Array) -> list[Refused]:
        """What says no type, or several; and what the type refuses."""
        found = Nested.refused(self, column)
        if wrong := self._unsaid(column, self.split(column)):
            found.append(Refused(pa.array(wrong), "not a value of one of the types", "wrong_type"))
        return found

    def shaped(self, kinds: Sequence[pa.DataType]) -> pa.DataType:
        """A struct with a field per type."""
        return pa.struct(list(zip(self.names, kinds, strict=True)))

    def split(self, column: pa.Array) -> list[pa.Array]:
        """A column per type; all but one null."""
        return [pc.struct_field(column, [i]) for i in range(len(self.branches))]

    def joined(self, column: pa.Array, parts: list[pa.Array]) -> pa.Array:
        """Structs of other columns."""
        fields = list(self.shaped([part.type for part in parts]))
        return pa.StructArray.from_arrays(parts, fields=fields, mask=column.is_null())

    def parents(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """The union itself."""
        return np.where(column.is_valid().to_numpy(zero_copy_only=False), np.arange(len(column)), -1)

    def assembled(self, column: pa.Array, parts: list[list[Any]]) -> list[Any]:
        """Dicts with one member."""
        found: list[Any] = [None] * len(column)
        for name, kind, values in zip(self.names, self.split(column), parts, strict=True):
            for i in kind.is_valid().to_numpy(zero_copy_only=False).nonzero()[0].tolist():
                found[i] = {name: values[i]}
        return found

    def json_schema(self) -> dict[str, Any]:
        """An object that names the type, or a value of one of them."""
        named = [
            {"type": "object", "properties": {name: kind.json_schema()}, "required": [name]}
            for name, kind in self.branches
        ]
        about = "An object with one member, named by the type; or a value that is of one of the types only."
        return {"anyOf": [*named, *(kind.json_schema() for kind in self.parts)], "description": about}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> dict[str, Any]:
        """Of one of them."""
        name, kind = chance.choice(self.branches)
        return {name: kind.sample(chance)}
