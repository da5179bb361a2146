"""`stream batch`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from stream.cli.options import (
    config_option,
    delimiter_option,
    json_option,
    master_option,
    model_option,
    model_settings,
)
from stream.cli.terminal import as_json, print_data, print_table, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.batch import Input, RunRecord
    from stream.settings import Settings
    from stream.tasks import BatchOptions

__all__ = ["FORMATS", "batch"]

FORMATS = ("parquet", "csv", "jsonl", "avro")
"""As in the table of formats, which takes longer to import than `--help` may (a test compares both)."""

HISTORY = "history"

ALONE_BYTES = 1_000_000
"""A file of this size has about 50,000 rows or more."""


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of all runs; each run is a folder run=… in it.",
)
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    is_eager=True, help="Who does the work.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), default="parquet", show_default=True,
    help="Format of the predictions.",
)  # fmt: skip
@click.option("--since", type=click.Choice(["last"]), help="Score only files that no earlier run has scored.")
@click.option(
    "--run-key", metavar="KEY", callback=lambda _context, _option, value: _key(value),
    help="Name of this work: --output gets one run of it, however often the command is started.",
)  # fmt: skip
@click.option(
    "--replace", is_flag=True,
    help="With --run-key: replace its run if the inputs, the model or the format are others now.",
)  # fmt: skip
@model_option
@click.option(
    "--processes", type=click.IntRange(min=1), help="Processes of the local engine (default: one per core)."
)
@master_option
@delimiter_option
@config_option
@json_option
def batch(  # noqa: PLR0913  # one argument per option of the command
    inputs: tuple[str, ...],
    output: Path,
    engine: Literal["local", "spark"],
    kind: str,
    since: str | None,
    run_key: str,
    replace: bool,
    model: Path | None,
    processes: int | None,
    master: str | None,
    delimiter: str | None,
    config: Path | None,
    json_out: bool,
) -> int:
    """
    Score files: csv, parquet, JSON, avro or Arrow in, predictions out.

    INPUT is a file, a folder (with partitions such as year=2013 if it has them) or a glob. The predictions are
    appended to --output as a new run, which is published whole or not at all; run again, a command that was
    stopped continues where it was; with --run-key, what was done is not done again. Rows that can't be scored
    are in the run's _dead_rows.jsonl.

    `stream batch history --output DIR` lists the runs.

    \b
    Example:
      stream batch 'flights/*.csv' --output scored --since last
    """
    if inputs == (HISTORY,):
        return _history(output, json_out)
    if replace and not run_key:
        raise click.UsageError("--replace needs --run-key, which says what is replaced")
    from stream.preload import collect_seldom, get_ready

    collect_seldom()
    if engine == "local" and processes != 1 and any(map(_may_be_large, inputs)):
        get_ready()  # before this process's own imports, which take as long
    from stream.batch import find_inputs, run_folders
    from stream.tasks import BatchOptions, check_share, once

    settings = model_settings(config, model)
    request = BatchOptions(output, kind, engine, processes, master, run_key, replace)
    found = find_inputs(inputs, run_folders(output), delimiter)
    with once(request, say, new_only=since is not None) as earlier:
        record, before = _scored(settings, found, request, earlier, new_only=since is not None)
    if record is None:
        say(f"nothing new: {output} has runs of all {len(found)} files")
        return 0
    _tell(record, output, before, json_out, found=record is earlier)
    check_share(record, settings.dead_letters.stop_above)
    return 0


def _key(value: str | None) -> str:
    if value is not None and not value.strip():
        raise click.BadParameter("is empty; every run without a name would be the same one")
    return value or ""


def _scored(
    settings: Settings,
    found: Sequence[Input],
    request: BatchOptions,
    earlier: RunRecord | None,
    *,
    new_only: bool,
) -> tuple[RunRecord | None, int]:
    """The run, and how many of its rows an earlier command had done; no run where nothing is new."""
    from stream.tasks import answered, check_inputs, planned, run_batch

    plan = None
    if earlier is None or not new_only or request.replace:
        size = sum(Path(each.path).stat().st_size for each in found)
        with progress_bar("bytes looked at", size) as progress:
            plan = planned(found, request, new_only=new_only, progress=progress)
    if earlier is not None and (line := answered(settings, earlier, plan, request)):
        say(line)
        return earlier, 0
    if plan is None or not plan.inputs:
        return None, 0
    for line in check_inputs(settings, plan):
        say(line)
    with progress_bar("rows", plan.rows) as progress:
        return run_batch(settings, plan, request, progress, earlier.run if earlier is not None else "")


def _may_be_large(name: str) -> bool:
    """Whether an input may have more rows than one process does alone; a folder or a glob may."""
    path = Path(name)
    return not path.is_file() or path.stat().st_size > ALONE_BYTES


def _tell(record: RunRecord, output: Path, before: int, json_out: bool, *, found: bool) -> None:
    folder = output / f"run={record.run}"
    resumed = f", {before} of them before this command" if before else ""
    files = "1 file" if len(record.inputs) == 1 else f"{len(record.inputs)} files"
    say(f"{record.rows} rows of {files}: {record.predictions} predictions by {record.model}{resumed}")
    if record.dead_rows:
        from stream.tasks import reasons_of

        say(
            f"{record.dead_rows} rows could not be scored: {reasons_of(record)}; see {folder}/_dead_rows.jsonl"
        )
    print_data(
        as_json({**asdict(record), "folder": str(folder), "found": found}) if json_out else str(folder)
    )


def _history(output: Path, json_out: bool) -> int:
    from stream.batch import past_runs
    from stream.errors import SettingsError

    if not output.is_dir():
        raise SettingsError(f"--output {output}: no such folder", hint="correct the path")
    records = past_runs(output)
    if json_out:
        print_data(as_json([asdict(record) for record in records]))
    else:
        print_table(
            [
                {
                    "run": record.run, "finished": record.finished, "by": record.by, "model": record.model,
                    "files": len(record.inputs), "rows": record.rows, "predictions": record.predictions,
                    "dead rows": record.dead_rows, "engine": record.engine, "format": record.format,
                }
                for record in records
            ]
        )  # fmt: skip
        if not records:
            say(f"{output} has no runs")
    return 0
