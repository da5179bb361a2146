"""
`python -m benchmarks.sql`: `predict(f)` beside a plain pandas script, rows per second and CPU; in turn, in one run.

One file, the demo's held-out flights over and over, in row groups of 122,880 rows as DuckDB itself writes them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import stream.sql
from benchmarks.packages import BOTH, package
from stream.demo.export import export
from stream.store import Package, open_package

__all__ = ["main"]

_GROUP_ROWS = 122_880
_CHUNK_ROWS = 100_000
"""Of the pandas script: the best of several that were tried."""


def _file(folder: Path, rows: int) -> Path:
    export(folder / "flights.parquet")
    table = pq.read_table(folder / "flights.parquet")
    path = folder / "many.parquet"
    many = pa.concat_tables([table] * (rows // len(table) + 1)).slice(0, rows)
    pq.write_table(many, path, row_group_size=_GROUP_ROWS)
    return path


def _pandas(opened: Package, estimator: object, path: Path, out: Path) -> None:
    """What one would write by hand: read, predict, write."""
    names = [feature.name for feature in opened.manifest.features]
    writer = None
    for batch in pq.ParquetFile(path).iter_batches(_CHUNK_ROWS):
        frame = batch.to_pandas()
        frame["score"] = estimator.predict_proba(frame[names])[:, 1]  # type: ignore[attr-defined]
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _sql(opened: Package, path: Path, out: Path, threads: int | None) -> None:
    connection = stream.sql.connect(opened)
    if threads:
        connection.execute(f"SET threads = {threads}")
    connection.execute(f"COPY (SELECT *, predict_score(f) AS score FROM '{path}' f) TO '{out}'")
    connection.close()


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sql", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, out = _file(Path(folder), given.rows), Path(folder) / "out.parquet"
        for model in BOTH:
            opened = open_package(package(model))
            estimator = opened.model.estimator
            contestants: dict[str, Callable[[], None]] = {
                "pandas": lambda: _pandas(opened, estimator, path, out),  # noqa: B023  # called within the turn
                "SQL": lambda: _sql(opened, path, out, None),  # noqa: B023
                "SQL, 2 threads": lambda: _sql(opened, path, out, 2),  # noqa: B023
                "SQL, 1 thread": lambda: _sql(opened, path, out, 1),  # noqa: B023
            }
            rates: dict[str, list[float]] = {name: [] for name in contestants}
            cpu: dict[str, list[float]] = {name: [] for name in contestants}
            for _ in range(given.runs):
                for name, run in contestants.items():
                    start, used = time.perf_counter(), time.process_time()
                    run()
                    rates[name].append(given.rows / (time.perf_counter() - start))
                    cpu[name].append((time.process_time() - used) / given.rows * 1e6)
            for name, each in rates.items():
                shown = ", ".join(f"{rate:,.0f}" for rate in sorted(each))
                print(
                    f"{model:4} {name:16} {statistics.median(each):>10,.0f} rows/s  ({shown})"
                    f"  {statistics.median(cpu[name]):6.1f} µs of CPU a row",
                    flush=True,
                )


if __name__ == "__main__":
    main()
