"""
What each way to answer costs, with the demo's model: the table of docs/strategies.md, in one run on one machine.

    python -m benchmarks.strategies

* `worker`: `stream worker`, from a topic that is filled beforehand, and at 100 events/s (`benchmarks.latency`).
* `serve`: 1 client, then 16, each asking for one row and waiting; CPU of the second.
* `batch`, `sql`: one parquet file from the start of the process to its end; the start is that of a file of 100 rows.

CPU is user and system time per row. Memory is the largest resident size of the worker and the service, and of all
processes of the two others together (proportional set size).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import fastavro

from benchmarks.batch import measure, resampled
from benchmarks.packages import ROOT, package
from benchmarks.process import Contestant, end_all_on_sigterm
from tests.kafka.process import free_ports

__all__ = ["Cost", "main", "table"]

_MODEL = "hgb"
_FEW = 100
"""Rows of a file whose scoring takes no time: what is left is the start."""

_READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What one way costs.

    Attributes:
        way: its command.
        rows_per_s: answered.
        cpu_us: user and system time of a row, µs.
        start_s: from the start of the process to its first answer.
        p50_ms: half of the answers come within; None where nobody waits for one row.
        p99_ms: 99 of 100 come within.
        peak_mib: memory, MiB.
    """

    way: str
    rows_per_s: float
    cpu_us: float
    start_s: float
    p50_ms: float | None
    p99_ms: float | None
    peak_mib: float


def table(costs: Sequence[Cost]) -> str:
    """Markdown, a line for each way."""
    lines = [
        "| way | rows/s | CPU µs/row | first answer after s | p50 ms | p99 ms | memory MiB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in costs:
        delays = ["–" if ms is None else f"{ms:.1f}" for ms in (one.p50_ms, one.p99_ms)]
        cells = [f"{one.rows_per_s:,.0f}", f"{one.cpu_us:,.1f}", f"{one.start_s:.1f}", *delays]
        lines.append(f"| `{one.way}` | {' | '.join(cells)} | {one.peak_mib:,.0f} |")
    return "\n".join(lines)


def _worker(events: int, seconds: float) -> Cost:
    common = ("--runs", "1", "--model", _MODEL, "--only", "worker")
    [rate] = _last_line("benchmarks", "--events", str(events), *common)["summaries"]
    [delay] = _last_line("benchmarks.latency", "--rates", "100", "--seconds", str(seconds), *common)[
        "summaries"
    ]
    return Cost(
        "stream worker", rate["events_per_s"], rate["cpu_us"], rate["startup_s"],
        delay["p50_ms"], delay["p99_ms"], rate["peak_mib"],
    )  # fmt: skip


def _last_line(module: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _serve(folder: Path, seconds: float) -> list[Cost]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    model = package(_MODEL)
    command = [sys.executable, "-m", "stream", "serve", "--model", str(model), "--port", str(port)]
    costs = []
    with Contestant(command, folder / "serve.log") as process:
        _until_ready(process, f"{url}/v2/health/ready")
        start_s = time.time() - process.started
        for clients in (1, 16):
            before = process.cpu_s()
            plan = {
                "url": f"{url}/predict", "bodies": _rows(model), "clients": clients, "seconds": seconds,
            }  # fmt: skip
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.rest.load"],
                input=json.dumps(plan), stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True,
            )  # fmt: skip
            result = json.loads(done.stdout)
            if result["errors"]:
                raise RuntimeError(f"errors: {result['errors']}")
            delays = sorted(result["latencies_ms"])
            cut = quantiles(delays, n=100)
            # CPU of the warm-up, too, whose requests are not in `delays`: by the time that both took.
            share = seconds / (seconds + _WARM_UP_S)
            cpu_us = (process.cpu_s() - before) * share / len(delays) * 1e6
            way = f"stream serve, {clients} client{'s' * (clients > 1)}"
            rate, peak = len(delays) / seconds, process.peak_mib()
            costs.append(Cost(way, rate, cpu_us, start_s, cut[49], cut[98], peak))
    return costs


_WARM_UP_S = 2.0
"""Of benchmarks.rest.load."""


def _rows(model: Path) -> list[dict[str, Any]]:
    version = (model / "current").read_text().strip()
    with (model / "versions" / version / "golden.avro").open("rb") as file:
        golden: list[Any] = list(fastavro.reader(file))
    return [{name: value for name, value in row["event"].items() if value is not None} for row in golden]


def _until_ready(process: Contestant, url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        process.check()
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1.0) as answer:
            if answer.status == 200:
                return
        time.sleep(0.01)
    raise TimeoutError(f"not ready after {_READY_S:.0f} s")


def _files(folder: Path, rows: int) -> list[Cost]:
    few, many = folder / "few.parquet", folder / "many.parquet"
    resampled(few, _FEW)
    resampled(many, rows)
    model = str(package(_MODEL))
    stream = [sys.executable, "-m", "stream"]

    def batch(source: Path) -> list[str]:
        return [*stream, "batch", str(source), "--output", str(folder / source.stem), "--model", model]

    def sql(source: Path) -> list[str]:
        query = f"SELECT *, predict(f) AS prediction FROM '{source}' f"
        return [*stream, "sql", "--model", model, "--save", str(folder / f"{source.stem}.out.parquet"), query]

    costs = []
    for name, command in (("stream batch", batch), ("stream sql", sql)):
        start_s = measure(command(few)).seconds
        found = measure(command(many))
        cpu_us = found.cpu_s / rows * 1e6
        costs.append(Cost(name, rows / found.seconds, cpu_us, start_s, None, None, found.peak_mb))
    return costs


def main() -> None:
    """Measure each way in turn; a table, and one line of JSON last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strategies", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="on the topic (default: 200,000)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the file (default: 1,000,000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement of delays")
    options = parser.parse_args()
    end_all_on_sigterm()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="strategies-") as name:
        folder = Path(name)
        costs = [
            _worker(options.events, options.seconds),
            *_serve(folder, options.seconds),
            *_files(folder, options.rows),
        ]
    print(f"{os.cpu_count()} cores, load before {load:.1f}\n")
    print(table(costs))
    print(json.dumps([asdict(one) for one in costs]))


if __name__ == "__main__":
    main()
