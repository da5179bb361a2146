"""
A micro-batch loop by hand: confluent-kafka and the worker's own Rust decoder and model, nothing else.

It is meant to be as fast as an expert can make it, so that the worker is measured against something. It
promises less than the worker does: no check that the bytes are valid Avro, no isolation of a bad row (one
ends the loop), no dead letters, no headers, no timestamps, no metrics, no care at a rebalance. It is
at-least-once as such loops are: outputs are flushed before offsets are committed. Every setting says why it
is as it is; faster ones are welcome. What was tried and was not faster follows.

* Batches of 2,000 (half as fast again as 5,000 at best), 5,000 (5–10 % slower) and 20,000 (no faster: the
  columns no longer fit the cache).
* Handing the predictions to the producer in a thread of its own, while the next batch is scored: both want
  the interpreter, so the clock shows nothing or a loss.
* `produce_batch`: 0.49 µs a record, `produce` by position 0.31 (a dict for each record is expensive).
* Fetches of 1 MiB (the default): 10–20 % slower on a backlog.
"""

from __future__ import annotations

import gc
import signal
from typing import Any

from confluent_kafka import Consumer, Producer

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import Task, arguments, read_task

_ANSWER_S = 30.0
"""Longest wait for the transaction coordinator."""


def consumer(task: Task) -> Consumer:
    """The input side."""
    return Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": task.group,
            "auto.offset.reset": "earliest",
            # Offsets are committed by hand, after a flush.
            "enable.auto.commit": False,
            # What consume() hands over is noted by the client itself; commit() then commits up to there.
            "enable.auto.offset.store": True,
            # 64 MiB of records ready: a batch never waits for a fetch.
            "queued.max.messages.kbytes": 65_536,
            # The default lets the queue run low (100,000 records) before it fetches again; it is enough here.
            "queued.min.messages": 100_000,
            # Large answers, few round trips: 8 MiB per partition, 50 MiB (the default) in all.
            "max.partition.fetch.bytes": 8 * 1024 * 1024,
            "fetch.wait.max.ms": 50,
            # While the queue is full enough, look again after 10 ms and not a second: at these rates 100,000
            # records are gone in half of one, and the loop would run dry.
            "fetch.queue.backoff.ms": 10,
            # The broker and this loop share a machine's memory bus: no checksum of what came over the loopback
            # (`check.crcs` is off by default; said because it matters).
            "check.crcs": False,
        }
    )


def producer(task: Task, **more: str) -> Producer:
    """The output side, with settings besides (`_` for `.`)."""
    return Producer(
        {
            **{key.replace("_", "."): value for key, value in more.items()},
            "bootstrap.servers": task.bootstrap,
            # As the worker: at-least-once must survive a retry without doubling or reordering.
            "acks": "all",
            "enable.idempotence": True,
            # Batches fill within a few milliseconds at these rates; a longer linger brings nothing.
            "linger.ms": 5,
            # One request per partition and batch: 2,000 predictions of some 80 bytes over 4 partitions.
            "batch.size": 1_000_000,
            "batch.num.messages": 10_000,
            # lz4 costs more CPU here than the bytes it saves on the loopback.
            "compression.type": "none",
            # Room for several batches, so that produce() never finds the queue full.
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 1_048_576,
            # As Java's clients place keys.
            "partitioner": "murmur2_random",
            # No report per record; a failed one is found by the flush that doesn't end.
            "delivery.report.only.error": True,
        }
    )


class Loop:
    """Consume, score, produce; flush and commit every few batches."""

    def __init__(self, task: Task, batch: int, per_commit: int) -> None:
        self.target = task.target
        self.batch = batch
        self.per_commit = per_commit
        self.running = True
        self.model = Batches(task)
        self.consumer = consumer(task)
        self.producer = self.open_producer(task)
        self.consumer.subscribe([task.source])

    def open_producer(self, task: Task) -> Producer:
        """What it writes with."""
        return producer(task)

    def run(self) -> None:
        """Until SIGTERM."""
        since = 0
        while self.running:
            # All that is there, up to a batch; 0.1 s is only waited when there is less than one.
            messages = self.consumer.consume(self.batch, 0.1)
            if not messages:
                since = self.commit() if since else 0
                continue
            values = self.work(messages)
            if not since:
                self.begin()
            self.send(messages, values)
            since += 1
            if since >= self.per_commit:
                since = self.commit()
        if since:
            self.commit()
        self.consumer.close()

    def work(self, messages: list[Any]) -> list[bytes]:
        """Predictions of a batch, ready for the wire."""
        return self.model.predict(
            [message.value() for message in messages],
            [message.partition() for message in messages],
            [message.offset() for message in messages],
        )

    def begin(self) -> None:
        """Before the first batch after a commit."""

    def send(self, messages: list[Any], values: list[bytes]) -> None:
        """Hand the predictions to the producer, under their event's key."""
        produce, target = self.producer.produce, self.target
        for message, value in zip(messages, values, strict=True):
            produce(target, value, message.key())

    def commit(self) -> int:
        """Wait for the outputs, then commit what was read."""
        while self.producer.flush(1.0):
            pass
        self.consumer.commit(asynchronous=True)
        return 0


class Transactions(Loop):
    """
    The loop, exactly once: outputs and offsets in one transaction, as the client's own example does it.

    An error ends it: an abort would have to seek each partition back to where the transaction began.
    """

    def open_producer(self, task: Task) -> Producer:
        """A producer of transactions, its older self fenced."""
        opened = producer(task, transactional_id=task.group)
        opened.init_transactions(_ANSWER_S)
        return opened

    def begin(self) -> None:
        """A transaction, for the next few batches."""
        self.producer.begin_transaction()

    def commit(self) -> int:
        """Offsets into the transaction, then its end: it flushes."""
        places = self.consumer.position(self.consumer.assignment())
        read = [place for place in places if place.offset >= 0]
        group = self.consumer.consumer_group_metadata()
        self.producer.send_offsets_to_transaction(read, group, _ANSWER_S)
        self.producer.commit_transaction(_ANSWER_S)
        return 0


class Copy(Loop):
    """The loop without its middle: what the client library leaves for all the rest."""

    def work(self, messages: list[Any]) -> list[bytes]:
        """The values as they came."""
        return [message.value() for message in messages]


def main() -> None:
    """Run until SIGTERM."""
    parser = arguments()
    # Large enough that the price of a call (pandas, scikit-learn: some 2 ms) is spread thin.
    parser.add_argument("--batch", type=int, default=10_000)
    # A flush and a commit stand still for some 10 ms; 50,000 events are what a crash makes it repeat.
    parser.add_argument("--per-commit", type=int, default=5, help="batches between two commits")
    parser.add_argument("--copy", action="store_true", help="only move the bytes")
    parser.add_argument("--transactions", action="store_true", help="exactly once")
    given = parser.parse_args()
    kind = Copy if given.copy else Transactions if given.transactions else Loop
    loop = kind(read_task(given.task), given.batch, given.per_commit)

    def stop(*_: object) -> None:
        loop.running = False

    signal.signal(signal.SIGTERM, stop)
    # Messages by the ten thousand set the garbage collector off again and again, each time over all that
    # scikit-learn and pandas have loaded: leave that out, and look more rarely (0.8 µs an event).
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000)
    loop.run()


if __name__ == "__main__":
    main()
