"""Which records and requests get a span: those of a sampled trace, and a share of those that bring no trace."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from stream.records import Headers
from stream.tracing.trace_context import TRACEPARENT, Parent, marked_sampled, parent_of

__all__ = ["Sampler"]

_WINDOW_S = 1.0


class Sampler:
    """
    Decides before anything is made: what is not chosen costs a look at its headers. Used by one thread.

    A trace that has begun elsewhere is followed as its *sampled* flag says; a `traceparent` that can't be read is left
    alone. Chosen are so many a second at most, whatever the flags say: a producer that samples everything must not
    slow a worker down.
    """

    def __init__(
        self,
        share: float,
        most_per_second: int,
        clock: Callable[[], float],
        left_out: Callable[[int], None],
    ) -> None:
        """
        Args:
            share: of what brings no trace, 0 to 1.
            most_per_second: how many are chosen in a second.
            clock: monotonic seconds.
            left_out: told how many more there would have been.
        """
        self._share = share
        self._most = most_per_second
        self._clock = clock
        self._left_out = left_out
        # Not the module's generator: a model that seeds that one would make the same choices, and ids, every time.
        self._random = random.Random()
        self._since = -math.inf
        self._chosen = 0

    def rows(self, headers: Sequence[Headers | None]) -> dict[int, Parent | None]:
        """
        The records of a batch that get a span.

        Args:
            headers: shape (n,).
        Returns: row → where its trace comes from; None: a trace begins here. Rows ascend.
        """
        # Of several, the last counts, as Kafka's own clients read headers.
        brought = {i: v for i, each in enumerate(headers) if each for name, v in each if name == TRACEPARENT}
        marked = [i for i, value in brought.items() if marked_sampled(value)]
        rows = range(len(headers))
        alone = [i for i in rows if i not in brought] if brought else rows
        chosen = sorted([*marked, *(alone[i] for i in self._heads(len(alone)))])
        # Parsed are those alone for which there is room.
        parents = {i: parent_of(brought.get(i) or b"") for i in chosen[: self._room(len(chosen))]}
        return {i: parent for i, parent in parents.items() if parent or i not in brought}

    def request(self, values: Sequence[str]) -> tuple[bool, Parent | None]:
        """
        Whether a request gets a span, and where its trace comes from.

        Args:
            values: of its `traceparent` headers.
        """
        parent = parent_of(values[0].encode("latin-1")) if len(values) == 1 else None
        wanted = bool(parent.flags & 1) if parent else not values and bool(self._heads(1))
        return wanted and self._room(1) == 1, parent

    def new_trace(self) -> int:
        """An id, 128 bits, not 0."""
        return self._random.getrandbits(128) or 1

    def new_span(self) -> int:
        """An id, 64 bits, not 0."""
        return self._random.getrandbits(64) or 1

    def _heads(self, n: int) -> Sequence[int]:
        """Which of n coins, each with this share of heads, come up heads; work for those alone."""
        if self._share <= 0 or self._share >= 1:
            return range(n if self._share >= 1 else 0)
        found: list[int] = []
        i = -1
        while True:
            i += 1 + int(math.log(1 - self._random.random()) / math.log1p(-self._share))
            if i >= n:
                return found
            found.append(i)

    def _room(self, wanted: int) -> int:
        """How many of these may still be chosen in this second."""
        if not wanted:
            return 0
        now = self._clock()
        if now - self._since >= _WINDOW_S:
            self._since, self._chosen = now, 0
        room = min(wanted, self._most - self._chosen)
        self._chosen += room
        if room < wanted:
            self._left_out(wanted - room)
        return room
