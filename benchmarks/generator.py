"""
The load: events sent at the moments when they are meant to be, whatever becomes of them.

A process of its own. An event's key is the moment when it was meant to be sent (`time.monotonic_ns`, one clock
for all processes of a machine); predictions keep their event's key. One line of JSON on stdout: per event, in
order, the moment it was meant to be sent and the moment it was handed to the client.
"""

from __future__ import annotations

import argparse
import gc
import json
import time

from confluent_kafka import Producer

from benchmarks.delays import arrivals
from benchmarks.fill import SCHEMA, encoded
from stream.codec import RecordSchema
from stream.demo import flights

__all__ = ["send"]

_FLIGHTS = 5_000
"""Different events; after these the first comes again."""

_SOON_NS = 500_000_000
"""Between making ready and the first event."""

_FLUSH_S = 60.0

_MANY = 10_000
"""Events/s from which the client gathers them for a millisecond: a request for each would be the broker's work."""


def send(producer: Producer, topic: str, values: list[bytes], moments: list[int]) -> list[tuple[int, int]]:
    """
    Send an event at each moment.

    Args:
        producer: one with little or no linger.
        topic: where to.
        values: the events', by turns.
        moments: ns since the start, ascending.
    Returns: per event when it was meant to be sent, and when it was handed over; by `time.monotonic_ns`.
    """
    start = time.monotonic_ns() + _SOON_NS
    sent: list[tuple[int, int]] = []
    meant = start
    for i, moment in enumerate(moments):
        meant = max(start + moment, meant + 1)  # a key of its own: at 50,000 a second two may share a moment
        while (early := meant - time.monotonic_ns()) > 0:
            producer.poll(0)
            time.sleep(early / 1e9)
        sent.append((meant, time.monotonic_ns()))
        producer.produce(topic, values[i % len(values)], str(meant))
    if producer.flush(_FLUSH_S):
        raise RuntimeError(f"{topic}: {len(producer)} of {len(sent)} events did not arrive")
    return sent


def main() -> None:
    """Send what the arguments say."""
    parser = argparse.ArgumentParser(description="Send flights at random moments.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    schema = RecordSchema(SCHEMA.read_text())
    values = [value for _, value in encoded(flights.load_flights().head(_FLIGHTS), schema)]
    moments = arrivals(given.rate, given.seconds, given.seed)
    producer = Producer(
        {
            "bootstrap.servers": given.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 0 if given.rate < _MANY else 1,
            "queue.buffering.max.messages": 1_000_000,
            "delivery.report.only.error": True,
        }
    )
    producer.list_topics(given.topic, timeout=30)
    gc.collect()
    gc.disable()
    print(json.dumps(send(producer, given.topic, values, moments)))


if __name__ == "__main__":
    main()
