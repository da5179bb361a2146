"""The table of metrics, and what a process exposes of it."""

from __future__ import annotations

from typing import get_args

from stream.telemetry import TABLE, CounterName, GaugeName, HistogramName, Metrics


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
