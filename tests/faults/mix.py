"""Events of every outcome: scored, buried, skipped. The same number is the same event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.acceptance import visits
from tests.acceptance.visits import Event

__all__ = ["Mix"]

KEYS = 97
"""Few enough that every key has many events, whose order can be looked at; prime, so that kinds meet all keys."""

NEVER = 10**9


@dataclass
class Mix:
    """
    Numbers → events.

    Attributes:
        seed: shifts which numbers are which.
        junk_every: one event in so many is no Avro.
        null_every: one event in so many has no value; the configuration asks for such to be skipped.
        odd_every: one event in so many is made `odd`.
        odd_from: the first event of which that may be.
        odd: turns a sound event into one that can be decoded, and ends as a dead letter all the same.
        large: values of the sound events from `odd_from` on.
        prefix: the framing of event n; default: Avro's single-object encoding.
    """

    seed: int
    junk_every: int = 37
    null_every: int = 101
    odd_every: int = NEVER
    odd_from: int = 0
    odd: Callable[[Event], Event] = lambda event: event
    large: Callable[[int], bytes] | None = None
    prefix: Callable[[int], bytes] = lambda number: visits.PREFIX

    def event(self, number: int) -> Event:
        """The event of a number."""
        body = visits.framed(visits.visit(number))[len(visits.PREFIX) :]
        sound = replace(
            visits.event(number), key=b"key-%d" % (number % KEYS), value=self.prefix(number) + body
        )
        if self._is_null(number):
            return replace(sound, value=None)
        if self._is_junk(number):
            return replace(sound, value=b"junk-%d" % number)
        if self._is_odd(number):
            return self.odd(sound)
        if self.large is not None and number >= self.odd_from:
            return replace(sound, value=self.large(number))
        return sound

    def _falls(self, number: int, every: int) -> bool:
        return every < NEVER and (number + self.seed) % every == 0

    def _is_null(self, number: int) -> bool:
        return self._falls(number, self.null_every)

    def _is_junk(self, number: int) -> bool:
        return not self._is_null(number) and self._falls(number, self.junk_every)

    def _is_odd(self, number: int) -> bool:
        plain = self._is_null(number) or self._is_junk(number) or number < self.odd_from
        return not plain and self._falls(number, self.odd_every)

    def odds(self, count: int) -> int:
        """How many of the first so many events are `odd`."""
        return sum(map(self._is_odd, range(count)))

    def split(self, count: int) -> tuple[set[int], set[bytes | None], int]:
        """Of the first so many events: numbers to be scored, values of dead letters, how many are skipped."""
        bad = {n for n in range(count) if self._is_junk(n) or self._is_odd(n)}
        skipped = sum(map(self._is_null, range(count)))
        good = {n for n in range(count) if not self._is_null(n)} - bad
        return good, {self.event(n).value for n in bad}, skipped
