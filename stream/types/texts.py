"""Strings, uuids and enums."""

from __future__ import annotations

import random
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

_WORDS = ("a", "b", "c", "A", "B", "C", "x", "y", "north", "south", "unknown", "")


@lru_cache
def _array(symbols: tuple[str, ...]) -> pa.Array:
    """Cached, so that it is not made again for every batch."""
    return pa.array(symbols, pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class String(AvroType):
    """string."""

    python: ClassVar[type] = str
    python_types = (str, UUID)
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
    """uuid on a string: the text as it was written."""

    stored_as_is = False
    text_form = "the text as it was written"

    def stored(self, value: Any) -> str:
        """The text: readers of Avro files turn it into a UUID object."""
        return str(value) if isinstance(value, UUID) else value

    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> str:
        """Of version 4."""
        return str(UUID(int=chance.getrandbits(128), version=4))


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
