"""What a model is called on a platform that does not take every name: two models never get the same."""

from __future__ import annotations

import hashlib

__all__ = ["distinct_name"]

_DIGEST_CHARS = 8


def distinct_name(model: str, fitting: str, most_chars: int, joint: str = "-") -> str:
    """
    A model's name as a platform takes it.

    Args:
        model: its own name.
        fitting: the same with what the platform does not take replaced.
        most_chars: that the platform takes.
        joint: a character that it takes between words.
    Returns: the name that fits; where that is not the model's own, or is cut, it ends with a digest of that: `a.b` and
        `a-b` are two functions, and neither takes the other's place.
    """
    if fitting == model and len(fitting) <= most_chars:
        return fitting
    digest = hashlib.sha256(model.encode()).hexdigest()[:_DIGEST_CHARS]
    kept = fitting[: most_chars - len(joint) - _DIGEST_CHARS].rstrip(joint)
    return f"{kept}{joint}{digest}" if kept else digest
