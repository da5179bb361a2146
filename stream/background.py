"""Procedures that run in a thread of their own: one at a time, or with a limit that they do not keep themselves."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

__all__ = ["Background", "NeverBack", "bounded"]

GRACE_S = 3.0
"""Beyond a call's own limit; waited for anew after it, so that a pause of the whole process is none of it."""


class Background:
    """A slot for one procedure. Owned by one thread, that starts it and waits for it."""

    def __init__(self, *expected: type[Exception]) -> None:
        """
        Args:
            expected: errors that are handed over without a word; any other is printed at once as well, as a bug is.
        """
        self._expected = expected
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether a procedure was started and `wait` has not yet seen its end."""
        return self._thread is not None

    def start(self, procedure: Callable[[], object]) -> None:
        """
        Run a procedure in the background.

        Raises: RuntimeError when the slot is taken (a bug).
        """
        if self.busy:
            raise RuntimeError("the one before has not been waited for")
        self._thread = threading.Thread(target=self._run, args=(procedure,), name="background", daemon=True)
        self._thread.start()

    def _run(self, procedure: Callable[[], object]) -> None:
        try:
            procedure()
        except self._expected as error:
            self._error = error
        finally:
            # A bug is printed by this thread and must reach the owner as well.
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


class NeverBack(Exception):
    """A call has not come back in its time. It may do so at any moment later, and have had its effect or not."""


def bounded(call: Callable[[], object], limit_s: float, *expected: type[Exception]) -> None:
    """
    Do a call in a thread of its own, and leave it there when it does not come back.

    Args:
        call: uses nothing that anybody goes on using: it may end at any time.
        limit_s: its own limit, in seconds.
        expected: see `Background`.
    Raises: what the call raises; NeverBack.
    """
    slot = Background(*expected)
    slot.start(call)
    if not slot.wait(limit_s) and not slot.wait(GRACE_S):
        raise NeverBack
