"""Reading from outside, without a group: what comes, ranges of offsets, the first and last records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from stream.deadline import Deadline
from stream.errors import Stopped
from stream.records import Batch, Outgoing
from stream.transport import OffsetRange, Reader, TransactionalSink, first_and_last
from tests.contract.cluster import PARTITIONS, READ_S, Cluster, Row, rows, send
from tests.kafka.process import wait_for

NO_TRANSACTIONS = "its transactions only pretend: aborted records are delivered"


def read(reader: Reader) -> list[Row]:
    """The records of the reader's ranges."""
    found = [row for batch in reader.batches(READ_S) for row in rows(batch)]
    assert reader.finished
    return found


@contextmanager
def reading(cluster: Cluster, topic: str, *ranges: OffsetRange) -> Iterator[Reader]:
    """A reader of ranges."""
    with closing(Reader(cluster.settings(), topic, ranges)) as reader:
        yield reader


@contextmanager
def transactions(cluster: Cluster) -> Iterator[TransactionalSink]:
    """A producer that has taken its transactional id."""
    settings = cluster.settings()
    with closing(TransactionalSink(settings, f"{settings.group}.one")) as sink:
        sink.start(Deadline.after(READ_S))
        yield sink


def write(sink: TransactionalSink, topic: str, *values: bytes) -> None:
    """Open a transaction and write records of one key."""
    sink.begin()
    sink.send(Outgoing(topic, [b"one key"] * len(values), values, [0] * len(values), [None] * len(values)))
    assert [] == sink.flush(Deadline.after(READ_S))


def holding(cluster: Cluster, topic: str) -> tuple[int, int]:
    """The partition that has records, and the offset after its last."""
    with reading(cluster, topic) as reader:
        [found] = [(index, high) for index, (low, high) in reader.ends().items() if high > low]
    return found


class TestWithoutAnEnd:
    """A topic as it grows."""

    def test_every_partition_is_read_from_the_start_and_then_what_comes(self, cluster: Cluster) -> None:
        """A reader without a group sees old and new records of all partitions."""
        topic = cluster.topic("watched")
        keys = [b"%d" % i for i in range(100)]
        send(cluster, topic, keys[:50], keys[:50])
        with closing(Reader(cluster.settings(), topic, "earliest")) as reader:
            before = self.some(reader, 50)
            send(cluster, topic, keys[50:], keys[50:])
            after = self.some(reader, 50)

            assert not reader.finished
        assert set(keys[:50]) == {row.value for row in before}
        assert set(keys[50:]) == {row.value for row in after}
        assert set(range(PARTITIONS)) == {row.partition for row in before}

    def test_absent_topic_is_told(self, cluster: Cluster) -> None:
        """A topic that is not there is an error that names it, and is not made."""
        name = cluster.topics.name("absent")

        with pytest.raises(Stopped, match=f"topic {name} is not there"):
            Reader(cluster.settings(), name, "earliest")

    @staticmethod
    def some(reader: Reader, count: int) -> list[Row]:
        """So many records."""
        found: list[Row] = []

        def enough() -> bool:
            found.extend(rows(reader.poll(0.1)))
            return len(found) >= count

        wait_for(enough, READ_S, f"{count} records")
        return found


