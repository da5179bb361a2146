"""A value that doesn't fit the field it is meant for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from stream.errors import RecordError, class_name
from stream.records import DeadLetter
from stream.types.spellings import spelling

__all__ = ["Misfit", "Misfits", "dead_letter_of", "mismatch", "shown"]

_SHOWN = 10
"""Fields that a dead letter's message names; a row that lacks a hundred lacks the table's whole shape."""


class Misfit(Exception):
    """
    A value doesn't fit its field.

    Attributes:
        message: what was expected and what was found.
        field: the field, as the row calls it; dotted within nested records; empty for the row as a whole.
        reason: `wrong_type`, `missing_field`, `value_out_of_range` or `vector_length` (stream/reasons.py).
        more: further fields of the same row that don't fit.
    """

    def __init__(
        self, message: str, field: str = "", *, reason: str = "wrong_type", more: tuple[Misfit, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.reason = reason
        self.more = more

    @classmethod
    def of(cls, several: Sequence[Misfit]) -> Misfit:
        """One that holds several (at least one)."""
        first = several[0]
        return cls(first.message, first.field, reason=first.reason, more=tuple(several[1:]))

    @property
    def each(self) -> tuple[Misfit, ...]:
        """
        This one and the further ones, in the schema's order: as values to be kept, without the traceback
        that would keep the row's frames alive.
        """
        return tuple(Misfit(one.message, one.field, reason=one.reason) for one in (self, *self.more))

    def within(self, name: str) -> Misfit:
        """The same, seen from a record, an array or a map around it, in which it is at `name`, `[3]` or `["key"]`."""
        field = f"{name}{'' if self.field.startswith('[') else '.'}{self.field}" if self.field else name
        return Misfit(self.message, field, reason=self.reason, more=tuple(m.within(name) for m in self.more))


Misfits: TypeAlias = dict[int, tuple[Misfit, ...]]
"""By row, every field that doesn't fit, in the schema's order."""


def dead_letter_of(misfits: Sequence[Misfit]) -> DeadLetter:
    """
    The dead letter of a row with fields that don't fit.

    Args:
        misfits: at least one; the first gives the reason and the field.
    Returns: a dead letter of stage `contract` whose message names the fields.
    """
    shown = "; ".join(f"field {misfit.field!r}: {misfit.message}" for misfit in misfits[:_SHOWN])
    more = f"; and {len(misfits) - _SHOWN} more" if len(misfits) > _SHOWN else ""
    first = misfits[0]
    return DeadLetter(
        "contract", first.reason, class_name(RecordError), f"{shown}{more}", first.field or None
    )


def mismatch(expected: str, value: Any) -> Misfit:
    """What is said of a value of another type."""
    what = spelling(value) if isinstance(value, str) else None
    return Misfit(f"expected {expected}, found {shown(value)}{f', {what}' if what else ''}")


def shown(value: Any) -> str:
    """A value for a message: a text in quotes, all else as JSON writes it, at most 60 characters."""
    if isinstance(value, str):
        return repr(value[:60])
    try:
        return json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)[:60]
    # More digits than Python writes; an instant of pandas' beyond Python's calendar.
    except (ValueError, NotImplementedError):
        return f"a {type(value).__name__} that is too large to be written out"
