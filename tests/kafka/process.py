"""A server as a child process: started, waited for, killed, and never left behind."""

from __future__ import annotations

import abc
import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

__all__ = ["Server", "ServerDied", "free_ports", "is_listening", "wait_for"]

_STOP_S = 20
"""A broker's controlled shutdown takes 1-3 s; after this it is killed."""


class ServerDied(Exception):
    """A server ended or never got ready; the message ends with its log."""


class Started(abc.ABC):
    """What a `with` block starts, and closes at its end, also when it did not start."""

    @abc.abstractmethod
    def start(self) -> Self:
        """Start it; block until it answers."""

    @abc.abstractmethod
    def close(self) -> None:
        """End it and remove what it left; may be called when it is not running."""

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Server:
    """
    One process in its own session, with its output in a log file.

    It dies with this process: by `PR_SET_PDEATHSIG` where `setpriv` is there, and at exit in any case.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, **own: Any) -> None:
        """
        Args:
            name: for messages.
            command: program and arguments.
            log: output is appended here.
            own: what else `subprocess.Popen` is told, as its user.
        """
        self.name = name
        self.log = log
        self._command = [*_dying_with_parent(), *command]
        self._own = own
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running process."""
        if self._process is None:
            raise ServerDied(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Start the process and block until `ready()`; on any failure nothing is left running."""
        if self._process is not None:
            raise RuntimeError(f"{self.name} is running already; a second one would corrupt its files")
        with self.log.open("ab") as log:
            self._process = _spawn(self._command, log, self._own)
        atexit.register(self.kill)
        try:
            wait_for(lambda: self._ready(ready), timeout_s, f"{self.name} to be ready")
        except TimeoutError as error:
            self.kill()
            raise ServerDied(f"{error}\n{self.tail()}") from None
        except BaseException:
            self.kill()
            raise

    def stop(self, number: int = signal.SIGTERM) -> None:
        """SIGTERM or another signal, and SIGKILL if that is not heeded. Idempotent."""
        if self._process is not None:
            self._process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole session. Idempotent."""
        atexit.unregister(self.kill)
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def tail(self, lines: int = 30) -> str:
        """The end of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join([f"--- {self.log}", *text.splitlines()[-lines:]])

    def check(self) -> None:
        """Raises ServerDied, with the log's end, when the process is not running."""
        if self._process is None or self._process.poll() is not None:
            code = None if self._process is None else self._process.returncode
            raise ServerDied(f"{self.name} ended with exit code {code}\n{self.tail()}")

    def _ready(self, ready: Callable[[], bool]) -> bool:
        self.check()
        return ready()


def _spawn(command: Sequence[str], log: IO[bytes], own: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **own
    )


def _dying_with_parent() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Block until `condition()`; TimeoutError that names `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """`count` different ports of the loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def is_listening(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
