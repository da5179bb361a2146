"""Ends spans in the background: one at a time, while the engine works on the next batch."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from stream.errors import Stopped, StreamError

__all__ = ["Settlement", "Silence"]

STEP_S = 1.0
"""Between two looks there are 0.2 s; more than this is a pause of the whole process."""


class Settlement:
    """A slot for one procedure that runs in a thread of its own. Owned by the engine's thread."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether a procedure was started and `wait` has not yet seen its end."""
        return self._thread is not None

    def start(self, procedure: Callable[[], None]) -> None:
        """
        Run a procedure in the background.

        Raises: RuntimeError when the slot is taken (a bug).
        """
        if self.busy:
            raise RuntimeError("the one before has not been waited for")
        self._thread = threading.Thread(target=self._run, args=(procedure,), name="settlement", daemon=True)
        self._thread.start()

    def _run(self, procedure: Callable[[], None]) -> None:
        try:
            procedure()
        except StreamError as error:
            self._error = error
        finally:
            # A bug is printed by this thread and must reach the engine's thread as well.
            self._error = self._error or sys.exception()

    def wait(self, timeout_s: float) -> bool:
        """
        Wait for the procedure's end.

        Returns: True when the slot is free; False when time ran out.
        Raises: what the procedure raised, once.
        """
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return True


class Silence:
    """How long a client has not come back from a call that has a time limit of its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """
        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._looked_at = 0.0
        self._seconds = 0.0

    def begin(self) -> None:
        """The call begins."""
        self._looked_at, self._seconds = self._clock(), 0.0

    def look(self, limit_s: float) -> None:
        """
        The call has still not come back.

        Raises: Stopped after so many seconds. A pause of the whole process, as by SIGSTOP, is none of them.
        """
        now = self._clock()
        self._seconds += min(now - self._looked_at, STEP_S)
        self._looked_at = now
        if self._seconds > limit_s:
            raise Stopped(
                f"the Kafka client has not come back for {self._seconds:.0f} s from the end of a transaction",
                mend="restart the worker: it goes on at the last commit",
            )
