"""
The end of a process that does not end by itself.

Python code can end a process whose threads work on without the interpreter. A thread that never lets go of it, such as
a regular expression that runs for hours, keeps all Python code from running, signal handlers too. Therefore a small
child process waits for the signal, of which faulthandler's handler, which is C, tells it through a pipe. Then it waits
for the time to end, and kills what is still there.
"""

from __future__ import annotations

import atexit
import faulthandler
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from stream.deadline import Deadline

__all__ = ["WATCH", "LastResort"]

log = logging.getLogger(__name__)

_EARLY_S, _EARLY_SHARE = 0.2, 0.1
"""How long before the time is up Python code ends the process where it can; at most this share of the time."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

WATCH = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
parent = int(sys.argv[2])
if os.read(0, 4096):
    end = time.monotonic() + float(sys.argv[1])
    while os.getppid() == parent:
        if (left := end - time.monotonic()) <= 0:
            os.kill(parent, signal.SIGKILL)
        time.sleep(min(0.5, max(0, left)))
"""
"""The watching process: its arguments are the seconds it waits once it is told to, and the id that it watches."""


class LastResort:
    """Ends this process some time after a signal, whatever it is at then."""

    def __init__(self, after_s: float, failed: Callable[[], bool]) -> None:
        """
        Args:
            after_s: seconds from the signal.
            failed: whether the exit code is 1, not 0.
        """
        self._failed = failed
        self._early_s = min(_EARLY_S, _EARLY_SHARE * after_s)
        self._signalled = False
        # It is told its parent: one that starts late, on a busy machine, would take whoever inherits it for that.
        # Its own session: what a terminal sends to all of a command's processes is not for it.
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(after_s), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self._leave)

    def watch(self) -> None:
        """From now on; to be called after the signals' handlers are set, which are called as before."""
        if sys.platform != "win32":  # has no such handlers
            assert self._child.stdin is not None
            for number in _SIGNALS:
                faulthandler.register(number, file=self._child.stdin.fileno(), all_threads=False, chain=True)

    def end_by(self, end: Deadline) -> None:
        """A signal came: end the process by that moment."""
        self._signalled = True
        threading.Thread(target=self._end, args=(end,), daemon=True).start()

    def _leave(self) -> None:
        """The process ends by itself. After a signal the child watches that too, and ends when the process is gone."""
        if sys.platform != "win32":
            for number in _SIGNALS:
                faulthandler.unregister(number)
        if not self._signalled:
            self._child.kill()
            self._child.communicate()

    def _end(self, end: Deadline) -> None:
        time.sleep(max(0.0, end.left_s() - self._early_s))
        code = int(self._failed())
        if code:
            log.error("the time to drain is up: the process ends though requests have no answer")
        sys.stderr.flush()
        self._child.kill()
        os._exit(code)
