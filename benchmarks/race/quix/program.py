"""
Quix Streams: a streaming dataframe, one event at a time, as its documentation teaches it.

`--sink`: a `BatchingSink`, its documented way to handle many events together: it gathers what comes between two
commits, predicts, and writes with a producer of its own.
"""

from __future__ import annotations

from typing import Any

from confluent_kafka import Producer
from quixstreams import Application, message_context
from quixstreams.sinks.base import BatchingSink, SinkBatch

from benchmarks.contestants.middle import Batches, Singles
from benchmarks.contestants.task import Task, arguments, read_task

_CONSUMER = {
    # Large answers, as the hand-written loop: 1 MiB per partition (the default) costs a fifth on a backlog.
    "max.partition.fetch.bytes": 8 * 1024 * 1024,
    # While the queue is full enough, look again after 10 ms and not a second.
    "fetch.queue.backoff.ms": 10,
}

_PRODUCER = {
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "enable.idempotence": True,
    "queue.buffering.max.messages": 500_000,
}


class PredictionSink(BatchingSink):
    """Predicts for all that was gathered, and waits until it is written."""

    def __init__(self, task: Task, rows: int) -> None:
        super().__init__()
        self._model = Batches(task)
        self._target = task.target
        self._rows = rows
        self._producer = Producer({"bootstrap.servers": task.bootstrap, **_PRODUCER})

    def write(self, batch: SinkBatch) -> None:
        """Called with each partition's events before their offsets are committed."""
        produce, target = self._producer.produce, self._target
        for items in batch.iter_chunks(self._rows):
            events = list(items)
            values = self._model.predict(
                [event.value for event in events],
                [batch.partition] * len(events),
                [event.offset for event in events],
            )
            for event, value in zip(events, values, strict=True):
                produce(target, value, event.key)
        while self._producer.flush(1.0):
            pass


def main() -> None:
    """Run until SIGTERM."""
    parser = arguments()
    parser.add_argument("--sink", type=int, default=0, help="events at a time; 0: one")
    given = parser.parse_args()
    task = read_task(given.task)
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        # A commit is when a sink writes: after as many events as the loop commits after.
        commit_every=5 * given.sink,
        consumer_extra_config=_CONSUMER,
        producer_extra_config=_PRODUCER,
        state_dir=task.folder,
        loglevel="WARNING",
        auto_create_topics=False,
    )
    raw = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    events = app.dataframe(app.topic(task.source, **raw))
    if given.sink:
        events.sink(PredictionSink(task, given.sink))
    else:
        model = Singles(task)

        def predict(value: bytes) -> bytes:
            place = message_context()
            return model.predict(value, place.partition, place.offset)

        target: Any = app.topic(task.target, key_serializer="bytes", value_serializer="bytes")
        events.apply(predict).to_topic(target)
    app.run()


if __name__ == "__main__":
    main()
