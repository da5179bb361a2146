"""A container of SageMaker's, as a process: its folders, its variables, the one word that it is started with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.kafka.process import free_ports

__all__ = ["Container", "serving", "transformed", "unpack"]

READY_S = 100.0
"""SageMaker waits for minutes; the machine may be busy."""

PING_S = 2.0
"""That SageMaker waits for /ping."""


class Container:
    """One that serves."""

    def __init__(self, ml: Path, environ: Mapping[str, str]) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.log = ml / "log"
        given = {"SAGEMAKER_BASE_DIR": str(ml), "SAGEMAKER_BIND_TO_PORT": str(port), **environ}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stream", "serve"],
                cwd=ml,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **given},
                stdout=log,
                stderr=log,
            )

    def ready(self) -> Container:
        """Block until /ping is 200; each answer comes within SageMaker's two seconds."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log.read_text("utf-8")
            try:
                if httpx.get(f"{self.url}/ping", timeout=PING_S).status_code == httpx.codes.OK:
                    return self
            except httpx.ConnectError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text("utf-8"))

    def ask(self, body: bytes | str, kind: str = "text/csv", accept: str = "text/csv") -> httpx.Response:
        """What /invocations answers."""
        headers = {"content-type": kind, "accept": accept}
        return httpx.post(f"{self.url}/invocations", content=body, headers=headers, timeout=30)

    def stop(self) -> int:
        """SIGTERM. Returns: its exit code, which is there before SIGKILL would come."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def kill(self) -> None:
        """Whatever it does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def serving(ml: Path, environ: Mapping[str, str] | None = None) -> Iterator[Container]:
    """A container that is ready."""
    container = Container(ml, environ or {})
    try:
        yield container.ready()
    finally:
        container.kill()


def unpack(export: Path, folder: Path) -> dict[str, str]:
    """
    Unpack an export's archive as SageMaker does, for reading only.

    Returns: the variables that its containers have.
    """
    folder.mkdir(parents=True)
    with tarfile.open(export / "model.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    variables: dict[str, str] = json.loads((export / "sagemaker.json").read_text("utf-8"))["environment"]
    return variables


def transformed(container: Container, rows: str, accept: str) -> str:
    """
    A batch transform job, as its agent runs it: SplitType=Line, AssembleWith=Line, JoinSource=Input.

    Args:
        container: that is asked, first how it best is.
        rows: the file.
        accept: of the job.
    Returns: the file of answers, each beside its row.
    """
    asked = httpx.get(f"{container.url}/execution-parameters", timeout=PING_S).json()
    most = asked["MaxPayloadInMB"] * 2**20 if asked["BatchStrategy"] == "MULTI_RECORD" else 0
    payloads: list[list[str]] = [[]]
    for line in rows.splitlines():
        if payloads[-1] and sum(map(len, payloads[-1])) + len(payloads[-1]) + len(line) > most:
            payloads.append([])
        payloads[-1].append(line)
    joined = []
    for payload in payloads:
        answer = container.ask("\n".join(payload), accept=accept)
        assert answer.status_code == httpx.codes.OK, answer.text
        joined += [f"{row},{one}" for row, one in zip(payload, answer.text.splitlines(), strict=True)]
    return "\n".join(joined) + "\n"
