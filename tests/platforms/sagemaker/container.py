"""A container of SageMaker's that serves: what SageMaker asks it, and what it gives it."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.platforms.sagemaker.grounds import Ground, Running

__all__ = ["Container", "serving", "transformed", "unpack", "unpack_archive"]

READY_S = 100.0
"""SageMaker waits for minutes; the machine may be busy."""

BUSY_S = 300.0
"""For an answer of a container on a busy machine."""

PING_S = 2.0
"""That SageMaker waits for /ping."""


class Container:
    """One that serves."""

    def __init__(self, running: Running, url: str) -> None:
        self.running, self.url = running, url
        self._client = httpx.Client(base_url=url, timeout=BUSY_S, trust_env=False)

    def ready(self) -> Container:
        """Block until /ping is 200; each answer comes within SageMaker's two seconds."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            assert self.running.is_running(), self.running.said()
            try:
                if self.pings():
                    return self
            except httpx.ConnectError:
                time.sleep(0.05)
        raise AssertionError(self.running.said())

    def pings(self) -> bool:
        """Whether /ping is 200."""
        return self._client.get("/ping", timeout=PING_S).status_code == httpx.codes.OK

    def get(self, path: str) -> Any:
        """What an address answers at once, as JSON."""
        return self._client.get(path, timeout=PING_S).json()

    def ask(
        self, body: bytes | str, kind: str = "text/csv", accept: str = "text/csv", path: str = "/invocations"
    ) -> httpx.Response:
        """What /invocations answers, or an address like it."""
        return self._client.post(path, content=body, headers={"content-type": kind, "accept": accept})

    def load(self, name: str, url: Path, timeout_s: float = BUSY_S) -> int:
        """Multi-model: the status of an order to load a package."""
        order = {"model_name": name, "url": str(url)}
        return self._client.post("/models", json=order, timeout=timeout_s).status_code

    def unload(self, name: str) -> int:
        """Multi-model: the status of an order to unload it."""
        return self._client.delete(f"/models/{name}").status_code

    def invoke(self, name: str, body: str) -> httpx.Response:
        """Multi-model: what a model answers."""
        return self.ask(body, path=f"/models/{name}/invoke")

    def stop(self) -> int:
        """SIGTERM. Returns: its exit code, which is there before SIGKILL would come."""
        self.running.send("TERM")
        return self.running.ends(30)

    def close(self) -> None:
        """Ask it no more."""
        self._client.close()


@contextmanager
def serving(ground: Ground, ml: Path, environ: Mapping[str, str] | None = None) -> Iterator[Container]:
    """A container that is ready."""
    with ground.runs("serve", ml, environ or {}) as (running, url):
        container = Container(running, url)
        try:
            yield container.ready()
        finally:
            container.close()


def unpack(export: Path, folder: Path) -> dict[str, str]:
    """
    Unpack an export's archive as SageMaker does, for reading only.

    Returns: the variables that its containers have.
    """
    unpack_archive(export / "model.tar.gz", folder)
    variables: dict[str, str] = json.loads((export / "sagemaker.json").read_text("utf-8"))["environment"]
    return variables


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack an archive as SageMaker does."""
    folder.mkdir(parents=True)
    with tarfile.open(archive) as read:
        read.extractall(folder, filter="data")
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def transformed(container: Container, rows: str, accept: str) -> str:
    """
    A batch transform job, as its agent runs it: SplitType=Line, AssembleWith=Line, JoinSource=Input.

    Args:
        container: that is asked, first how it best is.
        rows: the file.
        accept: of the job.
    Returns: the file of answers, each beside its row.
    """
    asked = container.get("/execution-parameters")
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
