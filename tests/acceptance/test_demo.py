"""`stream demo` as a process, on the embedded broker and on a real one."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.demo.corruption import KINDS
from stream.settings import KafkaSettings
from stream.transport import Reader
from tests.acceptance.process import Process, run
from tests.conftest import Kafka
from tests.kafka.process import free_ports

END_S = 110.0
"""A run of 500 events takes 12 s alone on two cores, most of it imports and the flights' files."""

AUC = (0.83, 0.95)
"""500 flights, the same in every run: the model had 0.893 on all that were held out when it was packed."""

KEYS = ["events", "predictions", "dead_letters", "auc", "events_per_second", "p50_ms", "p99_ms"]


@contextmanager
def demo(folder: Path, *arguments: str, port: int | None = None) -> Iterator[Process]:
    """`stream demo --no-browser …` with temporary files of its own."""
    chosen = port or free_ports(1)[0]
    environ = {"TMPDIR": str(folder)}
    with run(
        folder, "demo", "demo", "--no-browser", "--port", str(chosen), *arguments, environ=environ
    ) as process:
        yield process


def left_behind(folder: Path) -> list[str]:
    """Names of the demo's temporary folders that are still there."""
    return [path.name for path in folder.glob("stream-demo-*")]


def worker_of(folder: Path) -> int | None:
    """The process id of the demo's worker, found by the configuration that it runs with."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if b"worker" in command and str(folder).encode() in command and b"setpriv" not in command:
            return int(path.parent.name)
    return None


def result(process: Process) -> dict[str, float]:
    """The one line on stdout."""
    [line] = process.output().splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_500_events_without_kafka(tmp_path: Path) -> None:
    """Every event comes back; the AUC is that of the truth; dead letters say what was spoiled."""
    with demo(tmp_path, "--events", "500", "--exit") as process:
        assert process.end(END_S) == 0, process.tail()

    found = result(process)
    assert KEYS == [key for key in found if key in KEYS]
    assert (500, 494, 6, 0) == tuple(
        found[k] for k in ("events", "predictions", "dead_letters", "duplicates")
    )
    assert AUC[0] <= found["auc"] <= AUC[1]
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert all(reason in process.text() for reason in KINDS), process.tail()
    assert "at-least-once" in process.text()
    assert left_behind(tmp_path) == []


@pytest.mark.slow
@pytest.mark.kafka
def test_500_events_on_a_real_kafka(tmp_path: Path, kafka: Kafka) -> None:
    """The same, on fresh topics that are named and stay."""
    with demo(tmp_path, "--events", "500", "--exit", "--kafka", kafka.bootstrap) as process:
        assert process.end(END_S) == 0, process.tail()

    found = result(process)
    assert (500, 494, 6) == tuple(found[k] for k in ("events", "predictions", "dead_letters"))
    assert AUC[0] <= found["auc"] <= AUC[1]
    topic = next(w.strip(",") for w in process.text().split() if w.strip(",").endswith(".deadletters"))
    reader = Reader(KafkaSettings(kafka.bootstrap), topic, "earliest")
    letters = sum(len(batch) for batch in reader.batches(idle_s=5.0))
    reader.close()
    assert letters == 6


@pytest.mark.slow
def test_without_exit_the_flights_go_on_until_a_signal(tmp_path: Path) -> None:
    """The result is printed, the live page has something to show; Ctrl-C ends all and leaves nothing behind."""
    [port] = free_ports(1)
    with demo(tmp_path, "--events", "100", port=port) as process:
        process.until(lambda: process.output().endswith("}\n"), END_S, "the result")
        process.says("The flights go on")
        process.says(f"http://127.0.0.1:{port}/")
        process.until(lambda: records_of(port) > 200, 60, "the flights once more")
        assert {"late", "on time"} & set(truths_of(port))
        os.kill(worker_parent(tmp_path), signal.SIGINT)
        assert process.end(60) == 0, process.tail()

    assert result(process)["events"] == 100
    assert worker_of(tmp_path) is None
    assert left_behind(tmp_path) == []


def records_of(port: int) -> int:
    """How many records the worker has counted so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=60) as answer:
        return int(json.load(answer)["records"])


def truths_of(port: int) -> list[str]:
    """What the live page says of the latest flights."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/live/events", timeout=60) as events:
        for line in events:
            if line.startswith(b"data:") and (rows := json.loads(line[5:])["latest"]):
                return [row["truth"]["text"] for row in rows if row["truth"]]
    raise AssertionError("the stream ended")


def worker_parent(folder: Path) -> int:
    """The demo's own process id."""
    worker = worker_of(folder)
    assert worker is not None
    status = Path(f"/proc/{worker}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    """kill -9 of the worker in the middle: exit 1, its log's end on stderr, no result on stdout."""
    with demo(tmp_path, "--events", "5000", "--rate", "100", "--exit") as process:
        process.until(lambda: "sent " in process.text(), END_S, "the first events")
        worker = worker_of(tmp_path)
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        assert process.end(60) == 1, process.tail()

    assert "the worker ended with exit code -9" in process.text()
    assert "flights@1 reads flights.features" in process.text()
    assert process.output() == ""
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_more_events_than_flights_is_bad_usage(tmp_path: Path) -> None:
    """Exit 2, the greatest number named, nothing left behind."""
    with demo(tmp_path, "--events", "70000", "--exit") as process:
        assert process.end(END_S) == 2, process.tail()

    assert "65,705 flights" in process.text()
    assert process.output() == ""
    assert worker_of(tmp_path) is None
    assert left_behind(tmp_path) == []
