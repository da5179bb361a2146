"""`stream batch` as a process: its runs appear complete or not at all, whatever becomes of the process."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.acceptance import visits
from tests.acceptance.process import END_S, ROOT, Process
from tests.kafka.process import wait_for

MEASURED = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
from stream.cli import main
try:
    main(sys.argv[2:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
"""The command under a limit of its own memory (files that are mapped don't count), which then says its peak."""

LIMIT_BYTES = 700 * 1024 * 1024

BARE_KB = 250_000
"""What Python, pandas and scikit-learn take before a row is read."""

pytestmark = pytest.mark.timeout(300)


class Batch(Process):
    """`stream batch …` in a folder."""

    def __init__(
        self, folder: Path, package: Path, *arguments: str, name: str = "batch", **more: Any
    ) -> None:
        options = [] if arguments[0] == "history" else ["--model", str(package)]
        super().__init__(
            name, [sys.executable, "-m", "stream", "batch", *arguments, *options], folder, **more
        )

    def kill_alone(self) -> None:
        """SIGKILL to the command only, as the kernel does when memory is short."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def children(self) -> list[int]:
        """Processes of its session that still run."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "-s", str(self._process.pid)], capture_output=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def done(self, code: int = 0) -> str:
        """What it printed, once it has ended with this code."""
        found = self.end(2 * END_S)
        assert code == found, self.tail()
        return self.output().strip()


def rows(n: int, first: int = 0) -> pd.DataFrame:
    """Visits of every kind."""
    return pd.DataFrame([visits.visit(i) for i in range(first, first + n)])


def many(n: int) -> pa.Table:
    """Visits, made quickly."""
    number = pa.array(np.arange(n))
    channel = pa.DictionaryArray.from_arrays(pa.array(np.arange(n) * 7 % 4, pa.int8()), list(visits.CHANNELS))
    columns = {"id": number, "channel": channel.cast(pa.string()), "pages": pa.array(np.arange(n) * 31 % 40)}
    return pa.table({**columns, "seconds": pa.array(np.arange(n) * 17 % 900 / 3)})


def history(folder: Path, package: Path, name: str) -> list[dict[str, Any]]:
    """What `stream batch history --json` says of `out`."""
    with Batch(folder, package, "history", "--output", "out", "--json", name=name) as process:
        found: list[dict[str, Any]] = json.loads(process.done())
    return found


def test_files_become_a_run_with_its_record(tmp_path: Path, package: Path) -> None:
    """Each row is a prediction or a dead row, with its place; the record says what was read, and by whom."""
    rows(30).to_csv(tmp_path / "a.csv", index=False)
    part = tmp_path / "more" / "day=1"
    part.mkdir(parents=True)
    rows(20, 30).to_parquet(part / "b.parquet")
    with (part / "c.jsonl").open("w") as file:
        for i in range(50, 55):
            file.write(json.dumps(visits.visit(i)) + "\n" if i != 52 else '{"id": 7}\n')

    with Batch(tmp_path, package, "a.csv", "more", "--output", "out") as process:
        folder = tmp_path / process.done()

    table = ds.dataset(tmp_path / "out", partitioning="hive").to_table().to_pandas()
    assert 54 == len(table)
    assert [*range(52), 53, 54] == sorted(table["id"])
    assert {"a.csv": 30, "more/day=1/b.parquet": 20, "more/day=1/c.jsonl": 4} == (
        table["source_file"].value_counts().to_dict()
    )
    assert list(range(1, 31)) == table[table["source_file"] == "a.csv"]["source_row"].to_list()
    (dead,) = [json.loads(line) for line in (folder / "_dead_rows.jsonl").read_text().splitlines()]
    assert ("more/day=1/c.jsonl", 3, "contract") == (dead["source_file"], dead["source_row"], dead["stage"])
    (record,) = history(tmp_path, package, "history")
    assert (55, 54, 1, "visits@1", "local") == tuple(
        record[key] for key in ("rows", "predictions", "dead_rows", "model", "engine")
    )
    assert [
        hashlib.sha256((tmp_path / each["path"]).read_bytes()).hexdigest() for each in record["inputs"]
    ] == [each["sha256"] for each in record["inputs"]]


def done_units(folder: Path) -> list[Path]:
    """The notes of the units that a run has finished."""
    return list(folder.glob("out/.run-*/work/done-*.json"))


@pytest.mark.slow
@pytest.mark.fault
@pytest.mark.fault_core
def test_a_killed_run_leaves_nothing_half_written_and_goes_on(tmp_path: Path, package: Path) -> None:
    """kill -9 in the middle: no run is visible, its processes end; the same command does only the rest."""
    n = 1_500_000
    pq.write_table(many(n), tmp_path / "many.parquet")

    with Batch(tmp_path, package, "many.parquet", "--output", "out", name="killed") as process:
        process.until(lambda: len(done_units(tmp_path)) >= 2, 2 * END_S, "two units are done")
        process.kill_alone()
        wait_for(lambda: not process.children(), END_S, "its processes to end with it")
    kept = done_units(tmp_path)
    assert [] == list(tmp_path.glob("out/run=*"))
    assert len(kept) < n // 131_072

    with Batch(tmp_path, package, "many.parquet", "--output", "out", "--json", name="again") as process:
        record = json.loads(process.done())

    assert (n, n, 0) == (record["rows"], record["predictions"], record["dead_rows"])
    assert "of them before this command" in process.text()
    table = ds.dataset(tmp_path / record["folder"]).to_table(columns=["source_row"])
    assert list(range(1, n + 1)) == table.column(0).to_pylist()
    assert [f"run={record['run']}"] == [path.name for path in (tmp_path / "out").iterdir()]


@pytest.mark.slow
def test_a_file_larger_than_the_memory_is_scored(tmp_path: Path, package: Path) -> None:
    """With less memory allowed than the file has bytes, and with no more for a large file than for a small one."""
    peaks = []
    for n in (200_000, 12_000_000):
        path = tmp_path / f"rows-{n}.csv"
        with path.open("wb") as file:
            for start in range(0, n, 1_000_000):
                table = many(min(n, 1_000_000))
                pc.write_csv(table, file, pc.WriteOptions(include_header=start == 0))
        command = ["batch", path.name, "--output", "out", "--processes", "1", "--model", str(package)]
        found = subprocess.run(
            [sys.executable, "-c", MEASURED, str(LIMIT_BYTES), *command],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(found.stderr.splitlines()[-1]))
    assert path.stat().st_size > 1.2 * (peaks[1] - BARE_KB) * 1024
    assert peaks[1] < 1.3 * peaks[0]
