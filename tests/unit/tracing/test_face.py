"""The room's libraries are an extra: nothing else may need them to be there."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

import stream
from stream import extras
from stream.app.reports import reporting_of
from stream.errors import SettingsError
from stream.settings import Settings, TelemetrySettings
from stream.telemetry import Metrics

ROOT = Path(stream.__file__).parent


def test_no_module_loads_the_room_when_it_is_loaded() -> None:
    """Other rooms import it for types only, or where it is used."""
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.parent != ROOT / "tracing"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("stream.tracing")
    ]

    assert [] == found


@pytest.mark.parametrize("chosen", [TelemetrySettings(traces=True), TelemetrySettings(metrics=True)])
def test_missing_extra_is_named(chosen: TelemetrySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it, and how to do without; also where only the API is installed."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None if "sdk" in name else find_spec(name))
    monkeypatch.setattr("sys.prefix", "/elsewhere")  # not in a clone
    with pytest.raises(SettingsError, match=r"\[telemetry\] needs opentelemetry.sdk") as found:
        reporting_of(Settings(telemetry=chosen), Metrics(), "s", "i", worker=True)

    assert "prediction-stream[otel]" in found.value.hint


def test_nothing_is_needed_where_nothing_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None)

    assert reporting_of(Settings(), Metrics(), "s", "i", worker=True) is None
