"""Dead letters by reason, each with what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from stream.reasons import TABLE

__all__ = ["letters_by_reason"]

_KNOWN = {reason.name: reason for reason in TABLE}


def letters_by_reason(counts: Mapping[tuple[str, ...], float]) -> list[dict[str, object]]:
    """
    Args:
        counts: by reason and stage; those of 0 are left out.
    Returns: an object each, the most frequent first.
    """
    most_first = sorted(
        ((key, count) for key, count in counts.items() if count), key=lambda one: (-one[1], one[0])
    )
    return [
        {
            "reason": reason,
            "stage": stage,
            "count": int(count),
            "meaning": _KNOWN[reason].meaning if reason in _KNOWN else "",
            "next_step": _KNOWN[reason].action if reason in _KNOWN else "",
        }
        for (reason, stage), count in most_first
        if count
    ]
