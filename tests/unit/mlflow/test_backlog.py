"""What is to be given to a server by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stream.errors import Retriable, SettingsError
from stream.mlflow import backlog
from stream.mlflow.backlog import Backlog, Entry


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that no test waits for."""
    monkeypatch.setattr(backlog, "FIRST_PAUSE_S", 0.001)


def _silent() -> None:
    raise Retriable("no answer", hint="wait")


def _raising(error: Exception) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_urgent_entries_go_first_and_the_last_ones_last() -> None:
    """Each kind in its order."""
    seen: list[str] = []
    free = threading.Event()
    entries = Backlog(lambda: None)

    entries.put("first", free.wait)  # holds the thread up until all are queued
    entries.put("b", lambda: seen.append("b"))
    entries.put("c", lambda: seen.append("c"))
    entries.put("a", lambda: seen.append("a"), urgent=True)
    assert 4 == entries.waiting
    free.set()
    lost = entries.close([Entry("end", lambda: seen.append("end"))], 30, 30)

    assert (["a", "b", "c", "end"], {}) == (seen, lost)


def test_server_that_comes_back_gets_all() -> None:
    """An entry that found no answer is given again, in its place."""
    seen: list[str] = []
    answers = iter([False] * 5 + [True] * 2)

    def late() -> None:
        if not next(answers):
            _silent()
        seen.append("late")

    entries = Backlog(_silent)
    entries.put("late", late)
    entries.put("after", lambda: seen.append("after"))

    assert ({}, ["late", "after"]) == (entries.close([], 30, 30), seen)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (SettingsError("not a name", hint="correct it"), "not a name"),
        (ImportError("no boto3"), "ImportError: no boto3"),
        (Retriable("500 for this one", hint="wait"), "500 for this one"),
    ],
)
def test_what_an_answering_server_does_not_take_is_lost_and_said(error: Exception, why: str) -> None:
    """The entries behind it are given all the same."""
    seen: list[str] = []
    entries = Backlog(lambda: None)
    entries.put("bad", _raising(error))
    entries.put("good", lambda: seen.append("good"))

    assert ({("bad", why): 1}, ["good"]) == (entries.close([], 30, 30), seen)


def test_server_that_is_gone_does_not_hold_the_end_up() -> None:
    """What is left is lost, and so is the end of the run."""
    entries = Backlog(_silent)
    for _ in range(2):
        entries.put("metrics", _silent)

    lost = entries.close([Entry("end", _silent)], 0.01, 0.01)

    late = "the server took nothing in time"
    assert {("metrics", late): 2, ("end", late): 1} == lost


def test_call_that_hangs_does_not_hold_the_end_up() -> None:
    """The thread may never return: the process ends without it."""
    free = threading.Event()
    entries = Backlog(lambda: None)
    entries.put("hangs", free.wait)

    lost = entries.close([Entry("end", lambda: None)], 0.01, 0.01)
    free.set()

    assert ["hangs", "end"] == [what for what, _ in lost]
