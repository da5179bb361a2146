"""Procedures in a thread of their own: one at a time, or with a time limit that they do not enforce themselves."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue

__all__ = ["Background", "Bounded", "CallHung"]

GRACE_S = 3.0
"""Waited for once a call's own limit is over, so that a pause of the whole process does not use it up."""


class Background:
    """
    A slot for one procedure. Owned by one thread, which starts it and waits for it.

    Its thread stays for the next procedure: where memory is short, starting a thread can take for ever.
    """

    def __init__(self, *expected: type[Exception]) -> None:
        """
        Args:
            expected: errors that are only handed to the owner; any other is a bug, and is printed at once as well.
        """
        self._expected = expected
        self._thread: threading.Thread | None = None
        self._tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self.busy = False
        """Whether a procedure was started and `wait` has not yet seen its end."""
        self._end = weakref.finalize(self, self._tasks.put, None)

    def start(self, procedure: Callable[[], object]) -> None:
        """
        Run a procedure in the background.

        Raises: RuntimeError when the slot is taken (a bug).
        """
        if self.busy:
            raise RuntimeError("the one before has not been waited for")
        if self._thread is None:
            does = (self._tasks, self._ends, self._expected)
            self._thread = threading.Thread(target=_serve, args=does, name="background", daemon=True)
            self._thread.start()
        self.busy = True
        self._tasks.put(procedure)

    def close(self) -> None:
        """End the thread as soon as it has nothing to do; nothing can be started any more. Idempotent."""
        self._end()

    @property
    def running(self) -> bool:
        """Whether a procedure was started and has not come to its end yet; any thread may ask."""
        return self.busy and self._ends.empty()

    def wait(self, timeout_s: float) -> bool:
        """
        Wait for the procedure's end.

        Returns: True when the slot is free; False when time ran out.
        Raises: what the procedure raised, once.
        """
        if not self.busy:
            return True
        try:
            error = self._ends.get(timeout=timeout_s) if timeout_s > 0 else self._ends.get_nowait()
        except Empty:
            return False
        self.busy = False
        if error is not None:
            if not isinstance(error, self._expected):
                self._thread = None  # this error ends it
            raise error
        return True


def _serve(
    tasks: SimpleQueue[Callable[[], object] | None],
    ends: SimpleQueue[BaseException | None],
    expected: tuple[type[Exception], ...],
) -> None:
    """Holds no reference to its owner, and ends when that is gone."""
    while (procedure := tasks.get()) is not None:
        error: BaseException | None = None
        try:
            procedure()
        except expected as raised:
            error = raised
        finally:
            # A bug ends this thread, which prints it, and must reach the owner as well.
            ends.put(error or sys.exception())
        del procedure, error


class CallHung(Exception):
    """A call has not returned in time. It may still return, and may or may not have its effect."""


class Bounded:
    """Calls with a time limit, one at a time. Owned by one thread."""

    def __init__(self, *expected: type[Exception]) -> None:
        """
        Args:
            expected: see `Background`.
        """
        self._expected = expected
        self._slot = Background(*expected)

    def do(
        self, call: Callable[[], object], limit_s: float, meanwhile: Callable[[], bool] = lambda: False
    ) -> None:
        """
        Make a call in a thread of its own, and leave it there when it does not return.

        Args:
            call: shares nothing that is used afterwards: it may end at any time.
            limit_s: its own limit, in seconds.
            meanwhile: done in this thread, again while it returns True and the call is under way; raises nothing.
        Raises: what the call raises; CallHung.
        """
        until = time.monotonic() + limit_s
        self._slot.start(call)
        while meanwhile() and self._slot.running and time.monotonic() < until:
            pass
        if not self._slot.wait(max(0.0, until - time.monotonic())) and not self._slot.wait(GRACE_S):
            self._slot = Background(*self._expected)
            raise CallHung
