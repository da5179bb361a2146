"""A batch run from a configuration: inputs found, hashed and planned, scored by an engine, published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from stream.batch import (
    Done,
    Input,
    Job,
    Needs,
    Plan,
    Run,
    RunRecord,
    Title,
    check_columns,
    check_unchanged,
    open_run,
    output_avro,
    plan_inputs,
    run_local,
    scored_hashes,
)
from stream.codec import RecordSchema
from stream.errors import StreamError
from stream.resources import open_configured, package_folder, trust_of
from stream.settings import Settings
from stream.store import read_file, read_head, resolve

__all__ = ["BatchOptions", "check_inputs", "check_share", "planned", "reasons_of", "run_batch", "title_of"]

MIN_ROWS = 1_000
"""Fewer rows prove nothing about a deployment; the worker's brake has the same limit."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """
    What a command asks for.

    Attributes:
        output: the folder of all runs.
        format: the name of the parts' format.
        engine: who does the work.
        processes: of the local engine; None for one per core.
        master: of the Spark engine; None for what Spark's own configuration says.
        key: names the work, of which the output has one run; empty for none.
        replace: whether a run of that key is replaced where the inputs, the model or the format are others now.
    """

    output: Path
    format: str = "parquet"
    engine: Literal["local", "spark"] = "local"
    processes: int | None = None
    master: str | None = None
    key: str = ""
    replace: bool = False


def planned(
    inputs: Sequence[Input], request: BatchOptions, *, new_only: bool, progress: Callable[[int], None]
) -> Plan:
    """
    What is to be scored.

    Args:
        inputs: data files.
        request: whose output folder says what was scored before.
        new_only: leave out files that a run of the folder has scored; a run of the same key does not count.
        progress: called with the number of bytes looked at so far.
    Raises: SampleError.
    """
    scored = scored_hashes(request.output, request.key) if new_only else frozenset[str]()
    return plan_inputs(inputs, scored, progress, prints=request.engine == "spark")


def check_inputs(settings: Settings, plan: Plan) -> list[str]:
    """
    Before anything is scored: whether the files that have a header have the model's columns.

    Args:
        settings: name the model.
        plan: what is to be scored.
    Returns: lines about columns that are not there and have a default.
    Raises: SampleError naming a file, the columns that it lacks and those that it has; PackageError.
    """
    folder = resolve(package_folder(settings))
    _, manifest = read_head(folder)
    features = read_file(folder, manifest, "features.avsc")
    schema = RecordSchema(features.decode("utf-8"))
    paths = [feature.path for feature in manifest.features]
    return check_columns(plan.inputs, Needs(manifest.model, schema.root, manifest.needed, paths))


def title_of(settings: Settings, request: BatchOptions) -> Title:
    """
    What identifies a run besides its inputs.

    Args:
        settings: name the model.
        request: how it is done.
    Raises: PackageError.
    """
    content, manifest = read_head(resolve(package_folder(settings)))
    sha256 = hashlib.sha256(content).hexdigest()
    return Title(manifest.model, sha256, request.format, request.engine, request.key)


def run_batch(
    settings: Settings, plan: Plan, request: BatchOptions, progress: Callable[[int], None], replaces: str = ""
) -> tuple[RunRecord, int]:
    """
    Do a run, or what is left of one that was stopped.

    Args:
        settings: name the model.
        plan: what is to be scored.
        request: how.
        progress: called with the number of rows done so far.
        replaces: the run that it takes the place of.
    Returns: the published run's record, and how many of its rows an earlier command had done.
    Raises: PackageError, SampleError, SettingsError; OSError. What is done stays done.
    """
    folder = resolve(package_folder(settings))
    _, manifest = read_head(folder)
    title = title_of(settings, request)
    with open_run(request.output, plan, title, datetime.now(UTC)) as run:
        opener = partial(open_configured, settings, str(folder), engine="sklearn")
        job = Job(opener, plan.inputs, str(run.folder.absolute()), request.format)
        before = sum(each.rows for each in run.done)
        try:
            if request.engine == "spark":
                done = _on_spark(settings, run, job, str(folder), request.master, progress)
            else:
                done = run_local(run, job, request.processes, progress)
        except (StreamError, OSError):
            # A file that changed meanwhile fails in any way: report the change, which is the cause.
            check_unchanged(plan)
            raise
        check_unchanged(plan)
        prediction = read_file(folder, manifest, "prediction.avsc").decode("utf-8")
        return run.publish(done, datetime.now(UTC), _columns(prediction), replaces), before


def _columns(prediction_avsc: str) -> dict[str, str]:
    """The fields of the parts' rows, each with its Avro type as JSON."""
    return {
        field["name"]: json.dumps(field["type"])
        for field in json.loads(output_avro(prediction_avsc))["fields"]
    }


def _on_spark(
    settings: Settings, run: Run, job: Job, folder: str, master: str | None, progress: Callable[[int], None]
) -> list[Done]:
    """The inputs' paths made absolute for the executors; the rows keep the names that were given."""
    from stream.spark import open_session, run_spark, ship

    shipped = ship(folder, trust_of(settings.model))
    shipped.open()  # a package is refused here, not on an executor
    progress(sum(each.rows for each in run.done))
    spark = open_session(master)
    try:
        return run_spark(
            run, replace(job, base=str(Path.cwd()), prints=run.plan.prints), shipped, spark, progress
        )
    finally:
        spark.stop()


def check_share(record: RunRecord, stop_above: float) -> None:
    """
    Check that most rows of a run have a prediction.

    Args:
        record: of a run that is published.
        stop_above: `[dead_letters] stop_above`.
    Raises: StreamError when no row got a prediction, or more than this share of 1,000 or more rows got none.
    """
    if record.rows and not record.predictions:
        raise StreamError(
            f"not one of {record.rows} rows could be scored: {reasons_of(record)}",
            hint=f"look at run={record.run}/_dead_rows.jsonl, correct the files or the model, and run again "
            "without --since last, which leaves these files out from now on",
        )
    if record.rows >= MIN_ROWS and record.dead_rows > stop_above * record.rows:
        raise StreamError(
            f"{record.dead_rows} of {record.rows} rows could not be scored: {reasons_of(record)}",
            hint=f"look at run={record.run}/_dead_rows.jsonl; so many at once point to a bad deploy, not to bad data",
        )


def reasons_of(record: RunRecord) -> str:
    """Why rows have no prediction, with how many for each reason."""
    return ", ".join(f"{reason} {count}" for reason, count in record.dead_by_reason.items())
