"""
Two plain hops: a consumer and a producer that only pass the bytes on, at once. The floor of latency.

It waits for one record, takes what else is there, passes it on without lingering, and lets the client commit
by itself: no model, no guarantee.
"""

from __future__ import annotations

import gc
import signal

from confluent_kafka import Consumer, Producer

from benchmarks.contestants.task import arguments, read_task

_WAIT_S = 0.1
"""For a first record; SIGTERM is noticed after this."""

_BATCH = 2_000


def main() -> None:
    """Run until SIGTERM."""
    task = read_task(arguments().parse_args().task)
    running = True

    def stop(*_: object) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    consumer = Consumer(
        {"bootstrap.servers": task.bootstrap, "group.id": task.group, "auto.offset.reset": "earliest"}
    )
    producer = Producer(
        {
            "bootstrap.servers": task.bootstrap,
            "linger.ms": 0,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "delivery.report.only.error": True,
        }
    )
    gc.freeze()
    consumer.subscribe([task.source])
    while running:
        messages = consumer.consume(1, _WAIT_S)
        messages += consumer.consume(_BATCH, 0) if messages else []
        for message in messages:
            producer.produce(task.target, message.value(), message.key())
        producer.poll(0)
    producer.flush(5.0)
    consumer.close()


if __name__ == "__main__":
    main()
