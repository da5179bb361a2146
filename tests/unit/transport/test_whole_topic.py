"""A topic read as a whole: what an open transaction hides is waited for, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from stream.errors import Stopped
from stream.records import Batch
from stream.settings import KafkaSettings
from stream.testing import batch_of
from stream.transport import OffsetRange, read_whole
from stream.transport import whole_topic as module


class FakeReader:
    """
    A topic of one partition.

    Attributes:
        low: its first offset.
        written: the offset after its last record.
        readable: how far it can be read, at each look; the last stays.
        stuck: whether nothing comes of what can be read.
    """

    low, written, stuck = 0, 4, False
    readable: list[int]

    def __init__(self, kafka: KafkaSettings, topic: str, start: Sequence[OffsetRange]) -> None:
        self.finished = False
        self._ranges = start

    def written_ends(self) -> dict[int, int]:
        """All of it."""
        return {0: self.written}

    def ends(self) -> dict[int, tuple[int, int]]:
        """What is committed, before the first open transaction."""
        return {0: (self.low, self.readable.pop(0) if len(self.readable) > 1 else self.readable[0])}

    def read(self, ranges: Sequence[OffsetRange]) -> None:
        """Note what is wanted."""
        self._ranges = ranges

    def batches(self, idle_s: float) -> Iterator[Batch]:
        """The records of the range."""
        if not self.stuck:
            [wanted] = self._ranges
            yield batch_of([b"%d" % offset for offset in range(wanted.start, wanted.end)])
            self.finished = True

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> type[FakeReader]:
    """Looked at without waiting."""

    class Topic(FakeReader):
        """This test's own."""

    monkeypatch.setattr(module, "Reader", Topic)
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    return Topic


def whole(*, settled: bool = True) -> int:
    """How many records it has."""
    read = read_whole(
        KafkaSettings(), "t", "marks", "what was done is not known", "twice then", settled=settled
    )
    return sum(len(batch) for batch in read)


@pytest.mark.parametrize(("readable", "settled"), [([4], True), ([1, 1, 4], True), ([6], True), ([1], False)])
def test_open_transaction_is_waited_for(topic: type[FakeReader], readable: list[int], settled: bool) -> None:
    """Until all that was written at first can be read; a look at what is there now does not wait."""
    topic.readable = list(readable)

    assert readable[-1] == whole(settled=settled)


def test_transaction_that_does_not_end_is_an_error(
    topic: type[FakeReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed behind it is not known; the message says where, and what to do."""
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    topic.readable = [1]

    with pytest.raises(Stopped, match="offset 1 has not ended.*what was done is not known") as error:
        whole()

    assert "find-hanging --topic t" in (error.value.hint or "")


def test_deleted_records_and_records_that_do_not_come_are_errors(topic: type[FakeReader]) -> None:
    """Nothing is taken for nothing."""
    topic.readable, topic.low = [4], 1
    with pytest.raises(Stopped, match="marks were deleted, so what was done is not known"):
        whole()
    topic.low, topic.stuck = 0, True
    with pytest.raises(Stopped, match="nothing came"):
        whole()
