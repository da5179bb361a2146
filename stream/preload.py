"""
Processes that have imported what nearly every model needs when they begin; it is imported once, for all of them.

They are copies of this process, where it can be copied; else a fork server, which has no threads, makes them.
"""

from __future__ import annotations

import gc
import multiprocessing
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

from stream.child_python import can_be_forked

__all__ = ["collect_as_usual", "collect_seldom", "context", "get_ready"]

IMPORTED = ("stream.batch.work", "stream.store", "pandas", "sklearn.compose", "sklearn.ensemble")
"""What a process has imported when it begins."""

_GARBAGE_AFTER = 20_000
"""New objects before a garbage collection; Python's default is 700."""

_USUAL = gc.get_threshold()


def collect_seldom() -> None:
    """
    Look for garbage less often, from now on: imports make 150,000 objects, nearly all of which stay.

    Each of the 400 collections meanwhile finds next to nothing; together they are a tenth of a start.
    """
    gc.set_threshold(_GARBAGE_AFTER)


def collect_as_usual() -> None:
    """The start is over: a request that failed may have left large things that refer to themselves."""
    gc.set_threshold(*_USUAL)


def context() -> BaseContext:
    """
    How to start processes now.

    Copies of this process cost no more than what they write to, so what they need is imported here first. That takes a
    process without threads (`can_be_forked`); a fork server takes a second longer and some 100 MB more. Where the
    system has neither, each process imports by itself.
    """
    if can_be_forked():
        for name in IMPORTED:
            import_module(name)
        if can_be_forked():  # an import may have started a thread
            return multiprocessing.get_context("fork")
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(IMPORTED))
    return found


def get_ready() -> None:
    """Where a fork server will be needed, start its imports beside this process's own. Calling it is optional."""
    if not can_be_forked() and context().get_start_method() == "forkserver":
        forkserver.ensure_running()
