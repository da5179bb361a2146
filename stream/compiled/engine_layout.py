"""How a row stands in the matrix that an engine's graph takes: what is known both to who writes it and to who asks."""

from __future__ import annotations

from dataclasses import dataclass

from stream.manifest import Category, Feature

__all__ = ["MATRIX", "Lexicon", "is_coded"]

MATRIX = "matrix"
"""The graph's one input, shape (n, width), doubles."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """
    The values of a column that reach a graph as numbers: 0, 1 … for each in its order, then a missing one, then any
    other.

    Attributes:
        values: the texts or categories that the estimator knows.
    """

    values: tuple[Category, ...]

    @property
    def missing(self) -> int:
        """The code of a missing value."""
        return len(self.values)

    @property
    def unknown(self) -> int:
        """The code of a value that is not among them."""
        return len(self.values) + 1


def is_coded(feature: Feature) -> bool:
    """Whether a feature goes in as its code in a lexicon."""
    return feature.kind in ("text", "category")
