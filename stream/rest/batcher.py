"""Micro-batches: requests that arrive together are scored in one call of the model."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from stream.rest.allowance import Allowance, allowance
from stream.rest.problems import overloaded
from stream.rest.served_model import Answer, Event, Served
from stream.scoring import Raised, attempt
from stream.settings import ServeSettings
from stream.telemetry import Metrics
from stream.types import Misfits

__all__ = ["Batcher"]


Scored: TypeAlias = "tuple[list[Answer], Misfits]"
"""The answers for one request's rows, and by row the fields that don't fit."""


@dataclass(slots=True, eq=False)
class _Job:
    """The rows of one request, and where their answers go."""

    served: Served
    events: Sequence[Event]
    answers: asyncio.Future[Scored]
    allowance: Allowance

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.events)


class Batcher:
    """
    Gathers requests and scores them in a thread, so that the event loop stays free for connections.

    A batch takes the waiting requests. While it is scored, those of the next one gather; so a batch waits only for as
    many requests as the last one had, and never longer than `max_wait`. A single client never waits. Belongs to one
    event loop.
    """

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        """
        Args:
            settings: `batch_rows`, `max_wait`, `queue_rows`, `timeout`.
            metrics: of requests, rows and batches.
        """
        self._settings = settings
        self._metrics = metrics
        self._jobs: deque[_Job] = deque()
        self._rows = 0
        self._wanted = 1
        self._wake = asyncio.Event()
        # One thread: numpy and pandas hold the GIL for most of a small batch.
        self._thread = ThreadPoolExecutor(1, "scoring")
        self._since: float | None = None

    @property
    def stuck(self) -> bool:
        """Whether the model has worked on one batch for longer than a request may take."""
        return self._since is not None and time.monotonic() - self._since > self._settings.timeout

    @property
    def busy(self) -> bool:
        """Whether a batch is being scored."""
        return self._since is not None

    async def score(self, served: Served, events: Sequence[Event]) -> Scored:
        """
        Score the rows of a request together with those of others.

        Args:
            served: the model that the rows were read for.
            events: the rows.
        Returns: an answer for each row, and by row the fields whose values the model's columns can't hold.
        Raises: Problem 503 when too many rows wait.
        """
        rows = len(events)
        if rows == 0:
            return [], {}
        if self._rows + rows > self._settings.queue_rows:
            raise overloaded(f"{self._rows} rows wait")
        job = _Job(served, events, asyncio.get_running_loop().create_future(), allowance())
        job.allowance.enter()
        self._jobs.append(job)
        self._count(rows)
        if len(self._jobs) >= self._wanted or self._rows >= self._settings.batch_rows:
            self._wake.set()
        try:
            return await job.answers
        finally:
            if not job.answers.done() or job.answers.cancelled():
                self._forget(job)

    async def run(self) -> None:
        """Score batches until cancelled."""
        while True:
            await self._gather()
            jobs = self._take()
            if jobs:
                await self._score(jobs)

    def close(self) -> None:
        """Start no further batch; one that is being scored goes on."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _count(self, rows: int) -> None:
        self._rows += rows
        self._metrics.shift("stream_queue_rows", rows)  # of the process: others' rows wait, too

    def _forget(self, job: _Job) -> None:
        """Nobody waits for it any more."""
        if job in self._jobs:
            self._jobs.remove(job)
            self._count(-job.rows)
            job.allowance.leave()

    async def _gather(self) -> None:
        """Wait for a first request, then briefly for as many as came together last time."""
        likely, self._wanted = self._wanted, 1
        if not self._jobs:
            self._wake.clear()
            await self._wake.wait()
        self._wanted = likely
        if len(self._jobs) < likely and self._rows < self._settings.batch_rows:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._settings.max_wait)

    def _take(self) -> list[_Job]:
        """The first job, and the next ones for the same model that fit in the batch."""
        jobs: list[_Job] = []
        rows = 0
        while self._jobs:
            job = self._jobs[0]
            if jobs and (job.served is not jobs[0].served or rows + job.rows > self._settings.batch_rows):
                break
            jobs.append(self._jobs.popleft())
            rows += job.rows
        self._count(-rows)
        return jobs

    async def _score(self, jobs: list[_Job]) -> None:
        self._wanted = len(jobs)
        self._since = started = time.monotonic()
        shares: Sequence[Scored] | BaseException | None = self._at_once(jobs)
        if shares is None:
            work = asyncio.get_running_loop().run_in_executor(self._thread, self._answers, jobs)
            await asyncio.wait([work])
            shares = work.exception() or work.result()
        self._since = None
        self._metrics.observe("stream_batch_records", sum(job.rows for job in jobs))
        self._metrics.observe("stream_process_seconds", time.monotonic() - started)
        for i, job in enumerate(jobs):
            job.allowance.leave()
            if job.answers.done():
                continue  # its request has timed out
            if isinstance(shares, BaseException):
                job.answers.set_exception(shares)
            else:
                job.answers.set_result(shares[i])

    def _at_once(self, jobs: Sequence[_Job]) -> list[Scored] | None:
        """Score a few rows here where that is quicker than to hand them to the thread; None: the thread's turn."""
        events = [event for job in jobs for event in job.events]
        try:
            found = attempt(lambda: jobs[0].served.answer_quickly(events))
        except MemoryError:
            return None
        # What it raised is raised in the thread again, by what every row can be asked of.
        return None if found is None or isinstance(found, Raised) else _shares(jobs, *found)

    def _answers(self, jobs: Sequence[_Job]) -> list[Scored]:
        """Score the jobs' rows as one batch; those of a larger job piece by piece, until its time is up."""
        most = self._settings.batch_rows
        return [_in_pieces(jobs[0], most)] if jobs[0].rows > most else _as_one(jobs)


def _in_pieces(job: _Job, most: int) -> Scored:
    answers: list[Answer] = []
    wrong: Misfits = {}
    for start in range(0, job.rows, most):
        job.allowance.check()
        some, misfits = job.served.answer(job.events[start : start + most])
        answers += some
        wrong |= {start + i: misfits[i] for i in misfits}
    return answers, wrong


def _as_one(jobs: Sequence[_Job]) -> list[Scored]:
    return _shares(jobs, *jobs[0].served.answer([event for job in jobs for event in job.events]))


def _shares(jobs: Sequence[_Job], answers: list[Answer], wrong: Misfits) -> list[Scored]:
    """Each job's own."""
    if len(jobs) == 1:
        return [(answers, wrong)]
    shares: list[Scored] = []
    start = 0
    for job in jobs:
        stop = start + job.rows
        shares.append((answers[start:stop], {i - start: wrong[i] for i in wrong if start <= i < stop}))
        start = stop
    return shares
