"""Strings, uuids and enums."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from stream.types.avro_type import AvroType, Refused
from stream.types.misfit import mismatch

__all__ = ["Enumeration", "String", "Uuid"]

_UUID_BYTES = 16
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}\Z")
_CANONICAL = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_WORDS = ("a", "b", "c", "A", "B", "C", "x", "y", "north", "south", "unknown", "")


@lru_cache
def _array(symbols: tuple[str, ...]) -> pa.Array:
    """Cached, so that it is not made again for every batch."""
    return pa.array(symbols, pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class String(AvroType):
    """string."""

    python: ClassVar[type] = str
    python_types: ClassVar[tuple[type, ...]] = (str,)
    has_missing = False
    text_form = "itself"
    limits = "what is not a text (`wrong_type`)"

    def read(self, value: Any, *, text: bool) -> str:
        """A text; a number is refused."""
        if not isinstance(value, str):
            raise mismatch("string", value)
        return value

    def is_default(self, value: object) -> bool:
        """A text."""
        return isinstance(value, str)

    def infers(self, kind: pa.DataType) -> bool:
        """Any of Arrow's string types."""
        return kind in (pa.string(), pa.large_string(), pa.string_view())

    def _cast_plain(self, texts: pa.Array) -> pa.Array:
        return texts

    def json_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string"}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> str:
        """One of `texts`, or a plain word."""
        return chance.choice(texts or _WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uuid(String):
    """
    uuid: on a string the text as it was written, on a fixed its 16 bytes.

    Attributes:
        size_bytes: 16 on a fixed; None on a string.
    """

    size_bytes: int | None = None

    python_types = (str, UUID)
    stored_as_is = False

    @property
    def python(self) -> type:  # type: ignore[override]
        """bytes on a fixed."""
        return str if self.size_bytes is None else bytes

    @property
    def text_form(self) -> str:  # type: ignore[override]
        """The canonical form has 8-4-4-4-12 digits in lower case."""
        canonical = "`12345678-1234-5678-1234-567812345678`"
        return "the text as it was written" if self.size_bytes is None else canonical

    @property
    def limits(self) -> str:  # type: ignore[override]
        """On a fixed only a uuid can be held."""
        return (
            "what is not a text (`wrong_type`)"
            if self.size_bytes is None
            else "what is not a uuid (`wrong_type`)"
        )

    def read(self, value: Any, *, text: bool) -> Any:
        """A text, a UUID, or its 16 bytes, most significant first."""
        found = value
        if isinstance(value, UUID):
            found = str(value)
        elif isinstance(value, bytes) and len(value) == _UUID_BYTES:
            found = str(UUID(bytes=value))
        if not isinstance(found, str) or (self.size_bytes is not None and not _UUID.match(found)):
            raise mismatch("uuid", value)
        return found if self.size_bytes is None else UUID(found).bytes

    def python_value(self, bare: Any) -> Any:
        """The text; on a fixed a UUID."""
        return UUID(bytes=bare) if isinstance(bare, bytes) else bare

    def stored(self, value: Any) -> str:
        """The text: readers of Avro files give a UUID or bytes."""
        return str(UUID(bytes=value) if isinstance(value, bytes) else value)

    def is_default(self, value: object) -> bool:
        """A text; on a fixed one with a character per byte."""
        if self.size_bytes is None:
            return isinstance(value, str)
        return isinstance(value, str) and len(value) == _UUID_BYTES and all(ord(one) < 256 for one in value)

    def default(self, value: object) -> object:
        """The bytes that the text stands for, on a fixed."""
        return value.encode("latin-1") if isinstance(value, str) and self.size_bytes is not None else value

    def infers(self, kind: pa.DataType) -> bool:
        """Arrow's uuid."""
        return self.size_bytes is None and kind == pa.uuid()

    def _cast_plain(self, texts: pa.Array) -> pa.Array | None:
        if self.size_bytes is None:
            return texts
        known = pc.match_substring_regex(texts, _CANONICAL)
        return texts if pc.all(known).as_py() in (True, None) else None

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """The texts."""
        if self.size_bytes is None or bare.type == self.arrow:
            return bare
        return pa.array(
            [None if one is None else str(UUID(bytes=one)) for one in bare.to_pylist()], self.arrow
        )

    def to_storage(self, column: pa.Array) -> pa.Array:
        """The bytes, on a fixed."""
        if self.size_bytes is None or column.type == self.storage:
            return column
        return pa.array(
            [None if one is None else UUID(one).bytes for one in column.to_pylist()], self.storage
        )

    def json_schema(self) -> dict[str, Any]:
        """A text; on a fixed a uuid."""
        return {"type": "string"} if self.size_bytes is None else {"type": "string", "format": "uuid"}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> Any:
        """Of version 4."""
        return self.read(UUID(int=chance.getrandbits(128), version=4), text=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration(AvroType):
    """An enum; without symbols, any enum (a manifest does not keep them)."""

    symbols: tuple[str, ...] = ()

    python: ClassVar[type] = str
    python_types = (str,)
    has_missing = False
    text_form = "its symbol"
    limits = "any other text (`wrong_type`; on the way out `unknown_symbol`)"

    def read(self, value: Any, *, text: bool) -> str:
        """One of the symbols."""
        if value not in self.symbols:
            raise mismatch(f"one of {', '.join(self.symbols[:10])}", value)
        return str(value)

    def is_default(self, value: object) -> bool:
        """One of the symbols."""
        return value in self.symbols

    def _cast_plain(self, texts: pa.Array) -> pa.Array | None:
        known = pc.is_in(texts, _array(self.symbols))
        return texts if pc.sum(pc.invert(known)).as_py() in (texts.null_count, None) else None

    def refused(self, column: pa.Array) -> list[Refused]:
        """Texts that are not symbols."""
        known = pc.or_(pc.is_in(column, _array(self.symbols)), column.is_null())
        return [
            Refused(
                pc.indices_nonzero(pc.invert(known)), "none of the enum's symbols", reason="unknown_symbol"
            )
        ]

    def json_schema(self) -> dict[str, Any]:
        """The symbols."""
        return {"enum": list(self.symbols)}

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> str:
        """Any symbol."""
        return chance.choice(self.symbols)
