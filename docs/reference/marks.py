"""Generated text inside hand-written pages: between two comments, replaced in place."""

from __future__ import annotations

import re

__all__ = ["replaced"]


def replaced(page: str, name: str, text: str) -> str:
    """
    Put generated text between a page's marks.

    Args:
        page: Markdown with `<!-- generated: NAME -->` and `<!-- end: NAME -->`, once each.
        name: of the marks.
        text: Markdown.
    Returns: the page with everything between the marks replaced.
    Raises: ValueError when the page lacks the marks.
    """
    marks = re.compile(rf"(<!-- generated: {name} [^>]*-->\n).*?(<!-- end: {name} -->)", re.DOTALL)
    if len(marks.findall(page)) != 1:
        raise ValueError(f"expected the marks of {name} once")
    return marks.sub(lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page)
