"""`stream` as a process: configured, started, waited for, signalled, and never left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from tests.kafka.process import free_ports, wait_for

__all__ = ["ROOT", "Child", "Process", "Setup", "Spawn", "Worker", "run"]

ROOT = Path(__file__).parents[2]

READY_S = 90.0
"""Imports, opening a package and joining the group take 4 s alone on two cores; many times that beside others."""

END_S = 90.0
"""For a command to start and end by itself: mostly imports, 5 s alone, half a minute on a machine at its limit."""

ASK_S = 20.0
"""For one answer of a worker's web."""

Tables = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Setup:
    """
    What goes into a `stream.toml`.

    Attributes:
        folder: where the file is written; log files too.
        bootstrap: the broker.
        group: of the consumers.
        input: topic.
        output: topic.
        dead: the dead-letter topic.
        package: the model package.
        tables: keys that replace or extend the ones above, by table.
    """

    folder: Path
    bootstrap: str
    group: str
    input: str
    output: str
    dead: str
    package: Path
    tables: Tables = field(default_factory=dict)

    def write(self, name: str, port: int) -> Path:
        """Write `<name>.toml` and return its path."""
        tables: dict[str, dict[str, object]] = {
            "kafka": {"bootstrap_servers": self.bootstrap, "group": self.group},
            "model": {"uri": str(self.package)},
            "input": {"topic": self.input},
            "output": {"topic": self.output},
            "dead_letters": {"topic": self.dead},
            "web": {"port": port},
        }
        for table, keys in self.tables.items():
            tables[table] = {**tables.get(table, {}), **keys}
        path = self.folder / f"{name}.toml"
        path.write_text(_toml(tables))
        return path


def _toml(tables: Tables) -> str:
    """The tables as TOML; strings, numbers and booleans are written as JSON writes them."""
    parts: list[str] = []
    for table, keys in tables.items():
        flat = {k: v for k, v in keys.items() if not isinstance(v, Mapping)}
        parts.append(
            f"[{table}]\n" + "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in flat.items())
        )
        nested = {f"{table}.{json.dumps(k)}": v for k, v in keys.items() if isinstance(v, Mapping)}
        parts.append(_toml(nested))
    return "".join(parts)


class Child(Protocol):
    """A process that was started here, as `subprocess.Popen` shows it."""

    pid: int

    @property
    def returncode(self) -> int | Any:
        """Its exit code."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Block until it has ended."""

    def send_signal(self, number: int, /) -> None:
        """A signal, unless it has ended."""


Spawn = Callable[[Sequence[str], Path, Path, Path, Mapping[str, str]], Child]
"""Command, folder, files of stdout and stderr, environment → the process."""


def _spawn(
    command: Sequence[str], folder: Path, stdout: Path, log: Path, environ: Mapping[str, str]
) -> Child:
    # It must not outlive this process, whatever becomes of it.
    dying = [found, "--pdeathsig", "KILL"] if (found := shutil.which("setpriv")) else []
    with stdout.open("ab") as out, log.open("ab") as errors:
        return subprocess.Popen(
            [*dying, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            cwd=folder,
            env=dict(environ),
            start_new_session=True,
        )


class Process:
    """A command with its output in files. Use as a context: leaving it kills what still runs."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environ: Mapping[str, str] | None = None,
        spawn: Spawn | None = None,
    ) -> None:
        """
        Args:
            name: for messages and log files.
            command: program and arguments.
            folder: where it runs and its logs are.
            environ: variables beside this process's own.
            spawn: starts it; default: as any program.
        """
        self.name = name
        self.stdout = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
        self._process = (spawn or _spawn)(command, folder, self.stdout, self.log, variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def end(self, timeout_s: float = END_S) -> int:
        """Block until it has ended by itself; its exit code. Fails with the log when it does not end."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {timeout_s:g} s\n{self.tail()}") from None

    def terminate(self) -> None:
        """SIGTERM, as a supervisor sends it."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """SIGINT, as Ctrl-C sends it."""
        self._process.send_signal(signal.SIGINT)

    def freeze(self) -> None:
        """SIGSTOP: it stands still, and its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to it and its children. Idempotent."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def text(self) -> str:
        """What it wrote on stderr."""
        return self.log.read_text(errors="replace")

    def output(self) -> str:
        """What it wrote on stdout."""
        return self.stdout.read_text(errors="replace")

    def tail(self, lines: int = 40) -> str:
        """The end of its log, for messages."""
        return "\n".join([f"--- {self.log}", *self.text().splitlines()[-lines:]])

    def until(self, condition: Any, timeout_s: float, what: str) -> None:
        """Block until `condition()`; fails with the log when it ends before, or time runs out."""

        def met() -> bool:
            if condition():
                return True
            if not self.running:
                raise AssertionError(
                    f"{self.name} ended with {self._process.returncode} before {what}\n{self.tail()}"
                )
            return False

        try:
            wait_for(met, timeout_s, what)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def says(self, text: str, timeout_s: float = END_S) -> None:
        """Block until the log has this text."""
        self.until(lambda: text in self.text(), timeout_s, f"{self.name} to log {text!r}")


class Worker(Process):
    """`stream worker`, and what its web server says."""

    def __init__(
        self,
        setup: Setup,
        name: str = "worker",
        *,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        spawn: Spawn | None = None,
    ) -> None:
        """
        Args:
            setup: its configuration.
            name: of its files; two workers of one test need two names.
            environ: variables beside this process's own.
            command: what to run with `STREAM_CONFIG` set; default: `stream worker --config …`.
            spawn: as `Process` has it.
        """
        [self.port] = free_ports(1)
        config = setup.write(name, self.port)
        chosen = command or [sys.executable, "-m", "stream", "worker", "--config", str(config)]
        variables = {"STREAM_CONFIG": str(config), **(environ or {})}
        super().__init__(name, chosen, setup.folder, variables, spawn)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page; (0, reason) when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ASK_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError as error:
            return 0, str(error).encode()

    def status(self) -> dict[str, Any]:
        """`/api/status`."""
        code, body = self.get("/api/status")
        if code != 200:
            raise AssertionError(f"{self.name}: /api/status answered {code} {body!r}\n{self.tail()}")
        found = json.loads(body)
        assert isinstance(found, dict)
        return found

    def partitions(self) -> list[int]:
        """The partitions that it says are its own; none while nobody answers."""
        code, body = self.get("/api/status")
        return list(json.loads(body)["partitions"]) if code == 200 else []

    def ready(self, timeout_s: float = READY_S) -> Self:
        """Block until `/health/ready` is green."""
        self.until(lambda: self.get("/health/ready")[0] == 200, timeout_s, f"{self.name} to be ready")
        return self


@contextmanager
def run(
    folder: Path, name: str, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """`stream …` with these arguments, killed at the end of the context."""
    with Process(name, [sys.executable, "-m", "stream", *arguments], folder, environ) as process:
        yield process
