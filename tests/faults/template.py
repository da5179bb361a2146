"""
A process that has imported `stream` and waits: each worker is a fork of it.

A worker's imports take more processor time than all it does in a row of the matrix. A fork runs the same
`stream.cli.main` with arguments, environment, folder and log files of its own; no client, thread or socket is there
before it. What needs a whole new process (LD_PRELOAD) is started the usual way.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.acceptance.process import ROOT

__all__ = ["Forked", "Template", "main"]

PR_SET_PDEATHSIG = 1

READY_S = 180.0
"""For the imports, 8 s alone on two cores."""

FORK_S = 60.0


class Forked:
    """What `Process` needs of a child; its parent is the template, which tells how it ended."""

    def __init__(self, pid: int, codes: Mapping[int, int]) -> None:
        self.pid = pid
        self._codes = codes

    @property
    def returncode(self) -> int | None:
        """As `subprocess.Popen` has it."""
        return self._codes.get(self.pid)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Block until it has ended."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.returncode) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """A signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)


class Template:
    """The waiting process, seen from the tests. Use as a context: leaving it ends all forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.template"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        self._codes: dict[int, int] = {}
        self._started: dict[str, int] = {}
        self._told = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="template", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def spawn(
        self, command: Sequence[str], folder: Path, out: Path, log: Path, environ: Mapping[str, str]
    ) -> Forked:
        """Fork a worker; `command` is `python -m MODULE ARGUMENTS…`."""
        module = command.index("-m") + 1
        asked = {
            "module": command[module],
            "arguments": list(command[module + 1 :]),
            "folder": str(folder),
            "out": str(out),
            "log": str(log),
            "environ": dict(environ),
        }
        assert self._process.stdin is not None
        for file in (out, log):
            file.touch()
        with self._told:
            self._process.stdin.write(f"{json.dumps(asked)}\n")
            self._process.stdin.flush()
            found = self._told.wait_for(lambda: str(log) in self._started, READY_S)
            assert found, "the template did not fork"
            return Forked(self._started.pop(str(log)), self._codes)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            with self._told:
                if "started" in told:
                    self._started[told["log"]] = told["started"]
                else:
                    self._codes[told["ended"]] = told["code"]
                self._told.notify_all()


# ---- the process itself ----


def main() -> None:
    """Import, then fork as asked on stdin, and say on stdout who has started and ended; ends with stdin."""
    _import()
    children: set[int] = set()
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    waiting = b""
    while True:
        ready, _, _ = select.select([requests], [], [], 0.02)
        if ready:
            piece = requests.read(65_536)
            if not piece:
                break
            *lines, waiting = (waiting + piece).split(b"\n")
            for line in lines:
                children.add(_fork(json.loads(line), requests))
        _reap(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _import() -> None:
    """What a worker imports on its way."""
    import faust.web  # noqa: F401
    import sklearn.compose
    import sklearn.impute
    import sklearn.linear_model
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401

    import stream.app.host
    import stream.app.web
    import stream.app.worker_service
    import stream.cli.worker  # noqa: F401


def _reap(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _fork(asked: dict[str, Any], requests: IO[bytes]) -> int:
    pid = os.fork()
    if pid:
        _say({"started": pid, "log": asked["log"]})
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    requests.close()
    _redirect(0, os.devnull, os.O_RDONLY)
    for number, name in ((1, asked["out"]), (2, asked["log"])):
        _redirect(number, name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["folder"])
    sys.argv = ["stream", *asked["arguments"]]
    if asked["module"] == "tests.faults.launch":
        from tests.faults.launch import main as command
    else:
        from stream.cli import main as command
    try:
        command()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    sys.exit(0)


def _redirect(number: int, name: str, flags: int) -> None:
    opened = os.open(name, flags, 0o644)
    os.dup2(opened, number)
    os.close(opened)


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
