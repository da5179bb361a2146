"""Dead letters: listed, looked at, counted, and sent back to the input topic once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.redrive.header_dialects import StoredLetter, read_letter
    from stream.redrive.letter_counts import LetterCounts, count_letters
    from stream.redrive.letter_filter import LetterFilter
    from stream.redrive.letter_reading import LetterScan, find_letter, opened_scan
    from stream.redrive.letter_view import FieldView, LetterView, view_letter
    from stream.redrive.repair_file import read_repairs
    from stream.redrive.replay import Replay, Wish, opened_replay
    from stream.redrive.selection import LEFT_OUT

__all__ = [
    "LEFT_OUT",
    "FieldView",
    "LetterCounts",
    "LetterFilter",
    "LetterScan",
    "LetterView",
    "Replay",
    "StoredLetter",
    "Wish",
    "count_letters",
    "find_letter",
    "opened_replay",
    "opened_scan",
    "read_letter",
    "read_repairs",
    "view_letter",
]

__getattr__ = lazy_face(__name__)
