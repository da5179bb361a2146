"""
What SageMaker's containers run in, in tests: this Python as a process, or the images that `scripts/image --sagemaker`
has built, whose `/opt/ml`, user and port 8080 are those that SageMaker gives them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from tests.image.built import Built, hand_over
from tests.image.network import Network
from tests.kafka.process import free_ports

__all__ = ["IMAGES", "Ground", "ImageGround", "ProcessGround", "Running", "grounds"]

ROOT = Path(__file__).parents[3]

IMAGES = "SAGEMAKER_IMAGES"
"""Environment variable: a JSON file: name of a ground → word (`serve`, `train`) → root folder and configuration."""

PORT = 8080
"""SageMaker's own."""


class Running(Protocol):
    """A container's program."""

    def said(self) -> str:
        """All that it wrote so far."""

    def is_running(self) -> bool:
        """Whether it has not ended."""

    def send(self, signal: str) -> None:
        """Send it a signal: `TERM`, `KILL`."""

    def ends(self, timeout_s: float) -> int:
        """Wait for its end; returns its exit code."""


class Ground(Protocol):
    """Starts containers."""

    @contextmanager
    def runs(self, word: str, ml: Path, environ: Mapping[str, str]) -> Iterator[tuple[Running, str]]:
        """
        Run a container until the block ends.

        Args:
            word: that it is started with: `serve`, `train`.
            ml: the folder that it has as SageMaker's `/opt/ml`.
            environ: its variables.
        Yields: it, and the address that it serves on.
        """

    def place(self, ml: Path) -> Path:
        """Where a container sees that folder."""


class Process:
    """A program of this machine's."""

    def __init__(self, word: str, ml: Path, environ: Mapping[str, str]) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stream", word],
            cwd=ml,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        """See `Running`."""
        self._log.seek(0)
        return self._log.read().decode()

    def is_running(self) -> bool:
        """See `Running`."""
        return self._process.poll() is None

    def send(self, signal_name: str) -> None:
        """See `Running`."""
        self._process.send_signal(signal.Signals[f"SIG{signal_name}"])

    def ends(self, timeout_s: float) -> int:
        """See `Running`."""
        return self._process.wait(timeout_s)

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._log.close()


class ProcessGround:
    """This Python, with another folder than `/opt/ml` and a free port, both named as SageMaker names them."""

    @contextmanager
    def runs(self, word: str, ml: Path, environ: Mapping[str, str]) -> Iterator[tuple[Running, str]]:
        """See `Ground`."""
        [port] = free_ports(1)
        given = {"SAGEMAKER_BASE_DIR": str(ml), "SAGEMAKER_BIND_TO_PORT": str(port), **environ}
        process = Process(word, ml, given)
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.close()

    def place(self, ml: Path) -> Path:
        """See `Ground`."""
        return ml


class ImageGround:
    """Images, each with a network of its own, in which port 8080 is free."""

    def __init__(self, images: Mapping[str, Built]) -> None:
        """
        Args:
            images: by the word that they are started with.
        """
        self._images = images

    @contextmanager
    def runs(self, word: str, ml: Path, environ: Mapping[str, str]) -> Iterator[tuple[Running, str]]:
        """See `Ground`."""
        image, network = self._images[word], Network()
        if image.config["User"] == "root":
            ml.chmod(0o755)
        else:
            hand_over(ml)
        command = [*image.config["Entrypoint"], word]
        try:
            with image.runs(command, environ, {ml: "/opt/ml"}, network) as container:
                yield container, f"http://{network.address}:{PORT}"
        finally:
            network.close()

    def place(self, ml: Path) -> Path:
        """See `Ground`."""
        return Path("/opt/ml")


def grounds(environ: Mapping[str, str]) -> dict[str, Ground]:
    """The images that a variable names; the process where it names none."""
    if IMAGES not in environ:
        return {"process": ProcessGround()}
    listed = json.loads(Path(environ[IMAGES]).read_text("utf-8"))
    return {
        name: ImageGround({word: Built(Path(one["root"]), one["config"]) for word, one in images.items()})
        for name, images in listed.items()
    }
