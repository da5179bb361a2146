"""
Originals sent back to the input topic, each once.

How: one transactional producer, `{group}.deadletters-replay`. Taking that id fences an earlier replay and ends what it
left open; only then are the marks read, so they say all that was ever committed. Each transaction holds originals and
the mark that names them: both are there, or neither. A replay that is killed at any moment, and run again, goes on
where it was.

A chunk of letters, in one transaction:
  1. begin; hand over the originals, without the headers of the dead letter;
  2. wait until each is written: their offsets are known now;
  3. write the mark: which letters, and at which offsets they are;
  4. commit. What the broker refuses for what it is, is left out, and the others are sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stream.deadline import Deadline
from stream.errors import Aborted, DeliveryFailed, Fenced, OutcomeUnknown, Retriable, Stopped
from stream.records import Headers, Outgoing, Place
from stream.redrive.header_dialects import StoredLetter
from stream.redrive.offset_set import runs_of
from stream.redrive.replay_marks import Mark, Replayed
from stream.transport import BY_KEY, Refusal

__all__ = ["Channel", "Resending", "Topics"]

TRIES = 5
"""Of one chunk, where brokers are away or a transaction is aborted."""


class Channel(Protocol):
    """A producer that writes in transactions and tells where each record is (`stream.transport.TransactionalSink`)."""

    @property
    def timeout_s(self) -> float:
        """After so long the broker ends an open transaction by itself."""

    def start(self, deadline: Deadline) -> None:
        """See `TransactionalSink.start`."""

    def renew(self) -> None:
        """See `TransactionalSink.renew`."""

    def begin(self) -> None:
        """See `TransactionalSink.begin`."""

    def place(
        self, records: Outgoing, partitions: Sequence[int], written: Callable[[int, Place], None]
    ) -> None:
        """See `TransactionalSink.place`."""

    def send(self, records: Outgoing) -> None:
        """See `TransactionalSink.send`."""

    def flush(self, deadline: Deadline) -> list[Refusal]:
        """See `TransactionalSink.flush`."""

    def commit(self, deadline: Deadline) -> None:
        """See `TransactionalSink.commit`."""

    def abort(self, deadline: Deadline) -> None:
        """See `TransactionalSink.abort`."""


@dataclass(frozen=True, slots=True)
class Topics:
    """
    Where to.

    Attributes:
        marks: the topic of the marks.
        partitions: how many the input topic has.
        ends: of the dead-letter topic, where this replay's letters end.
        reread: reads the marks again, all of them.
    """

    marks: str
    partitions: int
    ends: Mapping[int, int]
    reread: Callable[[], Replayed]


@dataclass(slots=True)
class Resending:
    """
    Sends chunks. Used by one thread.

    Attributes:
        channel: started.
        topics: where to.
        replayed: what was committed before.
        sent: letters whose originals are committed.
        refused: letters whose original the broker refuses, with its words.
        perhaps: letters of a commit whose outcome is not known, as when it is interrupted.
    """

    channel: Channel
    topics: Topics
    replayed: Replayed
    sent: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    perhaps: int = 0

    def send(self, chunk: Sequence[StoredLetter]) -> None:
        """
        Send letters' originals; when it returns, each is committed or in `refused`.

        Args:
            chunk: 1 or more, none of them sent before.
        Raises: Fenced when another replay has started; a kind of Stopped when it can't go on. What was not committed is
            not visible, and sent by the next replay.
        """
        left, fault, tries = list(chunk), "the broker refuses them", TRIES
        refused_before = len(self.refused)
        while left and tries:
            before = len(left)
            try:
                left = self._tried(left)
            except (Aborted, Retriable) as error:
                fault = error.message
                self._settle()
            except OutcomeUnknown as error:
                fault = error.message
                left = self._unsent(left, error)
            except KeyboardInterrupt:
                self._settle()
                raise
            self.perhaps = 0
            tries = TRIES if len(left) < before else tries - 1
        if left:
            raise DeliveryFailed(
                f"{len(left)} letters could not be sent in {TRIES} tries: {fault}",
                hint="look at the brokers of the input topic; run the replay again: what was sent is not sent twice",
            )
        self.sent += len(chunk) - (len(self.refused) - refused_before)

    def _deadline(self) -> Deadline:
        return Deadline.after(self.channel.timeout_s)

    def _tried(self, chunk: list[StoredLetter]) -> list[StoredLetter]:
        """One transaction. Returns: the letters that are left, to be tried again."""
        channel, deadline = self.channel, self._deadline()
        places: dict[int, Place] = {}
        channel.begin()
        channel.place(self._originals(chunk), [self._partition(each) for each in chunk], places.__setitem__)
        refused = channel.flush(deadline)
        if refused:
            channel.abort(self._deadline())
            return self._without(chunk, refused, places)
        written = [(place.partition, place.offset) for place in places.values()]
        if len(written) < len(chunk) or any(offset < 0 for _, offset in written):
            raise Aborted("the broker did not say where it has written the originals")
        self._mark(chunk, written)
        if refused := channel.flush(deadline):
            raise Stopped(
                f"{self.topics.marks} refuses the mark of {len(chunk)} letters: {refused[0].message}",
                hint=f"raise max.message.bytes of {self.topics.marks}"
                if refused[0].reason == "message_too_large"
                else f"give {self.topics.marks} cleanup.policy=delete and retention.ms=-1",
            )
        self.perhaps = len(chunk)
        channel.commit(deadline)
        return []

    def _originals(self, chunk: Sequence[StoredLetter]) -> Outgoing:
        letters = [stored.letter for stored in chunk]
        return Outgoing(
            self.replayed.target.name,
            [letter.key for letter in letters],
            [letter.value for letter in letters],
            [letter.timestamp_ms for letter in letters],
            [letter.headers for letter in letters],
        )

    def _partition(self, stored: StoredLetter) -> int:
        """By key, as the worker places predictions; without a key where it was, if that is there."""
        before = stored.letter.partition
        if stored.letter.key is not None or before is None or before >= self.topics.partitions:
            return BY_KEY
        return before

    def _mark(self, chunk: Sequence[StoredLetter], written: Sequence[tuple[int, int]]) -> None:
        places = [(stored.partition, stored.offset) for stored in chunk]
        source, target = self.replayed.source, self.replayed.target
        mark = Mark(source, runs_of(places), self.topics.ends, target, runs_of(written))
        self.channel.send(Outgoing.one(self.topics.marks, None, mark.value(), 0, None))

    def _without(
        self, chunk: Sequence[StoredLetter], refused: Sequence[Refusal], written: Collection[int]
    ) -> list[StoredLetter]:
        """
        The letters that were not refused for what they are; the others are noted.

        A refusal has no time of its record: of letters that differ in their times only, those that were written are
        not the refused ones, and of the others it is the first.
        """
        words: dict[object, list[Refusal]] = {}
        for each in refused:
            if not each.doubtful:
                words.setdefault(_content(each.key, each.value, each.headers), []).append(each)
        left: list[StoredLetter] = []
        for number, stored in enumerate(chunk):
            letter = stored.letter
            found = words.get(_content(letter.key, letter.value, letter.headers))
            if number in written or not found:
                left.append(stored)
            else:
                refusal = found.pop(0)
                self.refused[stored.name] = f"{refusal.reason}: {refusal.message}"
        return left

    def _settle(self) -> None:
        """End the open transaction: nothing of it becomes visible."""
        try:
            self.channel.abort(self._deadline())
        except OutcomeUnknown:
            self._restart()

    def _restart(self) -> None:
        self.channel.renew()
        try:
            self.channel.start(self._deadline())
        except Retriable as error:
            raise DeliveryFailed(
                error.message, hint="look at the brokers, and run the replay again"
            ) from error

    def _unsent(self, chunk: Sequence[StoredLetter], error: OutcomeUnknown) -> list[StoredLetter]:
        """Ask the marks which letters were committed, where nobody knows. Raises: Fenced."""
        if error.fenced:
            raise Fenced(
                f"another replay has taken over, or the broker ended a transaction that took too long: {error.message}",
                hint="let one replay run at a time; run it again: what was sent is not sent twice",
            ) from error
        self._restart()
        self.replayed = self.topics.reread()
        return [each for each in chunk if not self.replayed.sent(each.partition, each.offset)]


def _content(
    key: bytes | None, value: bytes | None, headers: Headers
) -> tuple[bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]:
    return key, value, tuple((name, content) for name, content in headers)
