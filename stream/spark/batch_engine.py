"""The Spark engine: the same units as the local one, spread over a cluster's executors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from stream.batch import Done, Job, Run, done_name
from stream.errors import StreamError
from stream.spark.arrival import check_arrived
from stream.spark.failure import cause, on_host, spark_errors
from stream.spark.shipping import Shipped
from stream.spark.spark_session import without_pandas
from stream.spark.unit_task import NOTE, Refusal, do_units, gathered, noted, release

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession

__all__ = ["run_spark"]

_LOOK_S = 1.0
"""Between two looks at what is done; a unit takes about half a second of a core."""


def run_spark(
    run: Run,
    job: Job,
    shipped: Shipped,
    spark: SparkSession,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Done]:
    """
    Do a run's units that are not done yet, a Spark task each.

    The executors read the inputs and write the parts themselves, under the same paths as this process: the
    folders must be shared. Each task reads nothing but the bytes that the run was planned with. The model's bytes
    travel with the tasks; `prediction-stream` must be installed.

    Args:
        run: opened.
        job: its job, with the inputs' fingerprints; its opener is not used.
        shipped: the model.
        spark: the session.
        progress: called with the number of rows that are done.
    Returns: all units, those done before included.
    Raises: SampleError or another Refused error of a machine that sees other files or can't open the model; StreamError
        when a machine can't reach the folders, or Spark gave up on a task. What is done stays done.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    finished = {each.number for each in run.done}
    left = [unit for unit in run.plan.units if unit.number not in finished]
    if not left:
        return list(run.done)
    refusals = gathered(spark.sparkContext)
    task = partial(do_units, replace(job, opener=shipped.open), left, release(), refusals)
    places = spark.range(0, len(left), 1, len(left))
    spark.sparkContext.setJobGroup(run.name, f"stream batch, run {run.name}", interruptOnCancel=True)
    with without_pandas(), _Watch(run, progress, spark, refusals):
        try:
            rows = places.mapInArrow(task, from_arrow_schema(NOTE)).collect()
        except spark_errors() as error:
            if refusals.value:
                _refuse(refusals.value[0])
            raise StreamError(
                f"Spark gave up: {cause(str(error))}",
                hint="correct what it names, then run the same command again",
            ) from error
    if refusals.value:
        _refuse(refusals.value[0])
    notes = [noted(row.asDict()) for row in rows]
    check_arrived(run.folder, notes)
    return sorted([*run.done, *(note.done for note in notes)], key=lambda each: each.number)


def _refuse(found: Refusal) -> NoReturn:
    raise on_host(found.host, found.error) from found.error


class _Watch:
    """
    Reports how many rows are done while Spark works: each unit leaves its note in the run's folder.

    Ends the run at the first refusal: the rest would be done for nothing.
    """

    def __init__(
        self,
        run: Run,
        progress: Callable[[int], None],
        spark: SparkSession,
        refusals: Accumulator[list[Refusal]],
    ) -> None:
        self._run = run
        self._progress = progress
        self._context = spark.sparkContext
        self._refusals = refusals
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        folder = Path(self._run.folder) / "work"
        last = sum(each.rows for each in self._run.done)
        while not self._end.wait(_LOOK_S):
            units = self._run.plan.units
            rows = sum(unit.rows for unit in units if (folder / done_name(unit.number)).exists())
            if rows != last:
                self._progress(rows)
                last = rows
            if self._refusals.value:
                self._context.cancelJobGroup(self._run.name)
                return
