"""The processes that fetch models for this one; whoever ends them need not import how they are started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

__all__ = ["CHILDREN", "end_fetching"]

CHILDREN: set[subprocess.Popen[bytes]] = set()
"""Those that have not ended."""


def end_fetching() -> None:
    """Give up what is being fetched, as Retriable: the process is about to end. Any thread may call it."""
    for child in tuple(CHILDREN):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
