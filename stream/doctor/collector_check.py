"""The OpenTelemetry collector: does it take what is sent to it?"""

from __future__ import annotations

from stream.app import sends_telemetry
from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, ok, warn

__all__ = ["collector"]

ANSWER_S = 2.0
"""For one signal's collector."""


def collector(case: Case) -> Diagnosis:
    """Would it take spans and metrics, where they are sent? It is sent requests in which nothing is."""
    if not sends_telemetry(case.settings):
        return ok("[telemetry]", "neither traces nor metrics are sent to a collector")
    from stream.tracing import ask_collectors

    found = ask_collectors(case.settings, case.deadline.left_s(ANSWER_S))
    if not found:
        return ok("[telemetry]", "OTEL_SDK_DISABLED is set: nothing is sent to a collector")
    about = ", ".join(dict.fromkeys(place for _, place, _ in found))
    refused = [f"takes no {signal}: {why}" for signal, _, why in found if why]
    if not refused:
        return ok(about, f"takes {' and '.join(signal for signal, _, _ in found)}")
    return warn(
        about,
        f"{'; '.join(refused)}; what is sent is dropped until it does, and the worker runs on",
        "start the collector, or correct [telemetry] endpoint (OTLP over HTTP, often port 4318) or headers",
    )
