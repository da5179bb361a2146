"""`python -m tests.faults [--id ID …] [--workers N]`: run the rows; a whole run that holds writes docs/faults.json."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.row import RESULTS
from tests.kafka.artifacts import KAFKA

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "faults.json"

RUNS = 2
"""Kept in the file: the last so many, all of whose rows held."""


def main() -> int:
    """Run pytest on tests/faults, and gather what the rows left."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description="The fault matrix, on a real Kafka.")
    parser.add_argument("--id", action="append", default=[], help="only this row; may be given again")
    parser.add_argument("--workers", type=int, default=2, help="rows at a time (default: 2)")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        code = _pytest(Path(folder), arguments.id, arguments.workers)
        rows = sorted(
            (json.loads(path.read_text()) for path in Path(folder).iterdir()), key=lambda row: row["id"]
        )
    took_s = round(time.monotonic() - began)
    sys.stdout.write(f"{len(rows)} rows held in {took_s} s; pytest's exit code is {code}\n")
    if code == 0 and not arguments.id:
        _write(rows, took_s)
    return code


def _pytest(results: Path, ids: Sequence[str], workers: int) -> int:
    chosen = ["-k", " or ".join(ids)] if ids else []
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "row",
        "-n",
        str(workers),
        "--dist",
        "load",
        "-v",
        "--durations=15",
    ]
    environ = {**os.environ, RESULTS: str(results), "STREAM_REQUIRE_KAFKA": "1"}
    return subprocess.run([*command, *chosen, "tests/faults"], cwd=ROOT, env=environ, check=False).returncode


def _write(rows: Sequence[dict[str, Any]], took_s: int) -> None:
    """Put the rows into the file, and the run behind the one before."""
    before = json.loads(TABLE.read_text())["runs"] if TABLE.exists() else []
    run = {"ended": datetime.now(UTC).isoformat(timespec="seconds"), "rows": len(rows), "took_s": took_s}
    text = json.dumps({"kafka": KAFKA, "runs": [*before, run][-RUNS:], "rows": rows}, indent=1)
    TABLE.write_text(f"{text}\n")
    sys.stdout.write(
        f"{TABLE.relative_to(ROOT)}; scripts/docs makes the table of docs/guarantees.md from it\n"
    )


if __name__ == "__main__":
    sys.exit(main())
