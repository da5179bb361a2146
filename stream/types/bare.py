"""A value that Python has no class for: a date beyond its calendar, an instant to the nanosecond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.types.avro_type import AvroType

__all__ = ["Bare"]


@dataclass(frozen=True, slots=True)
class Bare:
    """
    A bare number of Avro, and what it means.

    Attributes:
        value: in the type's unit.
        kind: the type.
    """

    value: int
    kind: AvroType

    def __str__(self) -> str:
        return str(self.value)
