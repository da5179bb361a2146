"""
The downstream reader of a latency run: notes when each prediction can be seen by a reader of committed records.

A process of its own, one for all runs on a topic. Asked by a line on stdin, a number of records, it answers with
one line of JSON on stdout once it has them: per record, in order, its key as a number and when it came.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

__all__ = ["look"]

_POLL_S = 0.5

_AT_ONCE = 1_000
"""Records that are there already, taken with one call."""


def look(consumer: Consumer, records: int, give_up_s: float) -> list[tuple[int, int]]:
    """
    Read this many records.

    Args:
        consumer: assigned.
        records: how many.
        give_up_s: without a single one for so long.
    Returns: fewer if no more came.
    """
    seen: list[tuple[int, int]] = []
    last = time.monotonic()
    while len(seen) < records and time.monotonic() - last < give_up_s:
        message = consumer.poll(_POLL_S)
        if message is None:
            continue
        more = consumer.consume(min(_AT_ONCE, records - len(seen) - 1), 0) if records - len(seen) > 1 else []
        now = time.monotonic_ns()
        for each in (message, *more):
            if each.error() is not None:
                raise KafkaException(each.error())
            seen.append((int(each.key() or 0), now))
        last = time.monotonic()
    return seen


def main() -> None:
    """Read where the arguments say."""
    parser = argparse.ArgumentParser(description="Note when records arrive.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    given = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": "bench.onlooker",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(given.topic, index, 0) for index in range(given.partitions)])
    gc.collect()
    gc.disable()
    for line in sys.stdin:
        print(json.dumps(look(consumer, int(line), 60.0)), flush=True)
    consumer.close()


if __name__ == "__main__":
    main()
