"""How a model's answers are spread: those of now beside those of the golden rows that its version was packed with."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from stream.live.shown_values import short
from stream.manifest import Manifest
from stream.scoring import answer_fields

__all__ = ["Distribution", "distribution_of"]

BINS = 20

ANSWERS = 2_000
"""Of now: the last so many that were looked at."""

NAMES = 20
"""Labels told apart; the others are one."""

OTHERS = "others"

MARGIN = 0.05
"""Of the golden rows' range, on each side: a value that lies outside is counted at the end."""


class Distribution:
    """The answers of one version. Used by one thread at a time."""

    def __init__(
        self,
        field: Literal["score", "value", "label"],
        golden: Sequence[object],
        edges: Sequence[float] = (),
        names: Sequence[str] = (),
    ) -> None:
        """
        Args:
            field: of the answer.
            golden: the golden rows' values of it.
            edges: of the bins, ascending; empty for labels.
            names: of the labels; what is not among them is counted as the last.
        """
        self.field = field
        self._edges = list(edges)
        self._names = list(names)
        self._golden = self._counts(map(self._place, golden))
        self._now: deque[int] = deque(maxlen=ANSWERS)

    def add(self, values: Mapping[str, object]) -> None:
        """Take in a prediction's fields."""
        place = self._place(values.get(self.field))
        if place is not None:
            self._now.append(place)

    def view(self) -> dict[str, object]:
        """The snapshot's `scores`."""
        bins = {"edges": self._edges} if self._edges else {"names": self._names}
        return {"field": self.field, **bins, "golden": self._golden, "now": self._counts(self._now)}

    def _place(self, value: object) -> int | None:
        """The bin of a value; None where it has none."""
        if not self._edges:
            name = str(short(value))
            return self._names.index(name) if name in self._names else len(self._names) - 1
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        low, high = self._edges[0], self._edges[-1]
        return min(BINS - 1, max(0, math.floor((value - low) / (high - low) * BINS)))

    def _counts(self, places: Iterable[int | None]) -> list[int]:
        found = Counter(places)
        return [found[i] for i in range(BINS if self._edges else len(self._names))]


def distribution_of(manifest: Manifest, answers: Sequence[Mapping[str, object]]) -> Distribution | None:
    """
    The distribution that suits a model.

    Args:
        manifest: of its version.
        answers: of its golden rows.
    Returns: of `score`, else `value`, else `label`; None where an answer has none of them alone, or none is finite.
    """
    fields = {field.name for field in answer_fields(manifest)}
    if "score" in fields or "value" in fields:
        name: Literal["score", "value"] = "score" if "score" in fields else "value"
        golden = [answer.get(name) for answer in answers]
        numbers = [n for n in golden if isinstance(n, int | float) and math.isfinite(n)]
        if not numbers:
            return None
        return Distribution(name, golden, _edges(numbers, probability=manifest.score == "predict_proba"))
    if "label" in fields:
        golden = [answer.get("label") for answer in answers]
        return Distribution("label", golden, names=_names(manifest, golden))
    return None


def _names(manifest: Manifest, golden: Sequence[object]) -> list[str]:
    """The classes, where they are known and not too many; else the golden rows' labels, and one for all others."""
    classes = [str(short(label)) for label in manifest.classes or ()]
    if 0 < len(classes) <= NAMES:
        return classes
    return [*(name for name, _ in Counter(str(short(label)) for label in golden).most_common(NAMES)), OTHERS]


def _edges(numbers: Sequence[float], *, probability: bool) -> list[float]:
    low, high = (0.0, 1.0) if probability else (min(numbers), max(numbers))
    if not probability:
        margin = MARGIN * (high - low) or MARGIN * abs(low) or 1.0
        low, high = low - margin, high + margin
    return [low + (high - low) * i / BINS for i in range(BINS + 1)]
