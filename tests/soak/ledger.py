"""What has come out: counted by input record in arrays, so that millions of records fit."""

from __future__ import annotations

import io
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from confluent_kafka import Consumer, TopicPartition

from tests.acceptance.reader import PREFIX_BYTES

__all__ = ["Ledger"]

GROW = 1 << 20


@dataclass
class Ledger:
    """
    Attributes:
        counts: per input partition, outputs of each offset.
        latencies_ms: of each output, from the event's timestamp to its reading.
        errors: what the reader was told besides records.
    """

    bootstrap: str
    topic: str
    partitions: int
    package: Path
    counts: list[np.ndarray[Any, np.dtype[np.uint8]]] = field(init=False)
    latencies_ms: list[int] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        self.counts = [np.zeros(GROW, np.uint8) for _ in range(self.partitions)]
        version = (self.package / "current").read_text().strip()
        path = self.package / "versions" / version / "prediction.avsc"
        self._schema = fastavro.parse_schema(json.loads(path.read_text()))
        self._consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "onlooker",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(self.topic, p, 0) for p in range(self.partitions)])

    def poll(self, wait_s: float) -> int:
        """Take in what is there; how many records."""
        messages = self._consumer.consume(10_000, wait_s)
        now_ms = int(time.time() * 1000)
        taken = 0
        for message in messages:
            value = message.value()
            if message.error() is None and value is not None:
                fields: Any = fastavro.schemaless_reader(io.BytesIO(value[PREFIX_BYTES:]), self._schema, None)
                self._count(fields["source_partition"], fields["source_offset"])
                self.latencies_ms.append(now_ms - message.timestamp()[1])
                taken += 1
        self.seen += taken
        return taken

    def _count(self, partition: int, offset: int) -> None:
        column = self.counts[partition]
        if offset >= len(column):
            column = self.counts[partition] = np.concatenate([column, np.zeros(len(column), np.uint8)])
        column[offset] += 1

    @property
    def different(self) -> int:
        """Input records with an output."""
        return sum(int(np.count_nonzero(column)) for column in self.counts)

    @property
    def doubled(self) -> int:
        """Outputs beyond the first of each input record."""
        return self.seen - self.different

    def percentile_ms(self, share: float) -> float:
        """Of the latencies."""
        return float(np.percentile(np.asarray(self.latencies_ms), share)) if self.latencies_ms else 0.0

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close()
