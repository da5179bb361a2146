"""
Bytewax: Kafka in, `flat_map_batch`, Kafka out; started as its documentation says: `python -m bytewax.run`.

One worker. With its recovery store (a folder of SQLite files) it is at-least-once: without, it would begin anew.
The task is named by BENCH_TASK, since `bytewax.run` takes no arguments for a dataflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import read_task

_ROWS = 10_000
"""Records at most in a batch, of one partition: the hand-written loop's."""

task = read_task(Path(os.environ["BENCH_TASK"]))
model = Batches(task)


def predict(batch: list[KafkaSourceMessage]) -> Iterable[KafkaSinkMessage]:
    """Predictions under their events' keys."""
    values = model.predict(
        [message.value for message in batch],
        [message.partition for message in batch],
        [message.offset for message in batch],
    )
    return [KafkaSinkMessage(message.key, value) for message, value in zip(batch, values, strict=True)]


flow = Dataflow("predictions")
events = op.input(
    "events",
    flow,
    KafkaSource(
        [task.bootstrap],
        [task.source],
        batch_size=_ROWS,
        # It polls for 1 ms at a time: what is there must be many records at once.
        add_config={"max.partition.fetch.bytes": str(8 * 1024 * 1024), "fetch.queue.backoff.ms": "10"},
    ),
)
predictions = op.flat_map_batch("predict", events, predict)
op.output(
    "predictions",
    predictions,
    KafkaSink(
        [task.bootstrap],
        task.target,
        # It flushes after each batch: then a linger only delays the last request.
        add_config={
            "partitioner": "murmur2_random",
            "linger.ms": "1",
            "batch.size": "1000000",
            "queue.buffering.max.messages": "500000",
        },
    ),
)
