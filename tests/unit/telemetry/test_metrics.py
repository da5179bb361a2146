"""The table of metrics, and what a process exposes of it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import get_args

import pytest

from stream import reasons
from stream.telemetry import TABLE, CounterName, GaugeName, HistogramName, Metrics, memory_limit


def test_names_for_the_type_check_are_those_of_the_table() -> None:
    """Each kind's names are the table's, so that none can be counted that is not declared."""
    names = {"counter": CounterName, "gauge": GaugeName, "histogram": HistogramName}

    for kind, literal in names.items():
        assert set(get_args(literal)) == {metric.name for metric in TABLE if metric.kind == kind}


def test_process_shows_what_it_runs_on() -> None:
    """The client library's own metrics of process, platform and garbage collector, and our versions."""
    text = Metrics().text().decode()

    for name in ("process_resident_memory_bytes ", "python_info{", "python_gc_collections_total{"):
        assert f"\n{name}" in text
    assert 'stream_build_info{python="3.' in text


def test_what_can_happen_is_counted_from_nought() -> None:
    """Prometheus sees no rise in a series that begins with 1."""
    lines = Metrics().text().decode().splitlines()

    assert 'stream_reloads_total{result="refused"} 0.0' in lines
    assert 'stream_rebalances_total{kind="lost"} 0.0' in lines
    assert 'stream_commits_total{result="unknown"} 0.0' in lines
    for reason in reasons.TABLE:
        for stage in reason.stages:
            assert f'stream_dead_letters_total{{reason="{reason.name}",stage="{stage}"}} 0.0' in lines
    assert {} == Metrics().by("stream_dead_letters_total", "reason")


def test_time_is_that_of_the_moment_of_asking() -> None:
    """So that Prometheus can compare it with its own."""
    metrics = Metrics("serve")
    before = time.time()

    assert before <= metrics.value("stream_time_seconds") <= time.time()


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {}, math.inf),
        ("0::/\n", {"memory.max": "max\n"}, math.inf),
        ("0::/\n", {"memory.max": "1048576\n"}, 1048576),
        ("0::/a/b\n", {"a/memory.max": "10\n", "a/b/memory.max": "20\n"}, 10),
        ("0::/a/b\n", {"a/memory.max": "max\n", "a/b/memory.max": "20\n"}, 20),
        ("0::/not/seen/here\n", {"memory.max": "30\n"}, 30),
        ("4:cpu,memory:/a\n1:name=x:/b\n0::/\n", {"memory/a/memory.limit_in_bytes": "40\n"}, 40),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, math.inf),
        ("0::/../up\n", {"memory.max": "50\n"}, 50),
        (None, {"memory.max": "60\n"}, math.inf),
    ],
)
def test_memory_limit_is_the_tightest_of_the_groups(
    tmp_path: Path, groups: str | None, files: dict[str, str], limit: float
) -> None:
    """Both versions of control groups; in a container the group's own path may not be seen."""
    if groups is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert limit == memory_limit(tmp_path)
