"""
The loop that a good engineer writes in an afternoon: consume 5,000, decode, predict, encode, produce, flush, commit.

The clients are left at their defaults but for what is needed to lose nothing (outputs are flushed before offsets are
committed); OpenMP and BLAS take as many threads as they do where nobody says otherwise. Codec and model are those of
the expert's loop (`contestants/loop.py`), which is the same with every setting tuned. Like it, this one promises less
than the worker does: at-least-once, one bad row ends it, no dead letters.
"""

from __future__ import annotations

import os
import signal
from typing import Any

# What the libraries do where nobody says otherwise; `middle` would say one.
os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(os.cpu_count()))

from confluent_kafka import Consumer, Producer

from benchmarks.contestants.middle import Batches
from benchmarks.contestants.task import Task, arguments, read_task

_BATCH = 5_000
_WAIT_S = 0.05


class Plain:
    """Consume, score, produce, flush, commit."""

    def __init__(self, task: Task) -> None:
        self.running = True
        self._target = task.target
        self._model = Batches(task)
        self._producer = Producer({"bootstrap.servers": task.bootstrap, "partitioner": "murmur2_random"})
        self._consumer = Consumer(
            {
                "bootstrap.servers": task.bootstrap,
                "group.id": task.group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self._consumer.subscribe([task.source])

    def run(self) -> None:
        """Until SIGTERM."""
        while self.running:
            messages: list[Any] = self._consumer.consume(_BATCH, _WAIT_S)
            if not messages:
                continue
            values = self._model.predict(
                [message.value() for message in messages],
                [message.partition() for message in messages],
                [message.offset() for message in messages],
            )
            for message, value in zip(messages, values, strict=True):
                self._producer.produce(self._target, value=value, key=message.key())
                self._producer.poll(0)
            self._producer.flush()
            self._consumer.commit(asynchronous=False)
        self._consumer.close()


def main() -> None:
    """Run until SIGTERM."""
    loop = Plain(read_task(arguments().parse_args().task))

    def stop(*_: object) -> None:
        loop.running = False

    signal.signal(signal.SIGTERM, stop)
    loop.run()


if __name__ == "__main__":
    main()
