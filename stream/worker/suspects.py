"""
A note of what is being scored that outlives the process, so that a record that kills the interpreter is found.

Before a batch is scored its last offset of each partition is written to a small file; afterwards it is taken
out again. A process that starts and finds such a note knows that the one before died over these records. One death
may be anybody's kill -9; a second over the same records makes them suspects, scored in another process (`Guarded`).
"""

from __future__ import annotations

import json
import logging
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from stream.records import Batch, Outcome
from stream.worker.own_file import open_own
from stream.worker.protocols import Process

__all__ = ["CRASHES", "NOTE", "Guarded", "OtherProcess", "Suspects"]

log = logging.getLogger(__name__)

CRASHES = 2
"""This many deaths over the same records make them suspects: the first may have been anybody's kill -9."""

NOTE = "scoring.note"
"""The file's name in the worker's own folder."""

_NOTE_BYTES = 64 * 1024
"""Room for the note: some 25 bytes a partition."""

_LENGTH_BYTES = 4


class Suspects:
    """The note of one worker. Owned by the thread that scores."""

    def __init__(self, folder: Path) -> None:
        """
        Reads what the previous process left.

        Args:
            folder: this worker's own; created when it is not there.
        Raises: SettingsError when it is not this user's alone; OSError when it can't be created or written, or its disk
            is full.
        """
        with os.fdopen(open_own(folder, NOTE), "r+b") as file:
            left_over = file.read(_NOTE_BYTES)
            file.truncate(_NOTE_BYTES)
            file.seek(0)
            # Written, not only extended: on a full disk this is an error, where the first write to a hole through the
            # map would be a SIGBUS.
            file.write(left_over.ljust(_NOTE_BYTES, b"\0"))
            file.flush()
            os.fsync(file.fileno())
            self._room = mmap.mmap(file.fileno(), _NOTE_BYTES)
        left = self._read()
        died: dict[str, int] = left.get("scoring") or {}
        self._deaths: dict[str, list[int]] = left.get("deaths") or {}
        for partition, last in died.items():
            before = self._deaths.get(partition, [last, 0])
            self._deaths[partition] = [max(last, before[0]), before[1] + 1]
        if died:
            log.warning("the process before this one died while it scored: %s", _places(died))
        self._write({})

    def _read(self) -> dict[str, Any]:
        size = int.from_bytes(self._room[:_LENGTH_BYTES], "little")
        try:
            found = json.loads(self._room[_LENGTH_BYTES : _LENGTH_BYTES + size]) if size else {}
        except ValueError:
            return {}  # killed while it was written: not while a model ran
        return found if isinstance(found, dict) else {}

    def _write(self, scoring: dict[str, int]) -> None:
        text = json.dumps({"scoring": scoring, "deaths": self._deaths}).encode()
        if _LENGTH_BYTES + len(text) > _NOTE_BYTES:
            text = b"{}"  # thousands of partitions: no note rather than half a one
        self._room[:_LENGTH_BYTES] = bytes(_LENGTH_BYTES)
        self._room[_LENGTH_BYTES : _LENGTH_BYTES + len(text)] = text
        self._room[:_LENGTH_BYTES] = len(text).to_bytes(_LENGTH_BYTES, "little")

    def enter(self, batch: Batch) -> None:
        """The batch is being scored from now on."""
        self._write(self._last(batch))

    def leave(self, batch: Batch) -> None:
        """The batch was scored, and the process lives: its records are suspects no longer."""
        for partition, offset in self._last(batch).items() if self._deaths else ():
            if offset >= self._deaths.get(partition, [offset + 1])[0]:
                del self._deaths[partition]
        self._write({})

    def concern(self, batch: Batch) -> bool:
        """Whether a record of the batch is among those over which processes have died before."""
        if not self._deaths:
            return False
        topic = batch.topic
        return any(
            death[1] >= CRASHES and offset <= death[0]
            for index, offset in zip(batch.partitions, batch.offsets, strict=True)
            if (death := self._deaths.get(f"{topic}:{index}")) is not None
        )

    @staticmethod
    def _last(batch: Batch) -> dict[str, int]:
        last = dict(zip(batch.partitions, batch.offsets, strict=True))
        return {f"{batch.topic}:{index}": offset for index, offset in last.items()}


def _places(scoring: dict[str, int]) -> str:
    return ", ".join(f"{partition} up to offset {offset}" for partition, offset in scoring.items())


class OtherProcess(Protocol):
    """Another process that scores, so that its death is not this one's."""

    def process(self, batch: Batch) -> list[Outcome]:
        """One outcome per record; records that kill it are dead letters."""

    def close(self) -> None:
        """End it. Idempotent."""


class Guarded:
    """A pipeline whose suspects are scored elsewhere."""

    def __init__(
        self, pipeline: Process, suspects: Suspects, elsewhere: Callable[[], OtherProcess], golden_s: float
    ) -> None:
        """
        Args:
            pipeline: scores in this process.
            suspects: this worker's note.
            elsewhere: starts the other process.
            golden_s: how long its model took for the golden rows.
        """
        self.golden_s = golden_s
        self._pipeline = pipeline
        self._suspects = suspects
        self._elsewhere = elsewhere
        self._other: OtherProcess | None = None

    @property
    def name(self) -> str:
        """`name@version` of its model."""
        return self._pipeline.name

    def process(self, batch: Batch) -> list[Outcome]:
        """See `Pipeline.process`. Raises: as the pipeline; Stopped when the other process can't be started."""
        if self._suspects.concern(batch):
            return self._apart(batch)
        if self._other is not None:
            self._other.close()
            self._other = None
        self._suspects.enter(batch)
        try:
            outcomes = self._pipeline.process(batch)
        except BaseException:
            self._suspects.leave(Batch(batch.topic))  # an error is not a death
            raise
        self._suspects.leave(batch)
        return outcomes

    def _apart(self, batch: Batch) -> list[Outcome]:
        if self._other is None:
            log.warning(
                "records over which processes have died %d times are scored in one of their own", CRASHES
            )
            self._other = self._elsewhere()
        outcomes = self._other.process(batch)
        self._suspects.leave(batch)
        return outcomes
