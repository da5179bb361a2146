"""What the pipeline is made of; in a module of its own, since Beam pickles what stands in the main one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import Task

__all__ = ["Handler", "Read", "Write"]

_ROWS = 10_000
"""Records at most in a batch: the hand-written loop's."""

_Event = tuple[bytes, bytes, int, int]
"""Key, value, partition, offset."""

_Prediction = tuple[bytes, bytes]
"""Key, value."""


class Read(beam.DoFn):  # type: ignore[misc]
    """Every record of a partition, up to where it ends now."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def process(self, partition: int) -> Iterator[_Event]:
        """One partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._task.bootstrap,
                "group.id": self._task.group,
                "enable.auto.commit": False,
                "max.partition.fetch.bytes": 8 * 1024 * 1024,
                "fetch.queue.backoff.ms": 10,
            }
        )
        _, end = consumer.get_watermark_offsets(TopicPartition(self._task.source, partition))
        consumer.assign([TopicPartition(self._task.source, partition, 0)])
        read = 0
        while read < end:
            for message in consumer.consume(_ROWS, 0.1):
                read = message.offset() + 1
                yield message.key(), message.value(), partition, message.offset()
        consumer.close()


class Handler(ModelHandler[_Event, _Prediction, Batches]):  # type: ignore[misc]
    """What RunInference asks."""

    def __init__(self, task: Task) -> None:
        super().__init__(min_batch_size=_ROWS, max_batch_size=_ROWS)
        self._task = task

    def load_model(self) -> Batches:
        """Once for each worker."""
        return Batches(self._task)

    def run_inference(
        self, batch: Sequence[_Event], model: Batches, inference_args: dict[str, Any] | None = None
    ) -> list[_Prediction]:
        """Predictions under their events' keys."""
        keys, values, partitions, offsets = zip(*batch, strict=True)
        return list(zip(keys, model.predict(values, partitions, offsets), strict=True))


class Write(beam.DoFn):  # type: ignore[misc]
    """To the topic of predictions; flushed with every bundle."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def setup(self) -> None:
        """Once for each worker."""
        self._producer = Producer(
            {
                "bootstrap.servers": self._task.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 1_000_000,
                "enable.idempotence": True,
            }
        )

    def process(self, prediction: _Prediction) -> None:
        """One prediction."""
        self._producer.produce(self._task.target, prediction[1], prediction[0])

    def finish_bundle(self) -> None:
        """All are written."""
        while self._producer.flush(1.0):
            pass
