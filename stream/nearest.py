"""What a misspelt name was probably meant to be: for hints."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean", "letters", "nearest"]


def nearest(word: str, known: Iterable[str], likeness: float = 0.6, most: int = 1) -> list[str]:
    """
    Find the names that a word comes nearest to. Case and punctuation, which people get wrong, don't count.

    Args:
        word: as it was written.
        known: the names that exist.
        likeness: 0 to 1, difflib's ratio; what is less like the word is left out.
        most: how many names at most.
    Returns: names of `known`, the nearest first; empty = none is near.
    """
    by_letters: dict[str, str] = {}
    for name in known:
        by_letters.setdefault(letters(name), name)
    return [by_letters[near] for near in get_close_matches(letters(word), by_letters, most, likeness)]


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.5) -> str:
    """
    A hint that names the nearest of the known names.

    Args:
        word: as `nearest`.
        known: as `nearest`.
        likeness: as `nearest`.
    Returns: a question; empty = none is near.
    """
    return "".join(f"did you mean `{near}`?" for near in nearest(word, known, likeness))


def letters(name: str) -> str:
    """What counts of a name: its letters and digits, in lower case; all of it where it has none."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
