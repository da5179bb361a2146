"""
FastStream on confluent-kafka: a batch subscriber, and `publish_batch` for what it answers.

A batch is acknowledged when its handler has returned, which waits for each prediction to be written: at-least-once.
"""

from __future__ import annotations

import asyncio
import logging

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaPublishMessage
from faststream.confluent.annotations import KafkaMessage

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import Task, arguments, read_task

_ROWS = 10_000
"""Records at most in a batch: the hand-written loop's."""

_WAIT_S = 0.1
"""For a batch to fill: only waited at the end of a backlog."""


def create_app(task: Task) -> FastStream:
    """The app: one subscriber."""
    broker = KafkaBroker(
        task.bootstrap,
        # One access-log line for each event otherwise.
        logger=None,
        config={
            "partitioner": "murmur2_random",
            # Many small predictions in one request.
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 500_000,
        },
    )
    model = Batches(task)

    @broker.subscriber(
        task.source,
        batch=True,
        max_records=_ROWS,
        polling_interval=_WAIT_S,
        group_id=task.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        # Large answers, as the hand-written loop: 1 MiB per partition (the default) costs a fifth on a backlog.
        max_partition_fetch_bytes=8 * 1024 * 1024,
        no_reply=True,
    )
    async def predict(values: list[bytes], message: KafkaMessage) -> None:
        raw = message.raw_message
        predictions = model.predict(values, [one.partition() for one in raw], [one.offset() for one in raw])
        answers = [
            KafkaPublishMessage(value, key=one.key()) for value, one in zip(predictions, raw, strict=True)
        ]
        await broker.publish_batch(*answers, topic=task.target)

    return FastStream(broker, logger=None)


def main() -> None:
    """Run until SIGTERM."""
    app = create_app(read_task(arguments().parse_args().task))
    asyncio.run(app.run(log_level=logging.WARNING))


if __name__ == "__main__":
    main()
