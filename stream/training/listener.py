"""What a training tells while it runs, to whoever keeps a record of it: by default nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from stream.store import Packed
    from stream.training.card import Card
    from stream.training.recipe import Recipe
    from stream.training.search import Candidate, Trial
    from stream.training.trained import Metrics, Trained
    from stream.training.version_comparison import Compared

__all__ = ["SILENT", "Listener"]


class Listener:
    """
    Told of each event of a training, in this order; does nothing with them.

    `split`, then for each candidate `trying` and `tried`, `trained`, `compared` and `drawn` where there is a
    comparison and a card, `packed`. A training that fails or is interrupted tells no more: whoever opened the listener
    sees the exception. A listener's methods return at once and never raise: no model is lost to one.
    """

    @property
    def facts(self) -> Mapping[str, str]:
        """What the manifest is to say of the record that is kept, among the metrics."""
        return {}

    def split(self, recipe: Recipe, training: pd.DataFrame, facts: Metrics) -> None:
        """The rows are loaded and split: those to learn from, and the counts, the split and a sha256."""

    def trying(self, trial: Trial) -> None:
        """A candidate of the search is about to be fitted on each fold."""

    def tried(self, candidate: Candidate) -> None:
        """It has its scores."""

    def trained(self, trained: Trained) -> None:
        """The best candidate is fitted on all rows to learn from, and measured."""

    def compared(self, compared: Compared) -> None:
        """It was compared with the version in use."""

    def drawn(self, card: Card) -> None:
        """The card's plots are drawn."""

    def packed(self, packed: Packed, card: bytes | None) -> None:
        """A version was written; `card` is its card, None without one."""

    def turned_down(self, requirement: str, card: bytes | None) -> None:
        """Nothing was packed, since the comparison did not say what was required."""


SILENT = Listener()
"""Nobody listens."""
