"""The benchmark runs, and its contestants compute the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import DEFAULT
from benchmarks.topics import Topics
from tests.conftest import Kafka

ROOT = Path(__file__).parents[2]


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_contestants_agree_and_the_last_line_is_their_figures(kafka: Kafka) -> None:
    """Labels and scores of every contestant are compared by the benchmark itself: exit 0 says they agree."""
    arguments = ["--events", "20000", "--faust-events", "100", "--runs", "1", "--model", "hgb"]
    arguments += ["--only", ",".join([*DEFAULT, "loop-transactions"])]
    try:
        done = _bench(kafka.bootstrap, *arguments)
    finally:
        Topics(kafka.bootstrap).delete("bench.features.20000")

    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    runs = {run["contestant"]: run for run in found["runs"]}
    workers = {"worker", "worker-10000", "worker-alo", "worker-10000-alo"}
    assert workers | {"loop", "loop-transactions", "copy", "faust"} == runs.keys()
    assert {20_000} == {runs[name]["events"] for name in ("worker", "loop", "loop-transactions", "copy")}
    assert runs["worker"]["events_per_s"] > 20 * runs["faust"]["events_per_s"]


def _bench(bootstrap: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "KAFKA_BOOTSTRAP": bootstrap},
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
