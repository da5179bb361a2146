"""The runs that an output folder holds."""

from __future__ import annotations

from pathlib import Path

from stream.batch.record import RECORD, RunRecord
from stream.errors import SampleError

__all__ = ["past_runs", "run_folders", "scored_hashes"]


def past_runs(output: Path) -> list[RunRecord]:
    """
    Args:
        output: the folder; it need not exist.
    Returns: the records of its runs, oldest first.
    Raises: SampleError naming the first record that can't be read.
    """
    found: list[RunRecord] = []
    for path in sorted(output.glob(f"run=*/{RECORD}")):
        try:
            found.append(RunRecord.from_json(path.read_text("utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise SampleError(
                f"{path}: is not a run's record: {error}", hint="move the folder away, or restore the file"
            ) from error
    return sorted(found, key=lambda record: (record.started, record.run))


def run_folders(output: Path) -> list[Path]:
    """
    Args:
        output: the folder; it need not exist.
    Returns: the folders of its runs: their files are predictions, not inputs.
    """
    return [path.parent for path in sorted(output.glob(f"run=*/{RECORD}"))]


def scored_hashes(output: Path) -> frozenset[str]:
    """
    Args:
        output: the folder.
    Returns: SHA-256 of every file that a run of it has scored, under whatever name.
    Raises: as `past_runs`.
    """
    return frozenset(each.sha256 for record in past_runs(output) for each in record.inputs)
