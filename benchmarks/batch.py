"""
`stream batch` beside a plain pandas + scikit-learn script, on the same files, by turns.

    python -m benchmarks.batch --rows 10000 100000 1000000 10000000
    python -m benchmarks.batch --rows 1000000 --files 1000

Flights are resampled to each size and written once as parquet. Both read them, score them with the flights
model and write the carried fields with label and score; a run is a process from its start to its end, imports
included. Time is the median of the turns; memory the peak of all its processes together (proportional set
size, so that pages which they share count once).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks.process import as_installed, end_all_on_sigterm

__all__ = ["SCRIPT", "Measured", "compare", "measure", "resampled"]

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "models" / "flights"
GROUP_ROWS = 1_048_576
"""Rows of a row group: what pandas and pyarrow write by default."""

LOOK_S = 0.05
"""Between two looks at the memory; costs 1 % of a core."""

SEED = 20131020

_TICKS = os.sysconf("SC_CLK_TCK")

SCRIPT = """
import json, sys
import joblib, pandas as pd
package, source, target = sys.argv[1:]
manifest = json.load(open(f"{package}/manifest.json"))
frame = pd.read_parquet(source)
model = joblib.load(f"{package}/model.joblib")
score = model.predict_proba(frame[[feature["name"] for feature in manifest["features"]]])[:, 1]
answer = frame[manifest["carry"]].assign(label=score > 0.5, score=score)
answer.to_parquet(target)
"""
"""What one would write: everything at once, one call of the model, which uses every core for its trees."""


@dataclass(frozen=True, slots=True)
class Measured:
    """
    One run of one contestant.

    Attributes:
        seconds: from the start of the process to its end.
        peak_mb: MB, all its processes together.
        cpu_s: user and system time of all its processes, to a few hundredths.
    """

    seconds: float
    peak_mb: float
    cpu_s: float


def resampled(path: Path, rows: int) -> None:
    """Write `rows` flights, drawn with replacement, always the same ones."""
    from stream.demo import flights

    frame = flights.load_flights().drop(columns=["scheduled", "tailnum", "flight"])
    table = pa.Table.from_pandas(frame, preserve_index=False)
    random = np.random.default_rng(SEED)
    with pq.ParquetWriter(path, table.schema) as writer:
        for start in range(0, rows, GROUP_ROWS):
            drawn = random.integers(0, len(table), min(GROUP_ROWS, rows - start))
            writer.write_table(table.take(pa.array(drawn)), GROUP_ROWS)


def split(source: Path, folder: Path, files: int) -> Path:
    """The same rows in the same order, in a folder of so many files."""
    table = pq.read_table(source)
    parts = folder / "parts"
    parts.mkdir()
    each = -(-len(table) // files)
    for i in range(files):
        pq.write_table(table.slice(i * each, each), parts / f"part-{i:06}.parquet")
    return parts


def measure(command: Sequence[str]) -> Measured:
    """Run a command to its end. Raises: RuntimeError with what it said when it fails."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
            cwd=ROOT,
            env=as_installed(),
        )
        peak = _Peak(process.pid)
        code = process.wait()
        seconds = time.perf_counter() - began
        peak.end()
        if code:
            said.seek(0)
            raise RuntimeError(f"exit {code}: {said.read().decode()[-2000:]}")
    return Measured(seconds, peak.kb / 1024, sum(peak.cpu_s.values()))


class _Peak:
    """Adds up the memory of a session's processes until told to end, and keeps what each has used of the cores."""

    def __init__(self, session: int) -> None:
        self.kb = 0
        self.cpu_s: dict[int, float] = {}
        self._session = session
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        """No more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.kb = max(self.kb, sum(_pss_kb(pid) for pid in self._pids()))

    def _pids(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) == self._session:
                        found.append(int(entry.name))
                        self.cpu_s[found[-1]] = sum(map(int, fields[11:13])) / _TICKS
        return found


def _pss_kb(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def compare(source: Path, folder: Path, turns: int) -> dict[str, list[Measured]]:
    """
    Both contestants by turns on the same rows, and a look whether they say the same.

    Args:
        source: parquet, a file or a folder of them.
        folder: for what they write; emptied in between.
        turns: how often each runs.
    Returns: their runs, by name.
    Raises: RuntimeError when one fails, or their labels differ, or a score by more than 1e-9.
    """
    version = PACKAGE / "versions" / (PACKAGE / "current").read_text().strip()
    commands = {
        "script": [sys.executable, "-c", SCRIPT, str(version), str(source), str(folder / "script.parquet")],
        "stream batch": [
            sys.executable, "-m", "stream", "batch", str(source), "--output", str(folder / "runs"),
            "--model", str(PACKAGE),
        ],
    }  # fmt: skip
    found: dict[str, list[Measured]] = {name: [] for name in commands}
    for _ in range(turns):
        shutil.rmtree(folder / "runs", ignore_errors=True)
        for name, command in commands.items():
            found[name].append(measure(command))
    _check(folder)
    return found


def _check(folder: Path) -> None:
    ours = ds.dataset(folder / "runs", exclude_invalid_files=True).to_table(
        columns=["label", "score", "source_file", "source_row"]
    )
    ours = ours.sort_by([("source_file", "ascending"), ("source_row", "ascending")])
    theirs = pq.read_table(folder / "script.parquet", columns=["label", "score"])
    same = ours.column("label").combine_chunks().equals(theirs.column("label").combine_chunks())
    apart = float(np.max(np.abs(ours["score"].to_numpy() - theirs["score"].to_numpy()), initial=0.0))
    if not same or apart > 1e-9:
        raise RuntimeError(f"the contestants differ: labels equal {same}, scores apart by {apart}")


def main() -> None:
    """Print a table and, on the last line, the same as JSON."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.batch", description="Files: ours beside a plain script."
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--files", type=int, default=1, help="in a folder of so many files (default: one file)"
    )
    options = parser.parse_args()
    end_all_on_sigterm()
    lines: list[dict[str, object]] = []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {options.turns} turns\n")
    print(f"{'rows':>10}  {'contestant':<12} {'seconds':>8} {'rows/s':>10} {'peak MB':>8}")
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "flights.parquet"
            resampled(source, rows)
            if options.files > 1:
                source = split(source, Path(folder), options.files)
            for name, runs in compare(source, Path(folder), options.turns).items():
                seconds = statistics.median(run.seconds for run in runs)
                peak = max(run.peak_mb for run in runs)
                print(
                    f"{rows:>10}  {name:<12} {seconds:>8.1f} {rows / seconds:>10.0f} {peak:>8.0f}", flush=True
                )
                lines.append(
                    {
                        "rows": rows,
                        "files": options.files,
                        "contestant": name,
                        "seconds": seconds,
                        "peak_mb": peak,
                    }
                )
    print(json.dumps(lines))


if __name__ == "__main__":
    main()
