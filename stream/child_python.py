"""Child processes that run this very package, not a folder called `stream` where the user stands: start and listen."""

from __future__ import annotations

import multiprocessing
import os
import selectors
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

__all__ = [
    "Child",
    "ForkedCopy",
    "NewInterpreter",
    "can_be_forked",
    "child_command",
    "child_environ",
    "how_it_ended",
    "says_something",
]

_STDOUT, _STDERR = 1, 2
"""What a child's code prints is no data; `sys.stderr` may be something that is no file."""

_SURVIVES_FORK = "jemalloc_bg_thd"
"""
A thread of Arrow's allocator. It and BLAS's threads, which have their process's name, are ended before a fork and
started again after it, by their libraries.
"""


class Child(Protocol):
    """A child process, which ends with this one."""

    def kill(self) -> None:
        """End it at once. Idempotent; any thread may call it."""

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Its exit code, a signal's number below zero; None when it still runs after the time."""

    def close(self) -> None:
        """Forget it, once it has ended."""


class NewInterpreter:
    """A child that begins from nothing: it can be started at any time, and its imports take a second."""

    def __init__(self, command: Sequence[str], says: int, environ: Mapping[str, str]) -> None:
        """
        Args:
            command: its command line; the number of the file that it writes to is added.
            says: that file.
            environ: its environment.
        Raises: OSError when the system can't start it.
        """
        self._process = subprocess.Popen(
            [*command, str(says)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=_STDERR,
            pass_fds=[says],
            env=environ,
        )

    def tell(self, line: bytes) -> None:
        """
        Give it its one line of input, which stays open for as long as this process lives: the child ends with it.

        That it has ended is no error: how is seen by whoever waits for its answer.
        """
        assert self._process.stdin is not None
        left = memoryview(line)
        with suppress(BrokenPipeError):
            while left:
                left = left[self._process.stdin.write(left) :]

    def kill(self) -> None:
        """As `Child` has it."""
        self._process.kill()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """As `Child` has it."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """As `Child` has it."""
        if self._process.stdin is not None:
            self._process.stdin.close()


class ForkedCopy:
    """A child that is a copy of this process, with all that it has imported: it is there within milliseconds."""

    def __init__(self, run: Callable[[bytes, int], object], line: bytes, says: int) -> None:
        """
        Args:
            run: what it does, with the line and the number of the file that it writes to.
            line: its input.
            says: that file.
        Raises: OSError when the system can't start it.
        """
        # Not as a daemon: those may start no processes, and a model may.
        self._process = multiprocessing.get_context("fork").Process(
            target=_run_copy, args=(run, line, says), daemon=False
        )
        with warnings.catch_warnings():
            # Python 3.12 and later count the threads that `can_be_forked` knows.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self._process.start()

    def kill(self) -> None:
        """As `Child` has it."""
        self._process.kill()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """As `Child` has it."""
        # `join` also waits for processes that it has started: they hold the pipe by which its end is seen.
        if self._process.exitcode is None and timeout_s != 0.0:
            self._process.join(timeout_s)
        return self._process.exitcode

    def close(self) -> None:
        """As `Child` has it."""
        self._process.close()


def _run_copy(run: Callable[[bytes, int], object], line: bytes, says: int) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # not this process's handlers
    os.dup2(_STDERR, _STDOUT)
    sys.stdout = sys.stderr
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run(line, says)
    sys.stderr.flush()
    os._exit(0)  # threads of what it ran, and what that does at exit, are not waited for


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def can_be_forked() -> bool:
    """Whether no thread runs in this process that a copy would lack, or whose locks it would find closed for good."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        names = {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}
        return names <= {Path("/proc/self/comm").read_text().strip(), _SURVIVES_FORK}
    except OSError:
        return False  # a thread has just ended, or the system doesn't say


def child_command(module: str, *arguments: str) -> list[str]:
    """
    The command line of a child.

    Args:
        module: to run as `python -m` does.
        arguments: its own.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: this one, with the folder that holds this package first on the path."""
    home = str(Path(__file__).parents[1])
    paths = [home, *filter(None, [environ.get("PYTHONPATH")])]
    return {**environ, "PYTHONPATH": os.pathsep.join(paths)}


def how_it_ended(code: int) -> str:
    """
    Args:
        code: of an ended child; a signal's number below zero.
    Returns: `exit code 7`, `signal SIGSEGV`, or `signal 40`: real-time signals have no names.
    """
    if code >= 0:
        return f"exit code {code}"
    named = {each.value: each.name for each in signal.Signals}
    return f"signal {named.get(-code, -code)}"


def says_something(pipe: int | IO[bytes], timeout_s: float) -> bool:
    """
    Wait for what a child writes. `select.select` would not do: it takes no file whose number is above 1,023, and a
    process with many connections has such numbers.

    Args:
        pipe: the reading end; nothing of it is buffered here.
        timeout_s: at most.
    Returns: whether there is something to read, the end included.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))
