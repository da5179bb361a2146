"""What every endpoint works with: the model that answers, the limits, and the metrics."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from stream.live import Seen
from stream.records import DeadLetter
from stream.rest.allowance import Allowance, allowance
from stream.rest.batcher import Batcher
from stream.rest.front import Front
from stream.rest.problems import MOST_ERRORS, unfit
from stream.rest.request_body import Intake, offload
from stream.rest.served_model import Answer, Event, Served
from stream.settings import ServeSettings
from stream.telemetry import Metrics
from stream.types import Misfits, dead_letter_of

if TYPE_CHECKING:
    from stream.tracing import RequestSpans

__all__ = ["PROGRAM", "Service"]

PROGRAM = "prediction-stream"
"""The distribution that serves."""

_ROW_WORK_BYTES = 330
"""Reading a row takes as long as parsing so many bytes: 200 rows are too many for the event loop."""

_ROWS_AT_ONCE = 200
"""Rows read between two looks at the clock."""


class Service(Front):
    """
    A model behind HTTP. Belongs to one event loop; `swap` may be called by any thread.

    Attributes:
        served: the model that answers.
        program_version: of `PROGRAM`.
        batcher: scores rows.
        seen: what the live page shows of answers.
    """

    def __init__(
        self,
        served: Served,
        settings: ServeSettings,
        metrics: Metrics,
        spans: RequestSpans | None = None,
        *,
        redact: bool = False,
        intake: Intake | None = None,
    ) -> None:
        """
        Args:
            served: the model that answers.
            settings: limits.
            metrics: of the process.
            spans: as `Front` has them.
            redact: keep nothing for the live page that may hold a payload.
            intake: as `Front` has it.
        """
        super().__init__(settings, metrics, spans, intake)
        self.seen = Seen(redact=redact)
        self.served = served
        self.program_version = version(PROGRAM)
        self.batcher = Batcher(settings, metrics)

    @property
    def title(self) -> str:
        """`name@version` of the model that answers."""
        return self.served.title

    @property
    def busy(self) -> bool:
        """Whether a batch is being scored."""
        return self.batcher.busy

    @property
    def live(self) -> bool:
        """Whether requests are answered: False while the model is stuck."""
        return not self.batcher.stuck

    def swap(self, served: Served) -> None:
        """Let another version answer the requests from now on."""
        self.served = served

    async def answer(
        self,
        served: Served,
        rows: Sequence[object],
        size_bytes: int,
        *,
        text: bool = False,
        single: bool = False,
    ) -> list[Answer]:
        """
        Score the rows of a request.

        Args:
            served: the model when the request began.
            rows: n rows; one that is not a mapping is a field that does not fit.
            size_bytes: of the request's body.
            text: whether texts represent numbers, dates … (csv).
            single: whether the request is one row, not a list of rows.
        Returns: n answers: a DeadLetter for each row that the model could not score.
        Raises: Problem 422 with the fields that do not fit, 413 when there are too many rows, 503 when too many wait
            or are held already, 504 when the time is up.
        """
        work, mine = _admitted(served, rows, size_bytes)
        events, wrong, uncounted = await offload(work, lambda: _read(served, rows, text, mine))
        if not wrong:
            answers, wrong = await self.batcher.score(served, events)
        if wrong:
            raise unfit(served.title, wrong, single=single, uncounted=uncounted)
        return await self._answered(served, rows, answers, work)

    async def answer_each(
        self, served: Served, rows: Sequence[object], size_bytes: int, *, text: bool = False
    ) -> list[Answer]:
        """
        Score the rows of a request, of which some may not fit.

        Args:
            served: as for `answer`, like the others.
            rows: n rows.
            size_bytes: of the body.
            text: whether texts represent numbers, dates … (csv).
        Returns: n answers: a DeadLetter also for each row that does not fit.
        Raises: as `answer`, but for fields that do not fit.
        """
        work, mine = _admitted(served, rows, size_bytes)
        read = await offload(work, lambda: _read_each(served, rows, text, mine))
        events = [one for one in read if not isinstance(one, DeadLetter)]
        scored, wrong = await self.batcher.score(served, events)
        fit = (dead_letter_of(wrong[i]) if i in wrong else one for i, one in enumerate(scored))
        answers = [one if isinstance(one, DeadLetter) else next(fit) for one in read]
        return await self._answered(served, rows, answers, work)

    async def _answered(
        self, served: Served, rows: Sequence[object], answers: list[Answer], work: int
    ) -> list[Answer]:
        """The answers without the carried fields that weren't given, counted."""
        if served.carried:
            await offload(work, lambda: served.drop_absent(rows, answers))
        failed = sum(isinstance(answer, DeadLetter) for answer in answers)
        self.metrics.add("stream_rows_total", len(answers) - failed, result="prediction")
        self.metrics.add("stream_rows_total", failed, result="error")
        if failed or self.seen.watched:
            self.seen.answers(answers, served.title, round(time.time() * 1_000))
        return answers


def _admitted(served: Served, rows: Sequence[object], size_bytes: int) -> tuple[int, Allowance]:
    """How long the rows take to read, as bytes that are parsed; and what they may take, which is held from now on."""
    mine = allowance()
    mine.rows(len(rows))
    mine.take(len(rows) * served.row_bytes)
    return max(size_bytes, len(rows) * _ROW_WORK_BYTES), mine


def _read_each(
    served: Served, rows: Sequence[object], text: bool, mine: Allowance
) -> list[Event | DeadLetter]:
    """As `Served.read`, with a DeadLetter in place of a row that does not fit."""
    found: list[Event | DeadLetter] = []
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        mine.check()
        events, misfits = served.read(rows[start : start + _ROWS_AT_ONCE], text=text)
        found += [dead_letter_of(misfits[i]) if i in misfits else event for i, event in enumerate(events)]
    return found


def _read(
    served: Served, rows: Sequence[object], text: bool, mine: Allowance
) -> tuple[list[Event], Misfits, int]:
    """As `Served.read`; of many rows that do not fit some are kept, and how many fields more there are."""
    if len(rows) <= _ROWS_AT_ONCE:
        return *served.read(rows, text=text), 0
    events: list[Event] = []
    wrong: Misfits = {}
    listed = uncounted = 0
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        mine.check()
        some, misfits = served.read(rows[start : start + _ROWS_AT_ONCE], text=text)
        for row, faults in misfits.items():
            if listed < MOST_ERRORS:
                wrong[start + row] = faults
                listed += len(faults)
            else:
                uncounted += len(faults)
        if not wrong:
            events += some
    return events, wrong, uncounted
