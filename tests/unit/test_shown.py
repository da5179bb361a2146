"""What strangers say is shown as one line of visible characters."""

from __future__ import annotations

import json
import unicodedata

import pytest

from stream.errors import PackageError, StreamError
from stream.shown import LINE_CHARS, json_shown, shown, shown_traceback

VISIBLE_FORMATS = {
    "\u0600",
    "\u0601",
    "\u0602",
    "\u0603",
    "\u0604",
    "\u0605",
    "\u06dd",
    "\u070f",
    "\u0890",
    "\u0891",
}
"""Of category Cf, but with a shape: Arabic's and Syriac's signs of numbers; more such are above U+08E1."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Größe 日本 € 👍", "Größe 日本 € 👍"),
        ("a\\x1b", "a\\x1b"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\x7f\x85\x9b31m", "\\x7f\\x85\\x9b31m"),
        ("a\u2028b\u202ec\u200bd\u2066", "a\\u2028b\\u202ec\\u200bd\\u2066"),
        ("\ufeff\U000e0041\ufe0f", "\\ufeff\\U000e0041\\ufe0f"),
        ("half \ud83d", "half \\ud83d"),
        (None, "None"),
    ],
)
def test_value_is_shown(text: object, expected: str) -> None:
    """What is seen stays; what a terminal obeys, breaks a line, turns text or has no shape is spelled."""
    assert (expected, expected) == (shown(text), shown(shown(text)))


def test_every_control_character_and_separator_is_spelled() -> None:
    """By Unicode's own categories; nothing that is shown has a line break in it."""
    left = [
        letter
        for letter in map(chr, range(0x110000))
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and shown(letter) == letter
    ]

    assert [] == [x for x in left if x < "\u08e2" and x not in VISIBLE_FORMATS]
    assert {"Cf"} == {unicodedata.category(x) for x in left}
    assert all(len(shown(f"a{x}b").splitlines()) == 1 for x in map(chr, range(0x3000)))


@pytest.mark.parametrize("length", [LINE_CHARS + 1, 10 * LINE_CHARS, 10**6])
@pytest.mark.parametrize("letter", ["a", "é", "\x1b"])
def test_long_text_is_cut_where_it_says(length: int, letter: str) -> None:
    """Never longer than asked for, and shown again it is the same."""
    found = shown(letter * length)

    assert LINE_CHARS >= len(found) > LINE_CHARS - 5
    assert found.endswith(" more characters)")
    assert found == shown(found)


@pytest.mark.parametrize(
    "text", ["\x7f\x9b31m", "a\u202eb\u200b\u2028", "\U000e0041", "\ud83d", 'q"\n\\\x1b', "é日👍"]
)
def test_json_is_safe_to_look_at_and_says_the_same(text: str) -> None:
    """Escapes of JSON's own, within its texts."""
    found = json_shown(json.dumps({text: [text]}, ensure_ascii=False, indent=1))

    assert {text: [text]} == json.loads(found)
    assert found.replace("\n", "") == shown(found.replace("\n", ""))


def test_error_is_made_of_lines_that_are_its_own() -> None:
    """Whatever it quotes, there is one line for the message, one for the hint, and what is quoted is marked."""
    error = PackageError("a\nok  b\x1b", step="hash", hint="c\n\x9bd")

    assert "step hash: a\\nok  b\\x1b\n  try: c\\n\\x9bd" == str(error)
    assert ("a\\nok  b\\x1b", "c\\n\\x9bd") == (error.message, error.hint)
    assert ["m", "  | one", "  | two\\x1b", "  try: h"] == StreamError(
        "m", hint="h", quoted="one\n\ntwo\x1b\n"
    ).lines


def test_traceback_has_its_own_lines_only() -> None:
    """An exception's text, and its cause's, are on one line each."""
    try:
        try:
            raise ValueError("inner\nforged \x1b[31m")
        except ValueError as inner:
            raise RuntimeError('outer\n  File "forged"') from inner
    except RuntimeError as error:
        lines = shown_traceback(error)

    assert "ValueError: inner\\nforged \\x1b[31m" in lines
    assert 'RuntimeError: outer\\n  File "forged"' == lines[-1]
    assert 2 == sum(line.startswith("Traceback (most recent call last)") for line in lines)
