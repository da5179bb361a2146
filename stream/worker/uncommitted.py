"""Records of transactions that were not committed: kept as they were scored, published again, or given away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from stream.deadletter import Letter
from stream.errors import DeadLetterRefused, Stopped
from stream.records import Batch, Headers, Partition, Prediction
from stream.transport import Refusal
from stream.worker.publisher import letter_of, onward, refused_dead_letter
from stream.worker.span import ScoredBatch

__all__ = ["Uncommitted"]


class Uncommitted:
    """A queue of scored batches, oldest first. Owned by the engine's thread."""

    def __init__(self, dead_letters: str, clock: Callable[[], float]) -> None:
        """
        Args:
            dead_letters: the topic of dead letters.
            clock: monotonic seconds.
        """
        self._dead_letters = dead_letters
        self._clock = clock
        self._batches: list[ScoredBatch] = []
        self._since = clock()
        self.why = ""
        """Why the records are in hand."""

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        """Oldest first."""
        return (scored.batch for scored in self._batches)

    @property
    def first(self) -> ScoredBatch:
        """What must be published next. Raises: IndexError when there is nothing."""
        return self._batches[0]

    def check_age(self, at_most_s: float) -> None:
        """Raises: Stopped when nothing of it could be committed for too long."""
        age_s = self._clock() - self._since
        if age_s > at_most_s:
            raise Stopped(
                f"transactions could not be committed for {age_s:.0f} s: {self.why}",
                hint="look at the brokers; a restart goes on at the last commit",
            )

    def take_back(self, batches: Sequence[ScoredBatch], why: str, gone: Collection[Partition]) -> None:
        """
        Take in what was in a transaction that is not committed; it comes before what is here already.

        Args:
            batches: in the order in which they were published.
            why: for people.
            gone: partitions that went to others meanwhile.
        """
        if not self._batches:
            self._since = self._clock()
        kept = _where(batches, lambda partition, _: partition not in gone)
        self._batches = [*kept, *self._batches]
        self.why = why

    def add(self, scored: ScoredBatch) -> None:
        """Take in a batch that must wait for those before it."""
        self._batches.append(scored)

    def committed(self) -> None:
        """The first batch is committed."""
        del self._batches[0]
        self._since = self._clock()

    def drop(self, partitions: Collection[Partition]) -> None:
        """Forget the records of partitions that are others' now."""
        self._batches = _where(self._batches, lambda partition, _: partition not in partitions)

    def skip_to(self, next_offsets: Mapping[Partition, int]) -> None:
        """What is before these offsets turned out to be committed."""
        self._batches = _where(
            self._batches, lambda partition, offset: offset >= next_offsets.get(partition, 0)
        )

    @property
    def partitions(self) -> list[Partition]:
        """Where the records come from, ascending."""
        return sorted({p for scored in self._batches for p in scored.next_offsets()})

    def note(self, refusals: Sequence[Refusal]) -> None:
        """
        Mark the records whose outputs were refused, so that they are published differently the next time.

        A prediction becomes a dead letter; a refused timestamp becomes the current time. What may have been refused
        only because of its neighbours stays as it is: it is sent singly the next time.

        Raises: DeadLetterRefused when not even the dead-letter topic takes a record, or a refused record is not found.
        """
        buried: set[tuple[bytes | None, bytes | None]] = set()
        for refusal in refusals:
            if refusal.topic != self._dead_letters and (refusal.key, refusal.value) in buried:
                continue  # no smaller than one before it among these
            number, row = self._locate(refusal)
            scored = self._batches[number]
            if refusal.doubtful:
                continue
            if refusal.reason == "timestamp_refused" and row not in scored.restamped:
                scored.restamped.add(row)
            elif refusal.topic == self._dead_letters:
                raise refused_dead_letter(refusal)
            if refusal.topic != self._dead_letters:
                scored.outcomes[row] = letter_of(refusal)
                if refusal.larger_too:
                    buried |= self._refuse_larger(refusal)

    def _refuse_larger(self, refusal: Refusal) -> set[tuple[bytes | None, bytes | None]]:
        """
        Make dead letters of all that are certain to be refused: finding each costs a transaction.

        Returns: their keys and values.
        """
        found = set()
        least = _sizes(refusal.key, refusal.value, refusal.headers)
        for scored in self._batches:
            for row, outcome in enumerate(scored.outcomes):
                if isinstance(outcome, Prediction):
                    headers = onward(scored.batch.headers[row] or ())
                    sizes = _sizes(scored.batch.keys[row], outcome, headers)
                    if all(has >= limit for has, limit in zip(sizes, least, strict=True)):
                        found.add((scored.batch.keys[row], outcome))
                        scored.outcomes[row] = letter_of(refusal)
        return found

    def _locate(self, refusal: Refusal) -> tuple[int, int]:
        """The batch and the row of a refused output."""
        buried = refusal.topic == self._dead_letters
        for number, scored in enumerate(self._batches):
            row = _dead_letter_row(scored, refusal) if buried else scored.find(refusal.key, refusal.value)
            if row is not None:
                return number, row
        raise DeadLetterRefused(
            f"{refusal.topic} refused a record that is not of this transaction: {refusal.message}"
        )


def _sizes(key: bytes | None, value: bytes | None, headers: Headers) -> tuple[int, int, int, int]:
    """The sizes of a record's parts: where none is smaller, neither is the record."""
    parts = sum(len(name.encode()) + len(content or b"") for name, content in headers)
    return len(key or b""), len(value or b""), len(headers), parts


def _where(batches: Sequence[ScoredBatch], keep: Callable[[Partition, int], bool]) -> list[ScoredBatch]:
    """The batches with only the records to keep; none is empty."""
    kept = (scored.where(keep) for scored in batches)
    return [scored for scored in kept if len(scored.batch)]


def _dead_letter_row(scored: ScoredBatch, refusal: Refusal) -> int | None:
    place, batch = Letter.parse(refusal.headers).place, scored.batch
    return next((i for i in range(len(batch)) if batch.place(i) == place), None)
