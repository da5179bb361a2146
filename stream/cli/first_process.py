"""
What PID 1 of a container has to do: hand on signals, and collect processes that lost their parent.

Linux does not deliver to PID 1 a signal that it has no handler for, SIGTERM included. A program that is PID 1 would
therefore not end where nothing has set one: in a training, in a batch run, or while a worker starts.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["leave_first_process"]

_HANDED_ON = frozenset({"SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCHLD"})

_FROM_KERNEL = 0x80
"""`si_code` of a signal that nobody sent: Ctrl-C on a terminal, which reaches every process there by itself."""


def leave_first_process() -> None:
    """
    Go on in a child process if this is PID 1, which then ends as the child does; does nothing otherwise.

    To be called while there is one thread.
    """
    if sys.platform != "linux" or os.getpid() != 1:
        return
    waited_for = {getattr(signal, name) for name in _HANDED_ON}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    child = os.fork()
    if child:
        os._exit(_attend(child, waited_for))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attend(child: int, waited_for: set[signal.Signals]) -> int:
    """Until the child ends. Returns: its exit code; 128 and the signal's number where a signal ended it."""
    while True:
        found = signal.sigwaitinfo(waited_for)
        if found.si_signo != signal.SIGCHLD:
            if found.si_code != _FROM_KERNEL:
                os.kill(child, found.si_signo)
            continue
        code = _collect(child)
        if code is not None:
            return code


def _collect(child: int) -> int | None:
    """Collect all that have ended. Returns: the child's exit code, None while it runs."""
    code = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not ended:
            return code
        if ended == child:
            found = os.waitstatus_to_exitcode(status)
            code = found if found >= 0 else 128 - found
