"""The engine as a Faust service: it is started, watched and stopped with the worker's process."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from typing import Any

import faust

from stream.app.engine_process import set_up_process
from stream.app.reports import REPORT_S
from stream.app.version_bell import VersionBell
from stream.app.worker_log import WorkerLog
from stream.app.worker_parts import Parts
from stream.app.worker_status import Status
from stream.deadline import Deadline
from stream.errors import Retriable, Stopped, StreamError, Stuck
from stream.resources import log_origin
from stream.worker import State, wait_for_topics

__all__ = ["EngineService"]

log = logging.getLogger(__name__)

GIVE_UP_S = 300.0
"""A loop that stands still for this long has been removed from its group (librdkafka's
`max.poll.interval.ms`): the process ends, so that a supervisor can start a new one."""

STOP_S = 8.5
"""For the engine's thread to end once asked; its own budgets are shorter, and the web needs another second."""

PROBE_S = 5.0
"""Between two checks whether the broker is there."""


class EngineService(faust.Service):
    """Runs the engine in a thread. When the engine dies, so does the worker, with the reason."""

    abstract = False

    def __init__(self, parts: Parts, status: Status, bell: VersionBell, **options: Any) -> None:
        """
        Args:
            parts: the worker.
            status: notes when the broker answers.
            bell: says when to look for a new version of the model.
            options: Faust's own.
        """
        super().__init__(**options)
        self._parts = parts
        self._status = status
        self._bell = bell
        self._log = WorkerLog(parts)
        self._thread: threading.Thread | None = None
        self._died: asyncio.Future[BaseException | None] | None = None

    async def on_start(self) -> None:
        """Start the engine's thread, and the one that reports to a collector."""
        if self._parts.reporting is not None:
            self._parts.reporting.reporter.start(self._status.refresh)
        loop = asyncio.get_running_loop()
        self._died = loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="engine", daemon=True)
        self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """The engine's thread: whatever ends it is handed to the service; a bug's traceback is printed too."""
        try:
            self._work()
        except StreamError as error:
            loop.call_soon_threadsafe(self._ended, error)
        finally:
            loop.call_soon_threadsafe(self._ended, sys.exception())

    def _work(self) -> None:
        parts = self._parts
        settings = parts.settings
        engine = parts.engine
        there = wait_for_topics(
            parts.cluster,
            settings.topics,
            settings.kafka.bootstrap_servers,
            settings.kafka.startup_timeout,
            engine.pause,
        )
        if there:
            log_origin(parts.package, settings.model)
            self._log.started()
            set_up_process()
            with parts.cluster.naming_refusals():
                engine.run(parts.source)

    def _ended(self, reason: BaseException | None) -> None:
        if self._died is not None and not self._died.done():
            self._died.set_result(reason)

    @faust.Service.task
    async def _watch(self) -> None:
        """Crash the worker when the engine dies or stands still for good."""
        assert self._died is not None
        while not self.should_stop:
            done, _ = await asyncio.wait([self._died], timeout=1.0)
            if done:
                reason = self._died.result()
                if not self._parts.engine.stopping or reason is not None:
                    await self._crash_with(reason or Stuck("the engine ended without being asked"))
                return
            if self._parts.engine.progress.pause_s > GIVE_UP_S:
                self._dump_stacks()
                await self._crash_with(Stuck(f"the engine has stood still for {GIVE_UP_S:.0f} s"))
                return

    async def _crash_with(self, reason: BaseException) -> None:
        self._log.failed(reason)
        await self.crash(reason)

    def _dump_stacks(self) -> None:
        for thread, frame in sys._current_frames().items():
            log.critical("thread %s:", thread)
            for line in "".join(traceback.format_stack(frame)).splitlines():
                log.critical("  %s", line)

    @faust.Service.task
    async def _probe(self) -> None:
        """Ask the broker regularly which topics it has; `/health/ready` answers from this."""
        while not self.should_stop:
            await asyncio.to_thread(self._look)
            gone_s = self._status.probe.gone_s(time.monotonic())
            if gone_s > self._parts.settings.kafka.startup_timeout and self._running:
                names = ", ".join(self._status.probe.missing)
                hint = "create them with `stream topics --create`"
                await self._crash_with(
                    Stopped(f"topics have been gone for {gone_s:.0f} s: {names}", hint=hint)
                )
                return
            await self.sleep(PROBE_S)

    @faust.Service.task
    async def _look_for_versions(self) -> None:
        """Open a new version of the model, in a thread of its own, while the current one serves."""
        while self._bell.waits and not self.should_stop:
            await self._bell.wait()
            if self._running:
                await asyncio.to_thread(self._parts.reloader.look)

    @property
    def _running(self) -> bool:
        return self._parts.engine.life.state in (State.JOINING, State.RUNNING)

    def _look(self) -> None:
        settings = self._parts.settings
        try:
            there = self._parts.cluster.topics(PROBE_S)
        except Retriable as error:
            self._log.broker_away(error.message)
            return
        except StreamError as error:
            log.warning("%s", error.message)
            return
        missing = tuple(topic for topic in settings.topics if topic not in there)
        if missing and missing != self._status.probe.missing:
            self._log.topics_missing(missing)
        self._status.probe.note(time.monotonic(), missing)
        if (count := there.get(settings.input.topic)) is not None:
            self._parts.metrics.set("stream_input_partitions", count)
        self._log.broker_back()
        self._log.letters()
        self._look_for_transactions()
        self._status.note()

    def _look_for_transactions(self) -> None:
        """See how far the input can be read, where something was not read yet."""
        backlog = self._parts.engine.backlog
        behind = [partition for partition, records in backlog.lag.items() if records]
        try:
            backlog.stable_ends = self._parts.cluster.stable_ends(behind) if behind else {}
        except StreamError as error:
            log.warning("%s", error.message)

    async def on_stop(self) -> None:
        """Finish the batch, flush, commit, leave the group; within 10 s. What could not be finished is a crash."""
        self._parts.engine.stop()
        self._parts.reloader.stop()
        budget = Deadline.after(STOP_S)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, STOP_S)
        if self._parts.reporting is not None:
            await asyncio.to_thread(self._parts.reporting.reporter.stop, budget.left_s(REPORT_S))
        if self._thread is not None and self._thread.is_alive():
            await self._crash_with(_unfinished())
            return
        reason = self._died.result() if self._died is not None and self._died.done() else None
        if reason is not None and not self.crashed:
            await self._crash_with(reason)
        elif reason is None and not self.crashed:
            self._log.stopped()


def _unfinished() -> Stopped:
    return Stopped(
        f"the engine did not end within {STOP_S:g} s of being asked: a batch was still being scored or written, "
        "and is not committed; whoever reads these records next scores them again",
        hint="look at how long the model takes for one record (`stream_process_seconds`): a stop waits for it",
    )