class TestRanges:
    """Offsets from one to another of each partition, and no more."""

    def test_each_partition_is_read_from_its_start_to_its_end(self, cluster: Cluster) -> None:
        """Every record of the ranges comes once, in order, in batches; none beside them; then it is over."""
        topic = cluster.topic("ranges")
        keys = [b"%d" % i for i in range(400)]
        send(cluster, topic, keys, keys)
        with reading(cluster, topic) as reader:
            ends = reader.ends()
            ranges = [OffsetRange(index, 2, high - 3) for index, (_, high) in ends.items() if index]
            reader.read(ranges)
            batches: list[Batch] = []
            while not reader.finished:
                batches.append(reader.poll(1.0, records=7))

            assert [] == rows(reader.poll(0.2))
        found = [row for batch in batches for row in rows(batch)]
        assert max(len(batch) for batch in batches) <= 7
        assert {each.partition: list(range(each.start, each.end)) for each in ranges} == {
            each.partition: [r.offset for r in found if r.partition == each.partition] for each in ranges
        }
        assert sum(each.end - each.start for each in ranges) == len(found)

    def test_end_of_the_topic_ends_the_range(self, cluster: Cluster) -> None:
        """A range up to the offset after the last record needs no record behind it, and takes none that comes."""
        topic = cluster.topic("whole")
        send(cluster, topic, [b"1", b"2", b"3"])
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, 0, end)) as reader:
            send(cluster, topic, [b"late"])

            assert [b"1", b"2", b"3"] == [row.value for row in read(reader)]

    def test_range_without_records_is_over_at_once(self, cluster: Cluster) -> None:
        """A range whose end is not after its start is over at once."""
        topic = cluster.topic("nothing")
        send(cluster, topic, [b"1"])
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, end, end), OffsetRange(index + 1, 1, 0)) as reader:
            assert reader.finished
            assert [] == read(reader)

    def test_so_many_records_at_most(self, cluster: Cluster) -> None:
        """A range that is limited ends with its last wanted record."""
        topic = cluster.topic("limited")
        send(cluster, topic, [b"1", b"2", b"3"])
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, 0, end, records=2)) as reader:
            assert [b"1", b"2"] == [row.value for row in read(reader)]

    def test_one_reader_reads_range_after_range(self, cluster: Cluster) -> None:
        """The next range starts afresh, and a partition that was finished is read again."""
        topic = cluster.topic("again")
        send(cluster, topic, [b"1", b"2", b"3"])
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, 1, end)) as reader:
            assert [b"2", b"3"] == [row.value for row in read(reader)]
            reader.read([OffsetRange(index, 0, 2)])

            assert [b"1", b"2"] == [row.value for row in read(reader)]

    def test_idle_reader_says_that_it_is_not_finished(self, cluster: Cluster) -> None:
        """A range that reaches beyond what is there ends with the time that the caller gives it, unfinished."""
        topic = cluster.topic("beyond")
        send(cluster, topic, [b"1"])
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, 0, end + 1)) as reader:
            assert [b"1"] == [row.value for batch in reader.batches(2.0) for row in rows(batch)]
            assert not reader.finished
            send(cluster, topic, [b"2"])

            assert [b"2"] == [row.value for row in read(reader)]

    def test_offset_that_is_not_there_is_told(self, cluster: Cluster) -> None:
        """A start that the topic does not hold is an error; nothing else is read instead."""
        topic = cluster.topic("gone")
        send(cluster, topic, [b"1"])
        index, _ = holding(cluster, topic)
        with (
            reading(cluster, topic, OffsetRange(index, 1_000, 2_000)) as reader,
            pytest.raises(Stopped, match=f"reading {topic}"),
        ):
            read(reader)

    @pytest.mark.mock_gap(NO_TRANSACTIONS)
    def test_only_committed_records_are_read_and_markers_are_waited_for_by_nobody(
        self, cluster: Cluster
    ) -> None:
        """Aborted records are left out, and a range whose last offsets hold no records ends all the same."""
        topic = cluster.topic("committed")
        budget = Deadline.after(READ_S)
        with transactions(cluster) as sink:
            write(sink, topic, b"1", b"2")
            sink.commit(budget)
            write(sink, topic, b"3")
            sink.abort(budget)
            write(sink, topic, b"4")
            sink.commit(budget)
            write(sink, topic, b"5")
            sink.abort(budget)
        index, end = holding(cluster, topic)
        with reading(cluster, topic, OffsetRange(index, 0, end)) as reader:
            assert [b"1", b"2", b"4"] == [row.value for row in read(reader)]
            assert end > 5

    @pytest.mark.mock_gap(NO_TRANSACTIONS)
    def test_open_transaction_is_waited_for(self, cluster: Cluster) -> None:
        """A range that holds records of an open transaction is not over before that has ended."""
        topic = cluster.topic("open")
        send(cluster, topic, [b"0"])
        index, end = holding(cluster, topic)
        with transactions(cluster) as sink, reading(cluster, topic, OffsetRange(index, 0, end + 1)) as reader:
            write(sink, topic, b"1")
            assert [b"0"] == [row.value for batch in reader.batches(1.0) for row in rows(batch)]
            assert not reader.finished
            sink.commit(Deadline.after(READ_S))

            assert [b"1"] == [row.value for row in read(reader)]


class TestFirstAndLast:
    """A look at both ends of a topic."""

    def test_both_ends_of_each_partition_are_seen(self, cluster: Cluster) -> None:
        """So many records at the beginning and at the end, and none between."""
        topic = cluster.topic("edges")
        send(cluster, topic, [b"%d" % i for i in range(20)])

        found = first_and_last(cluster.settings(), topic, 3)

        assert [b"0", b"1", b"2", b"17", b"18", b"19"] == found.values

    def test_short_partition_is_seen_whole(self, cluster: Cluster) -> None:
        """Where the ends meet, each record comes once or twice, and none is missing."""
        topic = cluster.topic("short")
        send(cluster, topic, [b"1", b"2", b"3"])

        assert [b"1", b"2", b"2", b"3"] == first_and_last(cluster.settings(), topic, 2).values
        assert [b"1", b"2", b"3"] == first_and_last(cluster.settings(), topic, 5).values

    def test_absent_topic_has_no_records(self, cluster: Cluster) -> None:
        """A missing topic is not an error here: the caller, which lists the topics, reports it."""
        assert 0 == len(first_and_last(cluster.settings(), cluster.topics.name("absent"), 5))
