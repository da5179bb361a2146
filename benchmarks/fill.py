"""
A topic full of flights.

    python -m benchmarks.fill --bootstrap 127.0.0.1:9092 --events 200000 --topic flights.features
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
from confluent_kafka import Producer

from benchmarks.entry import PARTITIONS
from benchmarks.topics import Topics
from stream.codec import Encoder, RecordSchema, single_object_prefix
from stream.demo import flights

__all__ = ["PARTITIONS", "SCHEMA", "encoded", "fill"]

SCHEMA = Path(__file__).parents[1] / "schemas" / "flight.avsc"

_ROWS = 10_000
"""Encoded at a time."""

_FLUSH_S = 60.0


def encoded(frame: pd.DataFrame, schema: RecordSchema) -> Iterator[tuple[bytes, bytes]]:
    """
    Flights as records.

    Args:
        frame: rows of `stream.demo.flights.load_flights`.
        schema: the events'.
    Returns: key (the flight's id) and value (single-object framing) of each, in order.
    """
    encoder = Encoder(schema, single_object_prefix(schema))
    for start in range(0, len(frame), _ROWS):
        part = frame.iloc[start : start + _ROWS]
        columns = {
            name: pa.Array.from_pandas(part[name], type=schema.leaf(name).arrow) for name in schema.fields
        }
        for key, value in zip(part["flight_id"], encoder.encode(columns), strict=True):
            if not isinstance(value, bytes):
                raise TypeError(f"flight {key} can't be encoded: {value.message}")
            yield key.encode(), value


def fill(topics: Topics, events: int, topic: str | None = None, partitions: int = PARTITIONS) -> str:
    """
    Make a topic with so many flights, in time order, from the first again when there are more than flights.

    Args:
        topics: the broker's.
        events: how many.
        topic: its name; None for one that the next run finds again, filled.
        partitions: how many it has.
    Returns: the topic's name.
    """
    name = topic or f"bench.features.{events}" + ("" if partitions == PARTITIONS else f".p{partitions}")
    if topics.offsets(name) == events:
        return name
    topics.delete(name)
    topics.create(name, partitions)
    producer = Producer(
        {
            "bootstrap.servers": topics.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 1_000_000,
            "linger.ms": 50,
        }
    )
    schema = RecordSchema(SCHEMA.read_text())
    frame = flights.load_flights().head(events)
    for sent, (key, value) in enumerate(islice(cycle(encoded(frame, schema)), events), start=1):
        producer.produce(name, value, key)
        if sent % _ROWS == 0:
            producer.poll(0)
            while len(producer) > 500_000:
                producer.poll(0.1)
    if producer.flush(_FLUSH_S) or topics.offsets(name) != events:
        raise RuntimeError(f"{name}: {topics.offsets(name)} of {events} records arrived")
    return name


def main() -> None:
    """Fill a topic."""
    parser = argparse.ArgumentParser(description="Fill a topic with flights.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--topic")
    given = parser.parse_args()
    print(fill(Topics(given.bootstrap), given.events, given.topic))


if __name__ == "__main__":
    main()
