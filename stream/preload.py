"""A server that forks processes which have imported what nearly every model needs; it imports once, for all of them."""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

__all__ = ["context", "get_ready"]

IMPORTED = ("stream.batch.work", "stream.store", "pandas", "sklearn.compose", "sklearn.ensemble")
"""What a process has imported when it is forked."""


def context() -> BaseContext:
    """
    How to start processes.

    A fork server, where the system has one, forks them: unlike this process, it has no threads. Elsewhere each
    process imports by itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(IMPORTED))
    return found


def get_ready() -> None:
    """Start the imports in the background, beside this process's own. Calling it is optional."""
    if context().get_start_method() == "forkserver":
        forkserver.ensure_running()
