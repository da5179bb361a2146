"""Procedures in a thread of their own: their errors arrive, and one that hangs is left behind."""

from __future__ import annotations

import threading

import pytest

from stream import background
from stream.background import Background, Bounded, CallHung


class Expected(Exception):
    """What a procedure may raise."""


def fail() -> None:
    """A procedure that ends badly."""
    raise Expected("why")


class Failing:
    """A procedure that ends badly, and knows its thread."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def fail(self) -> None:
        """Raise."""
        self.threads.append(threading.current_thread())
        fail()

    def join(self) -> None:
        """Wait for the end of the one thread that it ran in."""
        [thread] = self.threads
        thread.join(10.0)
        assert not thread.is_alive()


class TestBackground:
    """One slot."""

    def test_error_is_raised_once_by_wait(self) -> None:
        """The slot is free again."""
        slot = Background(Expected)
        slot.start(fail)

        with pytest.raises(Expected, match="why"):
            slot.wait(10.0)
        assert slot.wait(0.0)
        assert not slot.busy

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_bug_reaches_the_owner_too(self) -> None:
        """A thread's own exception would be printed and lost."""
        slot, thread = Background(), Failing()
        slot.start(thread.fail)

        with pytest.raises(Expected):
            slot.wait(10.0)
        thread.join()

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_slot_is_of_use_after_a_bug(self) -> None:
        """Its thread has ended with it."""
        slot, first, done = Background(), Failing(), threading.Event()
        slot.start(first.fail)
        with pytest.raises(Expected):
            slot.wait(10.0)

        slot.start(done.set)
        assert slot.wait(10.0)
        assert done.is_set()
        first.join()

    def test_thread_is_kept_and_ends_with_its_slot(self) -> None:
        """Starting one where memory is short can take for ever."""
        slot, threads = Background(), set[threading.Thread]()
        for _ in range(3):
            slot.start(lambda: threads.add(threading.current_thread()))
            assert slot.wait(10.0)
        [thread] = threads

        del slot
        thread.join(10.0)
        assert not thread.is_alive()

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
        go, done, bounded = threading.Event(), threading.Event(), Bounded()

        def late() -> None:
            go.wait()
            done.set()

        with pytest.raises(CallHung):
            bounded.do(late, 0.01)
        assert not done.is_set()
        bounded.do(lambda: None, 10.0)
        go.set()
        assert done.wait(10.0)

    def test_call_that_is_late_is_waited_for(self) -> None:
        """The grace: a process that was stopped finds its limit over when it goes on."""
        late = threading.Event()
        threading.Timer(0.2, late.set).start()

        Bounded().do(late.wait, 0.0)

        assert late.is_set()

    def test_something_else_is_done_while_the_call_is_under_way(self) -> None:
        """Here, as often as it asks for: the call waits for it."""
        go, left = threading.Event(), [3, 2, 1, 0]

        def meanwhile() -> bool:
            if (now := left.pop(0)) == 0:
                go.set()
            return now > 0

        Bounded().do(go.wait, 10.0, meanwhile)

        assert [] == left

    def test_something_else_ends_with_the_call(self) -> None:
        """Though there would be more."""
        Bounded().do(lambda: None, 10.0, lambda: True)

    def test_something_else_does_not_keep_a_call_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit counts from the beginning."""
        monkeypatch.setattr(background, "GRACE_S", 0.01)
        go = threading.Event()

        with pytest.raises(CallHung):
            Bounded().do(go.wait, 0.05, lambda: True)
        go.set()

    def test_error_of_the_call_is_raised(self) -> None:
        """As if it had been called here."""
        with pytest.raises(Expected, match="why"):
            Bounded(Expected).do(fail, 10.0)
