"""Times the stages of a pipeline from outside: the pipeline itself has no clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from stream.telemetry.metrics import Metrics

__all__ = ["StageTimes"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class StageTimes:
    """
    Attributes:
        metrics: where the times go.
        clock: seconds.
    """

    metrics: Metrics
    clock: Callable[[], float] = time.perf_counter

    def of(self, stage: str, step: Callable[P, R]) -> Callable[P, R]:
        """
        A step that is timed.

        Args:
            stage: its name, as the metric shows it.
            step: of a pipeline, called once a batch.
        Returns: a callable that does the same, and raises the same.
        """
        histogram, labels, clock = self.metrics.histogram("stream_stage_seconds"), (stage,), self.clock

        @wraps(step)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            started = clock()
            try:
                return step(*args, **kwargs)
            finally:
                histogram.observe(clock() - started, labels)

        return timed
