"""The collector of `[telemetry]`: there, away, refusing, or at an address that can't be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stream.doctor.collector_check import collector
from stream.errors import SettingsError
from stream.settings import Secret, TelemetrySettings
from tests.collector import Collector, collecting
from tests.kafka.process import free_ports
from tests.unit.doctor.examined import case_of, settings

KEY = "Planted-key"


@pytest.fixture
def there() -> Iterator[Collector]:
    """A collector."""
    with collecting() as found:
        yield found


def told(endpoint: str, *, traces: bool = True, metrics: bool = True) -> tuple[str, str]:
    """State and line."""
    chosen = TelemetrySettings(traces, metrics, endpoint=endpoint, headers={"api-key": Secret(KEY)})
    line = collector(case_of(replace(settings(), telemetry=chosen)))
    return line.state, f"{line.looked_at}: {line.found} {line.next_step}"


def test_nothing_is_asked_where_nothing_is_sent() -> None:
    """No library is loaded either."""
    assert ("ok", "[telemetry]: neither traces nor metrics are sent to a collector ") == told(
        "", traces=False, metrics=False
    )


def test_nothing_is_asked_where_the_variable_turns_it_off(
    there: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the worker has it."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    assert ("ok", "[telemetry]: OTEL_SDK_DISABLED is set: nothing is sent to a collector ") == told(there.url)
    assert [] == there.headers


def test_collector_that_takes_both_is_ok_and_gets_nothing(there: Collector) -> None:
    """With the headers of the configuration; no span and no metric is in it."""
    assert ("ok", f"{there.url}: takes traces and metrics ") == told(there.url)
    assert [KEY, KEY] == [headers["api-key"] for headers in there.headers]
    assert [] == [*there.spans, *(each for sent in there.metrics for each in sent.resource_metrics)]


def test_collector_that_refuses_is_a_warning(there: Collector) -> None:
    """With its answer; the worker runs on. No key is in the line."""
    there.status = 401

    state, line = told(there.url, metrics=False)

    assert "warn" == state
    assert "takes no traces: HTTP 401" in line
    assert KEY not in line


def test_collector_that_is_away_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address and what to look at."""
    monkeypatch.setattr("stream.doctor.collector_check.ANSWER_S", 0.1)
    [port] = free_ports(1)

    state, line = told(f"http://127.0.0.1:{port}", traces=False)

    assert "warn" == state
    assert f"http://127.0.0.1:{port}: takes no metrics: ConnectionError" in line


def test_address_that_cannot_be_used_is_refused_in_the_workers_words() -> None:
    """Which the examination makes a `fail`."""
    with pytest.raises(SettingsError, match="endpoint"):
        told("collector:4318")
