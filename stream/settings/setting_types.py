"""What a setting's value may be, beside texts, numbers and paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NewType, TypeAlias

__all__ = ["Bytes", "Framing", "Properties", "Range", "Seconds", "Secret", "Secrets", "Side"]

Seconds = NewType("Seconds", float)
"""A length of time; written `"500ms"`, `"10s"`, `"2m"`, `"1h"` or a number of seconds."""

Bytes = NewType("Bytes", int)
"""A size; written `"64KiB"`, `"16MiB"`, `"1GiB"` or a number of bytes."""

Framing: TypeAlias = Literal["confluent", "single-object", "bare"]
"""How a value names its schema: docs/wire-format.md."""

Side: TypeAlias = Literal["input", "output"]
"""Which of a configuration's topics: features or predictions."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, inclusive; None = unbounded."""

    low: float | None = None
    high: float | None = None


class Secret(str):
    """A value that is never printed: it shows itself as asterisks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"

    def reveal(self) -> str:
        """The value itself, for the client that needs it."""
        return str.__str__(self)


Properties: TypeAlias = Mapping[str, str | int | float | bool | Secret]
"""librdkafka properties by their own names."""

Secrets: TypeAlias = Mapping[str, Secret]
"""Names, and values that are secrets, whatever the names say."""
