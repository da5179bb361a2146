"""The real worker as a child process: started, awaited, watched, and always ended."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from stream.child_python import child_command, child_environ
from stream.errors import Stopped
from stream.settings import Settings
from stream.tasks import NoStatus, ask_worker, status_of, web_url

__all__ = ["Child"]

STOP_S = 12.0
"""For the worker to end when asked; it promises 10 s."""

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
        self.url = web_url(settings)
        self._command = child_command("stream.demo.demo_worker", str(config))
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
            raise Stopped(f"the worker ended with exit code {code}; the end of its log:", quoted=self.tail())

    def tail(self) -> str:
        """The end of its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        return "\n".join(lines) or "(nothing)"

    @property
    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return isinstance(ask_worker(self.url, "/health/ready", _DIRECT.open), dict)

    @property
    def model(self) -> str:
        """`name@version` of the model that answers; `?` while nobody does."""
        found = status_of(self.url, _DIRECT.open)
        return "?" if isinstance(found, NoStatus) else str(found["model"])


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
