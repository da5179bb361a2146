"""
How what strangers say is shown to people: escaped, on one line, shortened.

A manifest, a record's key, a header, a file's name, a registry's answer or an exception's text may hold an escape
sequence that a terminal obeys, a line break that forges the next line of a log, or a mark that turns text around. Data
that is handed on stays exact; what a person reads passes through here, at few places: messages of errors when they
are made (`stream.errors`), log lines (`stream.app.logs`), and whatever a command prints (`stream.cli.terminal`).
"""

from __future__ import annotations

import html
import re
import traceback
from itertools import chain
from typing import Final

__all__ = ["LINE_CHARS", "VALUE_CHARS", "class_name", "html_shown", "json_shown", "shown", "shown_traceback"]

LINE_CHARS: Final = 4_000
"""Longest line of a message or a log; a list of a thousand names fits."""

VALUE_CHARS: Final = 200
"""Longest value in a table's cell or in a row on a terminal."""

_C0 = "\x00-\x1f"

_UNSEEN = (
    "\x7f-\x9f"  # DEL and C1, which a terminal obeys in UTF-8 too
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff"  # halves of a pair: not to be encoded
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the bidirectional algorithm's marks
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""
Characters that are not seen, or move others.

Source: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), its categories Cc, Cs, Zl and Zp, and the
blank of braille.
"""

_TO_ESCAPE = re.compile(f"[{_C0}{_UNSEEN}]")
_TO_ESCAPE_IN_JSON = re.compile(f"[{_UNSEEN}]")

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_OWN_PIECE = re.compile(r"[ |]*  File \"|[ |+]*(Exception Group )?Traceback \(|\n")
"""How pieces of a traceback begin that hold no exception's text; each of their lines is one of ours."""


def shown(value: object, most: int = LINE_CHARS) -> str:
    """
    Show a value as one line of visible characters.

    Args:
        value: anything; its text is what `str` says.
        most: characters at most, 100 or more.
    Returns: its text. Control characters, line breaks, marks of direction and characters without a shape are
        spelled as Python spells them (`\\x1b`, `\\n`, `\\u202e`); what is too long ends with how much was left out.
        Shown again, it stays as it is.
    """
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        # Many times the limit is enough to fill it, and a text of a gigabyte isn't searched.
        text = _TO_ESCAPE.sub(_escaped, text[: 2 * most]) + text[2 * most :]
    if len(text) <= most:
        return text
    kept = most - len(_cut(len(text)))
    kept = most - len(_cut(len(text) - kept))  # the number has fewer digits now, perhaps
    return text[:kept] + _cut(len(text) - kept)


def _cut(letters: int) -> str:
    return f"… ({letters:,} more characters)"


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def html_shown(value: object) -> str:
    """A value as text of an HTML page, in an element or between quotation marks."""
    return html.escape(shown(value))


def json_shown(text: str) -> str:
    """
    The same JSON, safe to be looked at.

    Args:
        text: JSON; it holds no control character below U+0020 but line breaks between its parts.
    Returns: the same values: what is not seen is spelled `\\u…`, as JSON allows within texts, the only place
        where it can be.
    """
    return text if text.isascii() and "\x7f" not in text else _TO_ESCAPE_IN_JSON.sub(_escaped_in_json, text)


def _escaped_in_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def shown_traceback(error: BaseException) -> list[str]:
    """
    A traceback, line by line.

    Args:
        error: with its causes.
    Returns: lines; the text of an exception is on one line, whatever it holds.
    """
    pieces = traceback.TracebackException.from_exception(error).format()
    return [shown(line) for line in chain.from_iterable(map(_lines, pieces)) if line]


def _lines(piece: str) -> list[str]:
    return piece.split("\n") if _OWN_PIECE.match(piece) else [piece.rstrip("\n")]


def class_name(kind: type[BaseException]) -> str:
    """An exception's class as a traceback writes it: its full name, without a module for Python's built-in ones."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
