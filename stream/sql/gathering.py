"""
Small calls from several threads, answered together.

DuckDB calls a function with 2,048 rows at a time, each of its threads for itself. A pipeline on pandas takes
nearly as long for 2,048 rows as for 10,000, and two threads in Python hinder each other. So one thread asks the
model for what all of them have, while they wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Gathering"]

_WAIT_S = 0.003
"""How long one thread waits for as many others as came the last time; a call of a pipeline takes 10 ms."""


@dataclass(slots=True)
class _Request:
    rows: pa.Array
    answer: pa.Array | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None


class Gathering:
    """
    Answers calls of any number of threads, never two at a time.

    Args:
        answer: from n rows to n answers; each row's answer depends on that row alone.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, answer: Callable[[pa.Array], pa.Array], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._answer = answer
        self._clock = clock
        self._turn = threading.Lock()
        self._came = threading.Condition()
        self._waiting: list[_Request] = []
        self._expected = 1

    @property
    def waiting(self) -> int:
        """How many calls wait to be answered, beside those that are being answered; any thread may ask."""
        return len(self._waiting)

    def ask(self, rows: pa.Array) -> pa.Array:
        """
        Answer a call, with those of other threads if there are any.

        Args:
            rows: n rows.
        Returns: n answers, in order.
        Raises: what `answer` raised, in every thread whose rows were asked with it.
        Blocks while other rows are being answered, and for 3 ms where other threads are expected.
        """
        request = _Request(rows)
        with self._came:
            self._waiting.append(request)
            self._came.notify_all()
        with self._turn:
            if not request.done:
                self._serve(self._gather(request))
        if request.error is not None:
            raise request.error
        return request.answer

    def _gather(self, own: _Request) -> list[_Request]:
        """What waits now, of the type of our own rows: two calls in one query may have different rows."""
        deadline = self._clock() + _WAIT_S
        with self._came:
            while len(self._waiting) < self._expected and (left := deadline - self._clock()) > 0:
                self._came.wait(left)
            chosen = [request for request in self._waiting if request.rows.type == own.rows.type]
            self._waiting = [request for request in self._waiting if request.rows.type != own.rows.type]
        # As many may come again; one fewer each time that they don't, so that the last thread does not wait.
        self._expected = max(len(chosen), self._expected - 1)
        return chosen

    def _serve(self, requests: list[_Request]) -> None:
        try:
            rows = [request.rows for request in requests]
            answers = self._answer(rows[0] if len(rows) == 1 else pa.concat_arrays(rows))
        # Whatever it is, each of the waiting threads must get it, or it would wait for ever.
        except BaseException as error:  # noqa: BLE001
            for request in requests:
                request.error = error
            return
        if len(requests) == 1:
            requests[0].answer = answers
            return
        start = 0
        for request in requests:
            stop = start + len(request.rows)
            # Copied: DuckDB takes no struct that begins somewhere within its arrays.
            request.answer = answers.take(pa.array(range(start, stop), pa.int64()))
            start = stop
