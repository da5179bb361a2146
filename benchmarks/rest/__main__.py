"""`python -m benchmarks.rest`."""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastavro

from benchmarks.packages import package
from benchmarks.process import end_all_on_sigterm
from benchmarks.rest.contestants import CONTESTANTS, Contestant

ROOT = Path(__file__).parents[2]

CLIENTS = (1, 16)

_FEATURES = ("carrier", "origin", "dest", "distance", "dep_delay", "weekday", "hour", "temp", "humid", "wind_speed",
             "precip", "pressure", "visib")  # fmt: skip


def main() -> None:
    """Measure all contestants by turns; a table, and one line of JSON last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="by turns; medians are shown (default: 3)")
    parser.add_argument("--only", default=",".join(CONTESTANTS), help="contestants, separated by commas")
    options = parser.parse_args()
    end_all_on_sigterm()
    model = package("lr")
    rows, labels = _rows(model)
    folder = ROOT / ".cache" / "bench" / "rest"
    contestants = {name: CONTESTANTS[name](model, folder / name) for name in options.only.split(",")}
    results: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for number in range(options.rounds):
        for name, contestant in contestants.items():
            for clients, result in _measure(contestant, rows, labels, options.seconds).items():
                results.setdefault((name, clients), []).append(result)
                print(f"round {number + 1} {name} {clients}: {result}", file=sys.stderr)
    _report(results)


def _rows(model: Path) -> tuple[list[dict[str, Any]], list[bool]]:
    """The golden rows and their labels."""
    version = (model / "current").read_text().strip()
    with (model / "versions" / version / "golden.avro").open("rb") as file:
        golden: list[Any] = list(fastavro.reader(file))
    rows = [{name: row["event"][name] for name in _FEATURES} for row in golden]
    # MLServer has no null in a tensor: everybody gets rows without.
    whole = [i for i, row in enumerate(rows) if None not in row.values()]
    return [rows[i] for i in whole], [golden[i]["answer"]["label"] for i in whole]


def _measure(
    contestant: Contestant, rows: list[dict[str, Any]], labels: list[bool], seconds: float
) -> dict[int, dict[str, Any]]:
    """One start of the server, all numbers of clients."""
    found: dict[int, dict[str, Any]] = {}
    port, *more = _free_ports(3)
    with contestant.running(port, more) as url:
        for clients in CLIENTS:
            plan = {
                "url": f"{url}{contestant.path()}",
                "bodies": [contestant.body(row) for row in rows],
                "clients": clients,
                "seconds": seconds,
            }
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.rest.load"],
                input=json.dumps(plan),
                capture_output=True,
                text=True,
                cwd=ROOT,
                check=True,
            )
            found[clients] = _summary(contestant, json.loads(done.stdout), labels)
    return found


def _summary(contestant: Contestant, result: dict[str, Any], labels: list[bool]) -> dict[str, Any]:
    """Requests per second, latencies and errors; ends the benchmark when a label is another than packed."""
    for row, text in result["answers"].items():
        label = contestant.label(json.loads(text))
        if label != labels[int(row)]:
            raise SystemExit(
                f"{type(contestant).__name__}, row {row}: expected {labels[int(row)]}, found {label}"
            )
    latencies = sorted(result["latencies_ms"])
    cut = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {
        "requests_per_second": round(len(latencies) / result["seconds"], 1),
        "p50_ms": round(cut[49], 1),
        "p99_ms": round(cut[98], 1),
        "errors": result["errors"],
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _report(results: dict[tuple[str, int], list[dict[str, Any]]]) -> None:
    """Medians over the rounds."""
    medians = {
        (name, clients): {
            key: statistics.median(one[key] for one in rounds)
            for key in ("requests_per_second", "p50_ms", "p99_ms")
        }
        | {"errors": sum(sum(one["errors"].values()) for one in rounds)}
        for (name, clients), rounds in results.items()
    }
    print("| server | clients | requests/s (of rounds) | p50 ms | p99 ms | errors |")
    print("|---|--:|--:|--:|--:|--:|")
    for (name, clients), median in medians.items():
        all_of = [one["requests_per_second"] for one in results[name, clients]]
        print(
            f"| {name} | {clients} | {median['requests_per_second']:,.0f} ({min(all_of):,.0f}–{max(all_of):,.0f}) "
            f"| {median['p50_ms']:.1f} | {median['p99_ms']:.1f} | {median['errors']} |"
        )
    print(json.dumps({f"{name}/{clients}": median for (name, clients), median in medians.items()}))


if __name__ == "__main__":
    main()
