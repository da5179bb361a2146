"""`python -m tests.faults [--id ID …] [--workers N]`: run rows, and write those that held into docs/faults.json."""

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
"""Kept in the file: the last so many whole runs in which every row held."""


def main() -> int:
    """Run pytest on tests/faults, and gather what the rows left."""
    arguments = _arguments()
    if arguments.gather is not None:
        _write(_left(arguments.gather), None)
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        code = _pytest(Path(folder), arguments.id, arguments.workers)
        rows = _left(Path(folder))
    took_s = round(time.monotonic() - began)
    sys.stdout.write(f"{len(rows)} rows held in {took_s} s; pytest's exit code is {code}\n")
    _write(rows, None if code or arguments.id else took_s)
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/faults", description="The fault matrix, on a real Kafka.")
    parser.add_argument("--id", action="append", default=[], help="only this row; may be given again")
    parser.add_argument("--workers", type=int, default=2, help="rows at a time (default: 2)")
    parser.add_argument(
        "--gather",
        type=Path,
        metavar="FOLDER",
        help=f"run nothing: take what rows left in the folder of {RESULTS}",
    )
    return parser.parse_args()


def _pytest(results: Path, ids: Sequence[str], workers: int) -> int:
    chosen = ["-k", " or ".join(ids)] if ids else []
    command = [sys.executable, "-m", "pytest", "-m", "row", "-n", str(workers), "--dist", "loadgroup", "-v"]
    environ = {**os.environ, RESULTS: str(results), "STREAM_REQUIRE_KAFKA": "1"}
    return subprocess.run([*command, *chosen, "tests/faults"], cwd=ROOT, env=environ, check=False).returncode


def _left(folder: Path) -> list[dict[str, Any]]:
    """What rows left in a folder, with the minute at which each held."""
    return [
        {**json.loads(path.read_text()), "held": _minute(path.stat().st_mtime)}
        for path in sorted(folder.glob("*.json"))
    ]


def _minute(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes")


def _write(rows: Sequence[dict[str, Any]], took_s: int | None) -> None:
    """Put rows in place of their earlier selves; a whole run is noted, and leaves no others."""
    before = json.loads(TABLE.read_text()) if TABLE.exists() else {"runs": [], "rows": []}
    kept = {row["id"]: row for row in ([] if took_s else before["rows"])}
    kept.update({row["id"]: row for row in rows})
    runs = before["runs"]
    if took_s:
        runs = [*runs, {"ended": _minute(time.time()), "rows": len(rows), "took_s": took_s}][-RUNS:]
    found = {"kafka": KAFKA, "runs": runs, "rows": [kept[name] for name in sorted(kept)]}
    TABLE.write_text(f"{json.dumps(found, indent=1)}\n")
    sys.stdout.write(
        f"{TABLE.relative_to(ROOT)}; scripts/docs makes the table of docs/guarantees.md from it\n"
    )


if __name__ == "__main__":
    sys.exit(main())
