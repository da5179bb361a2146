"""
Runs what a target is for, once: `python warm.py serve`. The bytecode of all that a run imports is written on the way.

An image is not built where one of these fails.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

__all__ = ["WARM"]

_MODEL = "/build/models/flights"
_EVENTS = "300"
_START_S = 120.0


def _stream(*arguments: str) -> None:
    subprocess.run(["stream", *arguments], check=True, stdout=subprocess.DEVNULL)


def _worker() -> None:
    """The whole worker, on Kafka's mock."""
    _stream("demo", "--events", _EVENTS, "--exit", "--no-browser")


def _serve() -> None:
    """A server, asked until it is ready, then told to end."""
    with subprocess.Popen(["stream", "serve", "--model", _MODEL, "--port", "8080"]) as server:
        until = time.monotonic() + _START_S
        while not _is_ready("http://127.0.0.1:8080/v2/health/ready"):
            if server.poll() is not None or time.monotonic() > until:
                server.kill()
                raise SystemExit("warm: stream serve does not become ready")
            time.sleep(0.2)
        server.terminate()
    if server.returncode:
        raise SystemExit(f"warm: stream serve ended with {server.returncode}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def _batch() -> None:
    """A file scored, and asked by SQL."""
    _flights("flights.parquet")
    _stream("batch", "flights.parquet", "--output", "scored", "--model", _MODEL)
    _stream("sql", "--model", _MODEL, "select count(*) from 'scored/**/*.parquet'")


def _train() -> None:
    """A small recipe, with its card."""
    _stream("train", "/build/deploy/docker/recipe.py", "--out", "trained", "--no-compare")


def _flights(path: str) -> None:
    subprocess.run([sys.executable, "-m", "stream.demo.export", path, "--events", _EVENTS], check=True)


WARM: Mapping[str, Callable[[], None]] = {
    "worker": _worker,
    "serve": _serve,
    "batch": _batch,
    "train": _train,
}
"""Target → what it is for."""

if __name__ == "__main__":
    WARM[sys.argv[1]]()
