"""
What is still to be given to a server, by a thread of its own: whoever has something for it is never held up.

1. `put` queues an entry and returns at once.
2. The thread does one entry after the other: urgent ones before others, each kind in the order it came.
3. Where the server does not answer, the entry is done again after longer and longer pauses. Where it answers
   but will not have this one, the entry is lost, and the next has its turn.
4. `close` waits as long as entries get done, within limits; what is left then is lost. The last entries are done in
   any case.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stream.errors import Retriable, StreamError

__all__ = ["Backlog", "Entry"]

FIRST_PAUSE_S, _LONGEST_PAUSE_S, _CLOSING_PAUSE_S = 0.5, 30.0, 1.0
_TRIES = 3
"""Of an entry, before the server is asked whether it answers at all."""

_LATE = "the server took nothing in time"


@dataclass(slots=True)
class Entry:
    """
    Something to be given to the server.

    Attributes:
        what: it is, in a message.
        do: gives it; may block. Retriable when the server does not answer, any other exception when it refuses.
        failures: how often it did not answer.
    """

    what: str
    do: Callable[[], object]
    failures: int = 0


class Backlog:
    """
    The entries and their thread, which is a daemon.

    Args:
        answers: asks the server for something that it surely has: Retriable when it does not answer.
    """

    def __init__(self, answers: Callable[[], object]) -> None:
        self._answers = answers
        self._urgent: deque[Entry] = deque()
        self._others: deque[Entry] = deque()
        self._last: list[Entry] = []
        self._lost: Counter[tuple[str, str]] = Counter()
        self._done = 0
        self._closing = self._cut = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="backlog", daemon=True)
        self._thread.start()

    def put(self, what: str, do: Callable[[], object], *, urgent: bool = False) -> None:
        """
        Queue an entry.

        Args:
            what: it is, for the message that it was lost.
            do: gives it to the server, as an `Entry` has it.
            urgent: before those that are not.
        """
        with self._changed:
            (self._urgent if urgent else self._others).append(Entry(what, do))
            self._changed.notify_all()

    def close(self, last: Sequence[Entry], patience_s: float, idle_s: float) -> Mapping[tuple[str, str], int]:
        """
        Do what is left, then the last entries, and end the thread.

        Args:
            last: entries that are done in any case, when nothing else is left, or the wait is over.
            patience_s: the longest wait for the others.
            idle_s: the longest in which none gets done, and the longest for the last.
        Returns: how many entries were lost, by what they were and why.
        Blocks for at most both.
        """
        with self._changed:
            self._last, self._closing = [*last], True
            self._changed.notify_all()
        try:
            self._wait(patience_s, idle_s)
        finally:
            with self._changed:
                self._cut = True
                self._changed.notify_all()
            self._thread.join(idle_s)
            with self._changed:
                left = [*self._urgent, *self._others, *self._last]
                lost = self._lost + Counter((entry.what, _LATE) for entry in left)
        return lost

    @property
    def waiting(self) -> int:
        """Entries that are not done yet."""
        with self._changed:
            return len(self._urgent) + len(self._others)

    def _wait(self, patience_s: float, idle_s: float) -> None:
        begun = moved = time.monotonic()
        done = -1
        while self._thread.is_alive():
            now = time.monotonic()
            if self._done != done:
                done, moved = self._done, now
            if now - begun > patience_s or now - moved > idle_s:
                return
            self._thread.join(0.05)

    def _work(self) -> None:
        pause = FIRST_PAUSE_S
        while (queue := self._next()) is not None:
            if self._given(queue[0]):
                pause = FIRST_PAUSE_S
                with self._changed:
                    queue.popleft()
                    self._done += 1
            else:
                with self._changed:
                    longest = _CLOSING_PAUSE_S if self._closing else _LONGEST_PAUSE_S
                    self._changed.wait_for(lambda: self._cut, min(pause, longest))
                pause *= 2
        while self._last:
            entry = self._last[0]
            if not self._given(entry):
                self._lost[entry.what, _LATE] += 1
            with self._changed:
                self._last.pop(0)

    def _next(self) -> deque[Entry] | None:
        """The queue whose first entry is to be done; None when the thread has done its work."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent or self._others or self._closing)
            if self._cut or not (self._urgent or self._others):
                return None
            return self._urgent or self._others

    def _given(self, entry: Entry) -> bool:
        """Whether an entry is done with: the server has it, or will never have it."""
        try:
            entry.do()
        except Retriable as error:
            entry.failures += 1
            if entry.failures < _TRIES or not self._alive():
                return False
            self._lost[entry.what, error.message] += 1
        except StreamError as error:
            self._lost[entry.what, error.message] += 1
        except Exception as error:  # noqa: BLE001 - a store's library may raise anything: it is said at the end
            self._lost[entry.what, f"{type(error).__name__}: {error}"] += 1
        return True

    def _alive(self) -> bool:
        try:
            self._answers()
        except Exception:  # noqa: BLE001 - as above: no answer that counts
            return False
        return True
