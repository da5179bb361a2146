"""Bytes, of any length or a fixed one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stream.types.avro_type import AvroType, Refused
from stream.types.cells import Read
from stream.types.misfit import mismatch

__all__ = ["Binary", "Duration"]

_CODE_POINTS = 256
"""JSON has no bytes: Avro writes them as text, a character per byte (specification, "JSON Encoding")."""

_SAMPLE_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(AvroType):
    """
    bytes and fixed.

    Attributes:
        size_bytes: the length of each value; None for any length.
    """

    size_bytes: int | None = None

    python: ClassVar[type] = bytes
    python_types = (bytes,)
    csv_as_text = True
    has_missing = False
    text_form = "a character per byte, as in Avro's JSON"

    @property
    def limits(self) -> str:  # type: ignore[override]
        """What is refused, by its length."""
        text = "a text with characters beyond 255"
        if self.size_bytes is None:
            return f"{text} (`wrong_type`)"
        return f"{text}, another length (`wrong_type`; on the way out `bad_length`)"

    def read(self, value: Any, *, text: bool) -> bytes:
        """Bytes, or the text that stands for them."""
        content = value if isinstance(value, bytes) else None
        if isinstance(value, str) and _is_bytes(value):
            content = value.encode("latin-1")
        if content is None or len(content) != (len(content) if self.size_bytes is None else self.size_bytes):
            raise mismatch(self.kind if self.size_bytes is None else f"{self.size_bytes} bytes", value)
        return content

    def reader(self, *, nullable: bool, text: bool) -> Read:
        """An empty cell is no bytes where it can't be null."""
        read = AvroType.reader(self, nullable=nullable, text=text)
        if nullable or not text or self.size_bytes:
            return read
        return lambda value: b"" if value is None else read(value)

    def is_default(self, value: object) -> bool:
        """A text that stands for bytes."""
        return isinstance(value, str) and _is_bytes(value) and self.size_bytes in (None, len(value))

    def default(self, value: object) -> object:
        """The bytes that the text stands for."""
        return value.encode("latin-1") if isinstance(value, str) else value

    def infers(self, kind: pa.DataType) -> bool:
        """Arrow's binary types, fixed-size ones included."""
        return kind in (pa.binary(), pa.large_binary(), pa.binary_view()) or pa.types.is_fixed_size_binary(
            kind
        )

    def refused(self, column: pa.Array) -> list[Refused]:
        """Bytes of another length."""
        if self.size_bytes is None:
            return []
        other = pc.not_equal(pc.binary_length(column), self.size_bytes).fill_null(False)
        return [Refused(pc.indices_nonzero(other), f"not {self.size_bytes} bytes long", reason="bad_length")]

    def csv_column(self, column: pa.Array) -> pa.Array:
        """A character per byte."""
        return pa.array(self.json_values(column), pa.string())

    def json_values(self, column: pa.Array) -> list[Any]:
        """A character per byte."""
        return [None if value is None else value.decode("latin-1") for value in column.to_pylist()]

    def json_schema(self) -> dict[str, Any]:
        """A text, described."""
        return {"type": "string", "description": "A character per byte, as in Avro's JSON."}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> bytes:
        """Any bytes."""
        return chance.randbytes(_SAMPLE_BYTES if self.size_bytes is None else self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Binary):
    """duration: months, days and milliseconds, which no column, file or query language has together."""

    column: ClassVar[bool] = False
    limits = "everywhere but in a field that nobody needs"

    def infers(self, kind: pa.DataType) -> bool:
        """Bytes are not taken for it."""
        return False


def _is_bytes(value: str) -> bool:
    return all(ord(letter) < _CODE_POINTS for letter in value)
