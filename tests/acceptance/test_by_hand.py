"""From nothing to predictions with the commands that a person would type, on the flights' model."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from confluent_kafka.admin import AdminClient

from tests.acceptance.process import ROOT, Process, Setup, Worker, run
from tests.conftest import Kafka
from tests.kafka.topics import Topics

pytestmark = pytest.mark.kafka

FLIGHT: dict[str, Any] = {
    "flight_id": "2013-10-20-UA-1545-EWR",
    "carrier": "UA",
    "flight": 1545,
    "month": 10,
    "origin": "EWR",
    "dest": "IAH",
    "distance": 1400.0,
    "dep_delay": 2.0,
    "weekday": 6,
    "hour": 5,
    "departed_at": "2013-10-20T09:15:00Z",
    "scheduled": "2013-10-20T09:13:00Z",
}

ROWS = 20


@pytest.fixture
def flights(kafka: Kafka, tmp_path: Path) -> Iterator[Setup]:
    """A configuration for the packed flights model; its topics are not there yet."""
    topics = Topics(kafka.bootstrap)
    names = [topics.name(base) for base in ("flights.features", "flights.predictions", "flights.deadletters")]
    schema = str(ROOT / "schemas" / "flight.avsc")
    tables = {"input": {"schema": schema, "partitions": 2}}
    group, package = topics.name("group"), ROOT / "models" / "flights"
    yield Setup(tmp_path, kafka.bootstrap, group, names[0], names[1], names[2], package, tables)
    AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0}).delete_topics(names)


def _rows() -> list[dict[str, Any]]:
    schema = json.loads((ROOT / "schemas" / "flight.avsc").read_text())
    empty = {field["name"]: None for field in schema["fields"]}
    return [{**empty, **FLIGHT, "flight_id": f"flight-{n}", "dep_delay": 10.0 * n} for n in range(ROWS)]


def _write(folder: Path, kind: str) -> Path:
    file = folder / f"flights.{kind}"
    rows = _rows()
    if kind == "csv":
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "jsonl":
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        frame = pd.DataFrame(rows)
        for name in ("departed_at", "scheduled"):
            frame[name] = pd.to_datetime(frame[name])
        frame.to_parquet(file)
    return file


def _stream(folder: Path, name: str, *arguments: str, code: int = 0) -> Process:
    """Run a command to its end, which must be this exit code."""
    with run(folder, name, *arguments) as process:
        assert code == process.end(), process.tail()
    return process


def test_five_lines_from_nothing_to_predictions(flights: Setup, workers: Callable[..., Worker]) -> None:
    """topics --create, produce, worker, watch, status: each flight of three files comes out scored, and alike."""
    config = ("--config", str(flights.write("hand", 1)))
    folder = flights.folder

    missing = _stream(folder, "missing", "topics", *config, code=1)
    assert flights.input in missing.text()
    made = json.loads(_stream(folder, "topics", "topics", "--create", "--json", *config).output())
    assert {flights.input: 2, flights.output: 2, flights.dead: 2} == {
        row["topic"]: row["partitions"] for row in made
    }
    for kind in ("csv", "jsonl", "parquet"):
        _stream(folder, kind, "produce", str(_write(folder, kind)), "--key", "flight_id", *config)
    worker = workers(flights).ready()
    watched = _stream(folder, "watch", "watch", "--n", str(3 * ROWS), "--from", "earliest", *config).output()
    lines = [json.loads(line) for line in watched.splitlines()]

    def settled() -> bool:
        return bool(worker.status()["records"] == 3 * ROWS)

    worker.until(settled, 60, "all records counted")
    worker.terminate()
    assert 0 == worker.end(60), worker.tail()
    told = json.loads(_stream(folder, "status", "status", "--json", *config).output())

    assert 3 * ROWS == len(lines)
    assert {row["flight_id"] for row in _rows()} == {line["key"] for line in lines}
    assert all(0 <= line["score"] <= 1 for line in lines)
    by_flight: dict[str, set[float]] = {}
    for line in lines:
        by_flight.setdefault(line["key"], set()).add(round(line["score"], 6))
    assert {1} == {len(scores) for scores in by_flight.values()}, "one flight, three files, one answer"
    assert (0, 0) == (told["lag"], told["dead_letters"])
    assert 3 * ROWS == sum(p["committed"] or 0 for p in told["partitions"])


@pytest.mark.slow
def test_bad_row_is_named(flights: Setup) -> None:
    """A cell that does not fit ends `produce` with file, row and column."""
    config = str(flights.write("hand", 1))
    _stream(flights.folder, "topics", "topics", "--create", "--config", config)
    file = _write(flights.folder, "csv")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:4], lines[4].replace("1400.0", "far"), *lines[5:]]))

    said = _stream(flights.folder, "produce", "produce", str(file), "--config", config, code=2).text()

    assert "flights.csv:5:distance: " in said
    assert "'far'" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_absent_broker_is_exit_1_for_each_command(flights: Setup) -> None:
    """`topics` on a broker that is not there says so, without a traceback."""
    nowhere = replace(flights, bootstrap="127.0.0.1:1")
    config = str(nowhere.write("nowhere", 1))

    said = _stream(flights.folder, "topics", "topics", "--config", config, code=1).text()

    assert "127.0.0.1:1" in said
    assert "Traceback" not in said
