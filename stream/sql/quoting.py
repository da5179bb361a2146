"""Names and texts as SQL writes them."""

from __future__ import annotations

__all__ = ["quoted_name", "quoted_text"]


def quoted_name(name: str) -> str:
    """A name: a column, a table, a file that stands for one."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """A text, as a literal."""
    return "'" + text.replace("'", "''") + "'"
