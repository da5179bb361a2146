"""The Spark engine: the same units as the local one, spread over a cluster's executors."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from stream.batch import Done, Job, Run, Unit, Work, done_name
from stream.errors import StreamError
from stream.spark.shipping import Shipped
from stream.spark.spark_session import cause, without_pandas

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["run_spark"]

_NOTE = pa.schema([
    ("number", pa.int32()), ("rows", pa.int64()), ("predictions", pa.int64()), ("dead", pa.string()),
])  # fmt: skip
"""What an executor answers for each unit that it has done."""

_LOOK_S = 1.0
"""Between two looks at what is done; a unit takes about half a second of a core."""

Batches = Iterator[pa.RecordBatch]


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
    folders must be shared. The model's bytes travel with the tasks; `prediction-stream` must be installed.

    Args:
        run: opened.
        job: its job; its opener is not used.
        shipped: the model.
        spark: the session.
        progress: called with the number of rows that are done.
    Returns: all units, those done before included.
    Raises: StreamError when Spark gave up on a task; what is done stays done.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import from_arrow_schema

    finished = {each.number for each in run.done}
    left = [unit for unit in run.plan.units if unit.number not in finished]
    if not left:
        return list(run.done)
    task = partial(_do, replace(job, opener=shipped.open), left)
    places = spark.range(0, len(left), 1, len(left))
    with without_pandas(), _Watch(run, progress):
        try:
            rows = places.mapInArrow(task, from_arrow_schema(_NOTE)).collect()
        except PySparkException as error:
            raise StreamError(
                f"Spark gave up: {cause(str(error))}",
                hint="correct what it names, then run the same command again",
            ) from error
    done = [Done(row["number"], row["rows"], row["predictions"], json.loads(row["dead"])) for row in rows]
    return sorted([*run.done, *done], key=lambda each: each.number)


def _do(job: Job, units: list[Unit], batches: Batches) -> Batches:
    """On an executor: the units at the places that come."""
    work: Work | None = None
    for batch in batches:
        for place in batch.column(0).to_pylist():
            work = work or Work(job)
            done = work.do(units[place])
            note = {
                "number": done.number, "rows": done.rows, "predictions": done.predictions,
                "dead": json.dumps(done.dead_by_reason),
            }  # fmt: skip
            yield pa.RecordBatch.from_pylist([note], _NOTE)


class _Watch:
    """Reports how many rows are done while Spark works: each unit leaves its note in the run's folder."""

    def __init__(self, run: Run, progress: Callable[[int], None]) -> None:
        self._run = run
        self._progress = progress
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
