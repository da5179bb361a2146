"""What types with types in them have in common: each conversion is that of the parts, put together again."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.types.avro_type import AvroType, Refused
from stream.types.cells import Read
from stream.types.json_parsing import parse_json
from stream.types.misfit import Misfit, mismatch
from stream.types.type_facts import TypeFacts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Nested", "key_place", "nullable_schema", "parsed_cell", "read_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested(AvroType):
    """An array, a map, a record or a union."""

    csv_as_text = True
    stored_as_is = False

    # What each of them says of itself.

    @property
    @abstractmethod
    def parts(self) -> tuple[AvroType, ...]:
        """The types in it."""

    @property
    @abstractmethod
    def parts_nullable(self) -> tuple[bool, ...]:
        """For each part, whether its values may be null."""

    @abstractmethod
    def shaped(self, kinds: Sequence[pa.DataType]) -> pa.DataType:
        """The Arrow type with parts of these types."""

    @abstractmethod
    def split(self, column: pa.Array) -> list[pa.Array]:
        """The columns of the parts; what stands in a null one has no meaning."""

    @abstractmethod
    def joined(self, column: pa.Array, parts: list[pa.Array]) -> pa.Array:
        """A column with the lengths and gaps of another one, and parts as long as `split` gives them."""

    @abstractmethod
    def parents(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """For each place of the parts the row that it is in; -1 in a null one."""

    @abstractmethod
    def assembled(self, column: pa.Array, parts: list[list[Any]]) -> list[Any]:
        """Python's lists and dicts, of the parts' values; None for a null one."""

    # What follows from it.

    @property
    def column(self) -> bool:  # type: ignore[override]
        """Whether each part can be one."""
        return all(part.column for part in self.parts)

    @property
    def checked(self) -> bool:  # type: ignore[override]
        """Whether any part is."""
        return any(part.checked for part in self.parts)

    def outside(self, bare: pa.Array) -> list[int]:
        """Where a part is refused."""
        rows: set[int] = set()
        for part, inner in zip(self.parts, self.split(bare), strict=True):
            if part.checked and (wrong := part.outside(inner)):
                rows.update(self.parents(bare)[wrong].tolist())
        return sorted(rows - {-1})

    def outside_column(self, column: pa.Array) -> list[int]:
        """Where a part's is."""
        rows: set[int] = set()
        for part, inner in zip(self.parts, self.split(column), strict=True) if self.checked else ():
            if wrong := part.outside_column(inner):
                rows.update(self.parents(column)[wrong].tolist())
        return sorted(rows - {-1})

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """Its parts likewise."""
        if bare.type == self.arrow:
            return bare
        parts = zip(self.parts, self.split(bare), strict=True)
        return self.joined(bare, [part.from_storage(column) for part, column in parts])

    def to_storage(self, column: pa.Array) -> pa.Array:
        """Its parts likewise."""
        if column.type == self.storage:
            return column
        parts = zip(self.parts, self.split(column), strict=True)
        return self.joined(column, [part.to_storage(inner) for part, inner in parts])

    def refused(self, column: pa.Array) -> list[Refused]:
        """Nulls where none may be, and what the parts refuse."""
        found: list[Refused] = []
        for part, nullable, inner in zip(self.parts, self.parts_nullable, self.split(column), strict=True):
            wrong = part.refused(inner)
            if inner.null_count and not nullable:
                nulls = pa.array(inner.is_null().to_numpy(zero_copy_only=False).nonzero()[0])
                wrong = [*wrong, Refused(nulls, f"{self._part} is null", "null_value")]
            for rows, message, reason in wrong:
                inside = self.parents(column)[rows.to_numpy()]
                if len(inside := np.unique(inside[inside >= 0])):
                    found.append(Refused(pa.array(inside), message, reason))
        return found

    @property
    def _part(self) -> str:
        """What a message calls a part."""
        return "an item"

    @property
    def file_arrow(self) -> pa.DataType:
        """Of its parts' types there."""
        return self.shaped([part.file_arrow for part in self.parts])

    @property
    def duckdb_arrow(self) -> pa.DataType:
        """Of its parts' types there."""
        return self.shaped([part.duckdb_arrow for part in self.parts])

    @property
    def spark_arrow(self) -> pa.DataType:
        """Of its parts' types there."""
        return self.shaped([part.spark_arrow for part in self.parts])

    def engine_column(self, column: pa.Array, arrow_of: Callable[[TypeFacts], pa.DataType]) -> pa.Array:
        """Its parts likewise."""
        parts = zip(self.parts, self.split(column), strict=True)
        return self.joined(column, [part.engine_column(inner, arrow_of) for part, inner in parts])

    def csv_column(self, column: pa.Array) -> pa.Array:
        """JSON texts."""
        found = self.json_values(column)
        return pa.array(
            [None if one is None else json.dumps(one, ensure_ascii=False, allow_nan=False) for one in found],
            pa.string(),
        )

    def json_values(self, column: pa.Array) -> list[Any]:
        """Of its parts' JSON values."""
        parts = zip(self.parts, self.split(column), strict=True)
        return self.assembled(column, [part.json_values(inner) for part, inner in parts])

    def python_values(self, column: pa.Array) -> list[Any]:
        """Of its parts' values: a dict for a map and for a union."""
        parts = zip(self.parts, self.split(column), strict=True)
        return self.assembled(column, [part.python_values(inner) for part, inner in parts])

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """Arrow's own lists of plain values; Python's lists and dicts for all else."""
        import pandas as pd

        if not any(isinstance(part, Nested) for part in self.parts) and pa.types.is_list(column.type):
            plain: pd.Series = column.to_pandas()
            return plain
        return pd.Series(self.python_values(column), dtype=object)


def parsed_cell(value: Any, expected: str, *, text: bool) -> Any:
    """
    Args:
        value: foreign.
        expected: what it should be, for the message.
        text: whether a text stands for it, as in a csv: JSON.
    Returns: what the text says; any other value as it is.
    Raises: Misfit for a text that is not JSON.
    """
    if not text or not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except (ValueError, RecursionError):
        raise mismatch(expected, value) from None


def read_at(each: Read, value: Any, place: str) -> Any:
    """
    Read a part.

    Args:
        each: reads it.
        value: foreign.
        place: where it is: `[3]`, `["key"]`, or a record's field.
    Raises: Misfit that names the place.
    """
    try:
        return each(value)
    except Misfit as misfit:
        raise misfit.within(place) from misfit


def key_place(key: str) -> str:
    """How a message names an entry of a map, or a union's branch: `["key"]`."""
    return f"[{json.dumps(key, ensure_ascii=False)}]"


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
