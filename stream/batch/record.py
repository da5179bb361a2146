"""What is known about the runs in an output folder: `_run.json` in each run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stream.batch.plan import Planned
from stream.errors import SampleError

__all__ = ["RECORD", "RunRecord", "past_runs", "run_folders", "scored_hashes"]

RECORD = "_run.json"
"""Its name; readers of partitioned folders ignore names that begin with `_`."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """
    A run's record.

    Attributes:
        run: its name; the folder is `run=NAME`.
        by: user and machine.
        started: RFC 3339, UTC; for a resumed run, when it first started.
        finished: RFC 3339, UTC.
        engine: `local` or `spark`.
        format: of the parts.
        model: `name@version`.
        manifest_sha256: of the version's manifest, which holds the hashes of its files.
        rows: of all inputs; each became a prediction or a dead row.
        predictions: how many rows were scored.
        dead_rows: how many could not be scored; they are in `_dead_rows.jsonl`.
        dead_by_reason: how many of them for each reason.
        inputs: each file with its SHA-256, size and rows.
        stream: the version of prediction-stream.
        key: names the work, of which the output has one run; empty where none was given.
        columns: of the parts' rows, each with its Avro type as JSON; empty in records of older releases.
    """

    run: str
    by: str
    started: str
    finished: str
    engine: str
    format: str
    model: str
    manifest_sha256: str
    rows: int
    predictions: int
    dead_rows: int
    dead_by_reason: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[Planned, ...] = ()
    stream: str = ""
    key: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The record as it is written: indented JSON, a newline at the end."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """
        Args:
            text: what `to_json` wrote, of this version or an older one.
        Raises: ValueError, KeyError or TypeError when it is not a record.
        """
        values: dict[str, Any] = json.loads(text)
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(**{**known, "inputs": tuple(Planned(**each) for each in known.get("inputs", ()))})


def past_runs(output: Path) -> list[RunRecord]:
    """
    Args:
        output: the folder; it need not exist.
    Returns: the records of its runs, oldest first.
    Raises: SampleError naming the first record that can't be read.
    """
    found: list[RunRecord] = []
    for folder in run_folders(output):
        path = folder / RECORD
        try:
            found.append(RunRecord.from_json(path.read_text("utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise SampleError(
                f"{path}: is not a run's record: {error}", hint="move the folder away, or restore the file"
            ) from error
    return sorted(found, key=lambda record: (record.started, record.run))


def run_folders(output: Path) -> list[Path]:
    """The folders of the published runs in an output folder, which need not exist."""
    return [path.parent for path in sorted(output.glob(f"run=*/{RECORD}"))]


def scored_hashes(output: Path, besides: str = "") -> frozenset[str]:
    """
    Args:
        output: the folder of all runs.
        besides: the key whose run does not count; empty: each counts.
    Returns: SHA-256 of every file that one of the `past_runs` has scored, under whatever name.
    """
    counted = (record for record in past_runs(output) if not besides or record.key != besides)
    return frozenset(each.sha256 for record in counted for each in record.inputs)
