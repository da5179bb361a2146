"""What a backfill would do, without doing it: how much, how fast, and what would become of the first records."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from stream.backfill.backfill_opening import Scene
from stream.backfill.plan import Extent
from stream.backfill.retention import first_records
from stream.records import Batch, DeadLetter, Prediction
from stream.resources import build_pipeline, writers_of

__all__ = ["Forecast", "foresee"]

SAMPLE = 2_000
"""Records that are tried."""


@dataclass(slots=True)
class Forecast:
    """
    What was found.

    Attributes:
        left: per partition number, offsets that are still to be done.
        tried: records that were scored here; nothing of it was written.
        scored: of those, how many would have a prediction.
        failing: the others by reason; skips are not among them.
        per_second: records that this process scores in a second, decoding and encoding included; 0 = nothing was tried.
    """

    left: dict[int, int]
    tried: int = 0
    scored: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    per_second: float = 0.0

    @property
    def offsets(self) -> int:
        """That are still to be done, of all partitions."""
        return sum(self.left.values())


def foresee(scene: Scene, clock: Callable[[], float] = time.perf_counter) -> Forecast:
    """
    Look ahead; no topic and no group is changed.

    Args:
        scene: as `look_at` saw it.
        clock: seconds.
    Raises: Refused when a schema does not fit; Retriable when the registry does not answer; Stopped when the broker
        refuses.
    """
    starts = _starts(scene)
    left = {index: extent.end - starts[index] for index, extent in scene.extents.items()}
    found = Forecast(left)
    with scene.cluster.naming_refusals():
        batch = _sample(scene, starts, left)
    if batch:
        _try(scene, batch, found, clock)
    return found


def _starts(scene: Scene) -> dict[int, int]:
    """Where each partition would go on."""
    committed: dict[int, int] = {}
    if scene.plan is not None:
        offsets = scene.cluster.committed(scene.group, scene.settings.input.topic)
        committed = {partition.index: offset for partition, offset in offsets.items()}
    return {
        index: min(extent.end, max(extent.start, committed.get(index, extent.start)))
        for index, extent in scene.extents.items()
    }


def _sample(scene: Scene, starts: dict[int, int], left: dict[int, int]) -> Batch:
    open_ones = {index: Extent(starts[index], starts[index] + n) for index, n in left.items() if n}
    each = max(1, SAMPLE // max(1, len(open_ones)))
    return first_records(scene.settings.kafka, scene.settings.input.topic, open_ones, each)


def _try(scene: Scene, batch: Batch, found: Forecast, clock: Callable[[], float]) -> None:
    # The prediction's own framing would ask the registry for an id, or register the schema: nobody reads it here.
    quiet = replace(scene.target, output=replace(scene.target.output, framing="bare"))
    writers = writers_of(quiet)
    try:
        pipeline = build_pipeline(quiet, scene.package, writers)
        pipeline.process(batch)  # the first call of a model takes longer than those after it
        started = clock()
        outcomes = pipeline.process(batch)
        seconds = clock() - started
    finally:
        if writers is not None:
            writers.close()
    found.tried = len(batch)
    found.scored = sum(isinstance(outcome, Prediction) for outcome in outcomes)
    found.failing = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, DeadLetter))
    found.per_second = len(batch) / seconds if seconds > 0 else 0.0
