"""A contestant as a process, and what it costs: from /proc, so Linux only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

__all__ = ["Contestant", "Crew", "Died", "as_installed", "end_all_on_sigterm", "process_cpu_s"]

_STOP_S = 15.0

_GONE_S = 0.02
"""Between two looks whether what was killed is gone."""

_TICKS = os.sysconf("SC_CLK_TCK")

ROOT = Path(__file__).parents[1]


def as_installed() -> dict[str, str]:
    """This process's environment, but bytecode is kept: what is installed has it, a checkout from its first run on."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def end_all_on_sigterm() -> None:
    """SIGTERM ends this process as Ctrl-C does, so that contestants, readers and broker are ended too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Died(Exception):
    """A contestant ended before its work was done; the message ends with its log."""


class Contestant:
    """
    Starts on entering, is stopped on leaving.

    Args:
        command: program and arguments.
        log: its output goes here.
        environment: variables besides this process's own.
        home: the folder that it is started in: the checkout whose `stream` runs.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: dict[str, str] | None = None,
        home: Path = ROOT,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._environment = {**as_installed(), **(environment or {})}
        self._home = home
        self.started = 0.0

    def __enter__(self) -> Self:
        self._file: IO[bytes] = self._log.open("wb")
        self.started = time.time()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            cwd=self._home,
            env=self._environment,
            # So that all its processes can be found, and ended.
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._file.close()
        deadline = time.monotonic() + _STOP_S
        while (left := self.family()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_GONE_S)

    @property
    def pid(self) -> int:
        """The running process."""
        return self._process.pid

    def family(self) -> list[int]:
        """The running process and all that it started, and they: whatever is in its session and has not ended."""
        pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
        stats = {pid: _stat(pid) for pid in pids}
        return [pid for pid, stat in stats.items() if stat and int(stat[3]) == self.pid and stat[0] != "Z"]

    def check(self) -> None:
        """Raises Died, with the log's end, when it is no longer running."""
        code = self._process.poll()
        if code is not None:
            lines = self._log.read_text(errors="replace").splitlines()[-30:]
            raise Died("\n".join([f"{' '.join(self._command)}\nended with exit code {code}", *lines]))

    def cpu_s(self, *, children: bool = False) -> float:
        """User and system time so far, seconds, of all its threads; and of the children that have ended, if asked."""
        return process_cpu_s(self.pid, children=children)

    def family_cpu_s(self) -> float:
        """User and system time so far, seconds, of all processes of `family`, and of those of them that have ended."""
        ticks = 0
        for pid in self.family():
            # Those that have ended are counted with the one that waited for them.
            ticks += sum(map(int, _stat(pid)[11:15]))
        return ticks / _TICKS

    def family_mib(self) -> float:
        """What all processes of `family` have in memory now, MiB; what several share is counted once (PSS)."""
        total = 0
        for pid in self.family():
            with suppress(OSError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return total / 1024

    def peak_mib(self) -> float:
        """The largest resident size so far, MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise Died(f"/proc/{self.pid}/status has no VmHWM")


class Crew:
    """
    Some processes of one contestant, started together on entering, stopped on leaving.

    Args:
        members: not started yet, one at least.
    """

    def __init__(self, members: Sequence[Contestant]) -> None:
        self._members = members
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for member in self._members:
                stack.enter_context(member)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def started(self) -> float:
        """When the first was started, seconds since the epoch."""
        return min(member.started for member in self._members)

    def check(self) -> None:
        """Raises Died when one is no longer running."""
        for member in self._members:
            member.check()

    def cpu_s(self) -> float:
        """As a contestant's, of all."""
        return sum(member.cpu_s() for member in self._members)

    def peak_mib(self) -> float:
        """The sum of their largest resident sizes."""
        return sum(member.peak_mib() for member in self._members)


def process_cpu_s(pid: int, *, children: bool = False) -> float:
    """
    User and system time of a process so far, seconds, of all its threads; and of children that have ended, if asked.

    Raises: Died when there is no such process.
    """
    fields = _stat(pid)
    if not fields:
        raise Died(f"process {pid} is gone")
    return sum(map(int, fields[11 : 15 if children else 13])) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
