"""The local engine: a process per core of this machine, since a model holds the GIL while it predicts."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait as wait_for

from stream.batch.plan import Unit
from stream.batch.run_folder import Run
from stream.batch.work import Done, Job, Work
from stream.errors import StreamError
from stream.preload import context

__all__ = ["run_local"]

ALONE_ROWS = 50_000
"""One process scores so many rows in the time that more of them take to begin and open the model."""


def _cores() -> int:
    """How many cores the scheduler lets this process use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def run_local(
    run: Run, job: Job, processes: int | None = None, progress: Callable[[int], None] = lambda _: None
) -> list[Done]:
    """
    Do a run's units that are not done yet.

    Args:
        run: which was opened.
        job: what its processes need to know.
        processes: how many; None for one per core.
        progress: called with the number of rows done so far, first when the processes have begun.
    Returns: all units, including those done before.
    Raises: SampleError, PackageError or OSError as raised by a unit; StreamError when a process was killed. Finished
        units stay finished.
    """
    done = list(run.done)
    finished = {each.number for each in done}
    left = [unit for unit in run.plan.units if unit.number not in finished]
    count = sum(each.rows for each in done)
    wanted = min(processes or _cores(), len(left))
    few = processes is None and sum(unit.rows for unit in left) <= ALONE_ROWS
    with _alone(job) if wanted <= 1 or few else _together(job, wanted) as work:
        progress(count)
        for each in work(left):
            done.append(each)
            count += each.rows
            progress(count)
    return sorted(done, key=lambda each: each.number)


Doing = Callable[[list[Unit]], Iterator[Done]]


@contextmanager
def _alone(job: Job) -> Iterator[Doing]:
    def do(units: list[Unit]) -> Iterator[Done]:
        if units:
            yield from map(Work(job).do, units)

    yield do


@contextmanager
def _together(job: Job, processes: int) -> Iterator[Doing]:
    """The processes have begun when the block does: a thread that begins later can't be copied with this process."""
    with _pool(job, processes) as pool:
        yield partial(_done_by, pool, processes)


def _done_by(pool: ProcessPoolExecutor, processes: int, units: list[Unit]) -> Iterator[Done]:
    """Two units per process are running or queued: no process idles, and a stop loses little."""
    open_: set[Future[Done]] = set()
    try:
        for unit in units:
            open_.add(pool.submit(_do, unit))
            if len(open_) < 2 * processes:
                continue
            ready, open_ = wait(open_, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in ready)
        while open_:
            ready, open_ = wait(open_, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in ready)
    except BrokenProcessPool as error:
        raise StreamError(
            "a process of the run was killed, perhaps for lack of memory; finished units are kept",
            hint="run the same command again; with --processes 1 it needs the least memory",
        ) from error


@contextmanager
def _pool(job: Job, processes: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(processes, context(), _begin, (job,))
    try:
        with warnings.catch_warnings():
            # Python 3.12 and later count threads that `can_be_forked` knows.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            gc.freeze()  # a collection in a copy would write to each object, and so take all of the memory again
            pool.submit(os.getpid)  # copies are all made by the first call, before the pool has a thread
            gc.unfreeze()
        yield pool
    except BaseException:
        # Ctrl-C or an error: units in progress are not waited for; the next command does them again.
        for process in multiprocessing.active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


_work: list[Work | Exception] = []
"""In a process of the pool: its `Work`, or the error that prevented it."""


def _begin(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work.append(Work(job))
    except (StreamError, OSError) as error:
        _work.append(error)  # raised by the first unit: an initializer's own error would be lost


def _end_with_parent() -> None:
    """Exit with the parent: if it is killed, its children would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _do(unit: Unit) -> Done:
    (work,) = _work
    if isinstance(work, Exception):
        raise work
    return work.do(unit)
