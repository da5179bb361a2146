"""The real worker as a child process: started, awaited, watched, and always ended."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from stream.app import child_command, child_environ
from stream.errors import Stopped
from stream.settings import Settings

__all__ = ["Child"]

STOP_S = 12.0
"""For the worker to end when asked; it promises 10 s."""

ANSWER_S = 2.0
"""For one answer of its web."""

TAIL_LINES = 15
"""Of its log, in the message that says it died."""

_DIRECT = build_opener(ProxyHandler({}))
"""A proxy named in the environment can't reach this machine's loopback."""


class Child:
    """Use as a context manager: leaving it ends the worker."""

    def __init__(self, config: Path, settings: Settings, environ: Mapping[str, str]) -> None:
        """
        Args:
            config: the worker's stream.toml; its log goes beside it.
            settings: what that file says.
            environ: the worker's environment.
        """
        self.log = config.with_name("worker.log")
        self.url = f"http://{settings.web.host}:{settings.web.port}"
        self._command = child_command("stream", "worker", "--config", str(config))
        self._environ = child_environ(environ)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*_dying_with_us(), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environ,
                # A session of its own: Ctrl-C is for the demo, which then ends the worker in good order.
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def check(self) -> None:
        """Raises Stopped with the log's last lines when the worker has ended."""
        code = self._process.poll() if self._process is not None else None
        if code is not None:
            raise Stopped(f"the worker ended with exit code {code}; the end of its log:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its log, indented."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"  | {line}" for line in lines) or "  | (nothing)"

    @property
    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return self._ask("/health/ready") is not None

    def status(self) -> dict[str, Any]:
        """What `/api/status` says; empty while nobody answers."""
        return self._ask("/api/status") or {}

    def _ask(self, path: str) -> dict[str, Any] | None:
        try:
            with _DIRECT.open(self.url + path, timeout=ANSWER_S) as answer:
                found = json.load(answer)
        except (HTTPError, URLError, TimeoutError, ConnectionError, http.client.HTTPException, ValueError):
            return None
        return found if isinstance(found, dict) else None


def _dying_with_us() -> list[str]:
    """Where the system allows it, a worker ends with its demo even if that was killed (-9): its broker is gone."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    wrapper = [setpriv, "--pdeathsig", "TERM"]
    tried = subprocess.run(
        [*wrapper, "true"], capture_output=True, check=False
    )  # BusyBox's knows no such option
    return wrapper if tried.returncode == 0 else []
