"""Spans of requests: what a collector gets of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.testclient import TestClient

from stream.app.rest_process import build_rest
from stream.settings import TelemetrySettings
from stream.tracing.trace_context import traceparent
from tests.collector import attributes, collecting
from tests.unit.rest.models import GIVEN, settings_for

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
SAMPLED = {"traceparent": traceparent(TRACE, 0xABC).decode(), "tracestate": "vendor=1"}


def spans_of(package: Path, *requests: dict[str, Any], sample: float = 0.0) -> list[Span]:
    """What is sent to a collector for these requests."""
    with collecting() as collector:
        telemetry = TelemetrySettings(traces=True, endpoint=collector.url, sample=sample)
        rest = build_rest(replace(settings_for(package), telemetry=telemetry))
        with TestClient(rest.app, raise_server_exceptions=False) as client:
            for request in requests:
                client.request(**{"method": "POST", "url": "/predict", "json": GIVEN, **request})
        return collector.spans


def test_request_of_a_sampled_trace_has_a_span(people_package: Path) -> None:
    """A child of what the header names, with the conventions' attributes, whatever the answer is."""
    good, bad = spans_of(
        people_package, {"headers": SAMPLED}, {"headers": SAMPLED, "json": {"nonsense-secret": 1}}
    )

    assert ("POST /predict", Span.SPAN_KIND_SERVER) == (good.name, good.kind)
    assert (TRACE, 0xABC) == (
        int.from_bytes(good.trace_id, "big"),
        int.from_bytes(good.parent_span_id, "big"),
    )
    assert "vendor=1" == good.trace_state
    assert {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "url.path": "/predict",
        "url.scheme": "http",
        "stream.model": "people@1",
    } == attributes(good)
    assert 422 == attributes(bad)["http.response.status_code"]
    assert 0 == bad.status.code
    assert good.start_time_unix_nano < good.end_time_unix_nano
    assert "secret" not in str(bad)


@pytest.mark.parametrize(("sample", "expected"), [(0.0, 0), (1.0, 1)])
def test_request_without_a_trace_is_sampled_here(people_package: Path, sample: float, expected: int) -> None:
    """One that says it is not sampled never is."""
    not_sampled = {"traceparent": SAMPLED["traceparent"][:-1] + "0"}
    found = spans_of(people_package, {}, {"headers": not_sampled}, sample=sample)

    assert expected == len(found)
    assert [b""] * expected == [span.parent_span_id for span in found]
