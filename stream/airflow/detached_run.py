"""
A command that outlives the task which started it: what a deferred task waits for.

    FOLDER/lock           locked while the command is watched over
    FOLDER/log            the lines of its standard error
    FOLDER/outcome.json   its end: exit code and standard output
    FOLDER/stop           made by whoever wants it to end

The task starts this module as a process of its own session, hands it the lock and, through a pipe, the command with its
variables, which have secrets and are written nowhere; then it gives its place back. The trigger
looks at the folder, from any process and any machine that shares it: there is an outcome; or the lock is held; or
neither, and the process was killed. A triggerer that is restarted looks again.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal, TypeAlias

from stream.airflow.child_run import ChildRun, Outcome
from stream.airflow.command_line import Order

__all__ = ["State", "ask_to_stop", "begin", "log_lines", "look", "outcome_of"]

State: TypeAlias = Literal["running", "done", "lost"]

_LOOK_S = 1.0
"""Seconds between two looks for a wish to stop: a person waits for it."""


def begin(folder: Path, order: Order) -> None:
    """
    Start a command that goes on when this process ends.

    Args:
        folder: of its own; created.
        order: the command.
    Raises: FileExistsError when the folder is taken; OSError from the disk or the system; CalledProcessError when
        this module can't be run, which FOLDER/log explains.
    """
    folder.mkdir(parents=True)
    with (folder / "lock").open("wb") as lock, (folder / "log").open("wb") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            [sys.executable, "-P", "-m", __spec__.name, str(folder), str(lock.fileno())],
            input=order.to_json().encode(),
            stdout=log,
            stderr=log,
            pass_fds=(lock.fileno(),),  # the lock stays locked: there is no moment without
            start_new_session=True,
            check=True,
        )


def look(folder: Path) -> State:
    """
    How a command is.

    Args:
        folder: of the command.
    Raises: OSError where the folder can't be read.
    """
    with (folder / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return "running"
    return "done" if (folder / "outcome.json").exists() else "lost"


def ask_to_stop(folder: Path) -> None:
    """Ask for the command's end, wherever it runs; nothing waits for it."""
    (folder / "stop").touch()


def outcome_of(folder: Path) -> Outcome:
    """
    The end of a command that is done.

    Args:
        folder: of the command.
    Raises: OSError, ValueError when there is none.
    """
    found = json.loads((folder / "outcome.json").read_text("utf-8"))
    return Outcome(found["code"], found["stdout"], tuple(found["last"]))


def log_lines(folder: Path) -> Iterator[str]:
    """What the command said so far, line by line."""
    with (folder / "log").open(encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            yield line.rstrip("\n")


def _main(folder: Path, lock: int) -> None:
    """Run the command and write down its end, in a process of nobody; the lock goes with it."""
    order = Order.from_json(sys.stdin.buffer.read().decode())
    if os.fork():
        return  # whoever waits for this process goes on
    os.set_inheritable(lock, False)  # else the command's own children would hold it
    try:
        child = ChildRun(order)
    except OSError as error:
        _write(folder, Outcome(127, "", (f"error: {order.command[0]}: can't be started: {error.strerror}",)))
        return
    reasons: list[str] = []
    threading.Thread(target=_watch, args=(folder, child, order.limit_s, reasons), daemon=True).start()
    outcome = child.wait(lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201  # its log
    _write(folder, replace(outcome, last=(*outcome.last, *reasons)))


def _watch(folder: Path, child: ChildRun, limit_s: float | None, reasons: list[str]) -> None:
    """End the command when that is wished, or it has taken too long; `reasons` is told which."""
    deadline = None if limit_s is None else time.monotonic() + limit_s
    while not (folder / "stop").exists():
        if deadline is not None and time.monotonic() > deadline:
            reasons.append(f"error: it took longer than execution_timeout, {limit_s:g} s")
            break
        time.sleep(_LOOK_S)
    child.end()


def _write(folder: Path, outcome: Outcome) -> None:
    hidden = folder / ".outcome"
    hidden.write_text(json.dumps(asdict(outcome)), "utf-8")
    hidden.replace(folder / "outcome.json")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
