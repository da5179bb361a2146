"""A unit of a run as a Spark task: done on an executor, or refused there for a reason that no second try removes."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stream.batch import Done, Job, Unit, Work, unit_files
from stream.errors import PackageError, StreamError

if TYPE_CHECKING:
    from pyspark import Accumulator, SparkContext

__all__ = ["NOTE", "Noted", "Refusal", "do_units", "gathered", "noted", "release"]

Batches = Iterator[pa.RecordBatch]

NOTE = pa.schema([
    ("number", pa.int32()), ("rows", pa.int64()), ("predictions", pa.int64()), ("dead", pa.string()),
    ("host", pa.string()), ("files", pa.string()),
])  # fmt: skip
"""What an executor answers for each unit that it has done."""

_SET_UP = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS})
"""Errors of the system that say how a machine is set up; others may pass, and Spark tries again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why a machine can't do its part.

    Attributes:
        host: its name.
        error: what it found.
    """

    host: str
    error: StreamError | OSError


@dataclass(frozen=True, slots=True)
class Noted:
    """
    What is known of a unit that is done.

    Attributes:
        done: its counts.
        host: who did it.
        files: what was written, in the run's folder: sizes in bytes by name.
    """

    done: Done
    host: str
    files: Mapping[str, int]


class _Appended:
    """How Spark adds up what executors add: pyspark's `AccumulatorParam`, without an import of it."""

    def zero(self, value: list[Refusal]) -> list[Refusal]:
        return []

    def addInPlace(self, value1: list[Refusal], value2: list[Refusal]) -> list[Refusal]:  # noqa: N802
        return [*value1, *value2]


def release() -> str:
    """The version of prediction-stream in this process."""
    return version("prediction-stream")


def gathered(context: SparkContext) -> Accumulator[list[Refusal]]:
    """A list that executors add to, and the driver reads while they work."""
    return context.accumulator([], _Appended())


def do_units(
    job: Job, units: list[Unit], driver: str, refusals: Accumulator[list[Refusal]], batches: Batches
) -> Batches:
    """
    On an executor: do the units at the places that come.

    Args:
        job: the run's.
        units: those of the run that are left.
        driver: the `release` there.
        refusals: what can't be done is added to them.
        batches: places among the units, in their first column.
    Returns: a row of `NOTE` for each that is done.
    Raises: OSError of a kind that may pass.
    """
    host = socket.gethostname()
    work: Work | None = None
    for batch in batches:
        for place in batch.column(0).to_pylist():
            try:
                work = work or _begun(job, driver)
                yield _note(job, work.do(units[place]), host)
            except StreamError as error:
                refusals.add([Refusal(host, error)])
            except OSError as error:
                if error.errno not in _SET_UP:
                    raise
                refusals.add([Refusal(host, error)])


def noted(row: Mapping[str, Any]) -> Noted:
    """A row of `NOTE`, read by the driver."""
    done = Done(row["number"], row["rows"], row["predictions"], json.loads(row["dead"]))
    return Noted(done, row["host"], json.loads(row["files"]))


def _begun(job: Job, driver: str) -> Work:
    if (own := release()) != driver:
        raise PackageError(
            f"has prediction-stream {own}, and the driver has {driver}",
            hint="install the same release on every machine, or ship an environment with --archives",
        )
    return Work(job)


def _note(job: Job, done: Done, host: str) -> pa.RecordBatch:
    files = {name: (Path(job.folder) / name).stat().st_size for name in unit_files(done.number, job.format)}
    note = {
        "number": done.number, "rows": done.rows, "predictions": done.predictions,
        "dead": json.dumps(done.dead_by_reason), "host": host, "files": json.dumps(files),
    }  # fmt: skip
    return pa.RecordBatch.from_pylist([note], NOTE)
