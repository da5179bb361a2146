"""The latest predictions, as the page lists them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

from stream.live.seen import SeenPrediction
from stream.live.shown_values import Short, key_shown, short, short_fields

__all__ = ["LATEST", "Latest", "Truth"]

LATEST = 12
"""Predictions listed."""

LEFT_OUT = ("model", "source_partition", "source_offset")
"""Fields of a prediction that the page has elsewhere."""

Truth: TypeAlias = Callable[[Mapping[str, object]], Mapping[str, object] | None]
"""A prediction's fields → `text`, what turned out, and `right`, whether the prediction says so; None = not known."""


class Latest:
    """Used by one thread at a time."""

    def __init__(self, *, redact: bool, truth: Truth | None = None) -> None:
        """
        Args:
            redact: show no values.
            truth: who knows what turned out; None = nobody.
        """
        self._redact = redact
        self._truth = truth
        self._rows: deque[dict[str, object]] = deque(maxlen=LATEST)

    def add(self, seen: SeenPrediction, values: Mapping[str, object]) -> None:
        """Take in a prediction and its fields, as JSON has them."""
        kept = {name: value for name, value in values.items() if name not in LEFT_OUT}
        fields: dict[str, Short] = short_fields(kept)
        self._rows.appendleft(
            {
                "place": seen.place,
                "key": None if self._redact else key_shown(seen.key),
                "at_ms": seen.at_ms,
                "values": dict.fromkeys(fields) if self._redact else fields,
                "truth": None if self._redact or self._truth is None else _told(self._truth(values)),
            }
        )

    def rows(self) -> list[dict[str, object]]:
        """The snapshot's `latest`, the newest first."""
        return list(self._rows)


def _told(found: Mapping[str, object] | None) -> dict[str, object] | None:
    if found is None:
        return None
    right = found["right"]
    return {"text": str(short(found["text"])), "right": None if right is None else bool(right)}
