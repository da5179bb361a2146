"""A registry that is not there yet is waited for, and the log says so."""

from __future__ import annotations

import logging

import pytest

from stream.app.registry_wait import wait_for_registry
from stream.errors import Retriable, SettingsError, StartupTimeout


class Answers:
    """Raises as its list says, then answers."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)

    def __call__(self) -> str:
        """The next one."""
        if self.faults:
            raise self.faults.pop(0)
        return "here"


def test_late_registry_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """Each reason is said once."""
    ask = Answers(Retriable("refused"), Retriable("refused"), Retriable("503"))

    with caplog.at_level(logging.WARNING):
        assert "here" == wait_for_registry(ask, 60.0, lambda seconds: None)

    assert ["waiting: refused (at most 60 s)", "waiting: 503 (at most 60 s)"] == caplog.messages


def test_registry_that_does_not_come_ends_the_start() -> None:
    """With the last reason and the key to look at."""
    with pytest.raises(StartupTimeout, match="refused.*waited 0 s") as caught:
        wait_for_registry(Answers(Retriable("refused")), 0.0, lambda seconds: None)

    assert "[schema_registry] url" in caught.value.hint


def test_what_waiting_does_not_repair_is_raised_at_once() -> None:
    """A schema that is not registered."""
    with pytest.raises(SettingsError):
        wait_for_registry(Answers(SettingsError("not registered")), 60.0, lambda seconds: None)
