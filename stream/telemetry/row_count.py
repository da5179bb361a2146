"""Counts the rows that a worker's model was asked to score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.telemetry.metrics import Metrics

if TYPE_CHECKING:
    import pyarrow as pa

    from stream.scoring import Scored

__all__ = ["RowCount"]


@dataclass(frozen=True, slots=True)
class RowCount:
    """
    An observer of `stream.pipeline.Pipeline`.

    Attributes:
        metrics: where the counts go.
    """

    metrics: Metrics

    def saw(self, columns: Mapping[str, pa.Array], scored: Scored) -> None:
        """See `stream.pipeline.Observer.saw`."""
        self.metrics.add("stream_rows_total", len(scored.rows), result="prediction")
        if scored.faults:
            self.metrics.add("stream_rows_total", len(scored.faults), result="error")
