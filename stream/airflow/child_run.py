"""A `stream` command as a child process: its lines into the task's log, its standard output kept, its group ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from stream.airflow.command_line import Order

__all__ = ["GRACE_S", "ChildRun", "Outcome"]

GRACE_S = 4.0
"""Seconds that a command has to end after SIGTERM; Airflow kills the task, which waits for it here, after 5 s."""

_LOOK_S = 0.05

_KEPT_LINES = 30
"""Of standard error, for the exception: an error with its hint and the end of a traceback."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How a command ended.

    Attributes:
        code: its exit code; negative: the signal that ended it.
        stdout: its standard output, decoded.
        last: the last lines of its standard error.
    """

    code: int
    stdout: str
    last: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """What it says of its failure: its last error, with what follows it."""
        begins = [i for i, line in enumerate(self.last) if line.lower().startswith("error:")]
        lines = self.last[begins[-1] :] if begins else self.last[-3:]
        if self.code < 0:
            lines = (f"it was ended by {_signal_name(-self.code)}", *lines)
        return "\n".join(lines) or "it said nothing"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class ChildRun:
    """
    A command that runs in a process group of its own.

    Args:
        order: what is run.
    Raises: OSError when the program can't be started.
    """

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            order.command,
            env=dict(order.environment),
            cwd=order.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,  # so that the processes of a run end with it
        )
        self._output: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            self._output.append(pipe.read())

    def wait(self, tell: Callable[[str], None]) -> Outcome:
        """
        Wait for its end.

        Args:
            tell: called with each line of its standard error, as it comes.
        Returns: how it ended.
        Blocks: until then.
        """
        last = deque[str](maxlen=_KEPT_LINES)
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                last.append(line.rstrip("\n"))
                tell(last[-1])
        code = self._process.wait()
        self._reader.join()
        return Outcome(code, "".join(self._output), tuple(last))

    def end(self, grace_s: float = GRACE_S) -> None:
        """
        End the command and all that it started: politely first.

        Args:
            grace_s: seconds until those that are still there are killed.
        Blocks: for so long at most.
        """
        deadline = time.monotonic() + grace_s
        there = self._signal(signal.SIGTERM)
        while there and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            self._process.poll()
            there = self._signal(0)  # the command may have ended, and processes of it not
        if there:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> bool:
        """Whether there is anybody to get it."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True
