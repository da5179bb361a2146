"""Procedures in a thread of their own: their errors arrive, and one that hangs is left behind."""

from __future__ import annotations

import threading

import pytest

from stream import background
from stream.background import Background, NeverBack, bounded


class Expected(Exception):
    """What a procedure may raise."""


def fail() -> None:
    """A procedure that ends badly."""
    raise Expected("why")


class TestBackground:
    """One slot."""

    def test_error_is_raised_once_by_wait(self) -> None:
        """And the slot is free again."""
        slot = Background(Expected)
        slot.start(fail)

        with pytest.raises(Expected, match="why"):
            slot.wait(10.0)
        assert slot.wait(0.0)
        assert not slot.busy

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_bug_reaches_the_owner_too(self) -> None:
        """A thread's own exception would be printed and lost."""
        slot = Background()
        slot.start(fail)

        with pytest.raises(Expected):
            slot.wait(10.0)

    def test_taken_slot_is_refused(self) -> None:
        """One at a time."""
        slot, go = Background(), threading.Event()
        slot.start(go.wait)

        assert not slot.wait(0.0)
        with pytest.raises(RuntimeError, match="waited for"):
            slot.start(fail)
        go.set()
        assert slot.wait(10.0)


class TestBounded:
    """A limit for what does not keep its own."""

    def test_call_that_does_not_come_back_is_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may end later; nobody is told."""
        monkeypatch.setattr(background, "GRACE_S", 0.01)
        go, done = threading.Event(), threading.Event()

        with pytest.raises(NeverBack):
            bounded(lambda: (go.wait(), done.set()), 0.01)
        assert not done.is_set()
        go.set()
        assert done.wait(10.0)

    def test_call_that_is_late_is_waited_for(self) -> None:
        """The grace: a process that was stopped finds its limit over when it goes on."""
        late = threading.Event()
        threading.Timer(0.2, late.set).start()

        bounded(late.wait, 0.0)

        assert late.is_set()

    def test_error_of_the_call_is_raised(self) -> None:
        """As if it had been called here."""
        with pytest.raises(Expected, match="why"):
            bounded(fail, 10.0, Expected)
