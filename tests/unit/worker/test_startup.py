"""Waiting for broker and topics before the first poll."""

from __future__ import annotations

import logging

import pytest

from stream.errors import Retriable, StartupTimeout
from stream.worker import wait_for_topics


class Looks:
    """A cluster that answers as its list says, the last answer for ever."""

    def __init__(self, *answers: frozenset[str] | Retriable) -> None:
        self._answers = list(answers)

    def topics(self, timeout_s: float) -> frozenset[str]:
        """The next answer."""
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Retriable):
            raise answer
        return answer


def test_topics_that_come_late_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """What is missing is said once, and the wait ends when it is there."""
    looks = Looks(Retriable("down"), frozenset({"in"}), frozenset({"in"}), frozenset({"in", "out"}))

    with caplog.at_level(logging.WARNING):
        assert wait_for_topics(looks, ["in", "out"], "here:1", 60.0, lambda seconds: False)

    assert ["no broker answers at here:1 (down)", "topics missing on here:1: out"] == [
        record.getMessage().removeprefix("waiting: ").removesuffix(" (at most 60 s)")
        for record in caplog.records
    ]


def test_time_over_is_said_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    """Even when the first look takes all the time there is, the log tells what was waited for."""
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(StartupTimeout, match="topics missing on here:1: out"),
    ):
        wait_for_topics(Looks(frozenset({"in"})), ["in", "out"], "here:1", 0.0, lambda seconds: False)

    assert "waiting: topics missing" in caplog.text


def test_stop_ends_the_wait() -> None:
    """A worker that is asked to stop meanwhile does not go on waiting."""
    assert not wait_for_topics(Looks(Retriable("down")), ["in"], "here:1", 60.0, lambda seconds: True)
