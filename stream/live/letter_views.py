"""Dead letters as the page opens them: byte by byte, as text, and decoded as far as that was possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.live.seen import SHOWN_BYTES, SeenLetter
from stream.live.shown_values import key_shown, short_fields
from stream.shown import shown

__all__ = ["Examination", "letter_view"]

UNPRINTABLE = "·"


@dataclass(frozen=True, slots=True)
class Examination:
    """
    What was found in a letter's value.

    Attributes:
        fields: that could be read, as JSON has them.
        byte: at which the value fails, counted from its first; None where it is no single one.
    """

    fields: Mapping[str, object]
    byte: int | None = None


def letter_view(letter: SeenLetter, examined: Examination | None) -> dict[str, object]:
    """
    Args:
        letter: as it was kept.
        examined: its value; None = not looked at, or not readable.
    Returns: an item of the snapshot's `dead_letters.recent`.
    """
    part = None if letter.value is None else letter.value[:SHOWN_BYTES]
    return {
        "place": letter.place,
        "at_ms": letter.at_ms,
        "stage": letter.stage,
        "reason": letter.reason,
        "message": None if letter.message is None else shown(letter.message),
        "key": key_shown(letter.key),
        "bytes": letter.size,
        "hex": None if part is None else part.hex(" "),
        "text": None if part is None else _text(part),
        "failed_at": None if examined is None else examined.byte,
        "field": None if letter.field is None else shown(letter.field),
        "decoded": short_fields(examined.fields) if examined is not None and examined.fields else None,
    }


def _text(part: bytes) -> str:
    """A character for each byte."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else UNPRINTABLE for byte in part)
