"""For MLServer, which takes requests and gives responses of the Open Inference Protocol as JSON: both translated."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer

from benchmarks.topics import Topics

__all__ = ["Response", "responses", "send_requests"]

_FLUSH_S = 60.0


@dataclass(frozen=True, slots=True)
class Response:
    """A response as a record: the prediction that it carries, its key, and when it was appended."""

    record: Any

    def key(self) -> bytes:
        """The request's."""
        key: bytes = self.record.key()
        return key

    def value(self) -> bytes:
        """The prediction."""
        return base64.b64decode(json.loads(self.record.value())["outputs"][0]["data"][0])

    def timestamp(self) -> tuple[int, int]:
        """By the broker's clock."""
        found: tuple[int, int] = self.record.timestamp()
        return found


def responses(records: Iterable[Any]) -> Iterator[Response]:
    """What was answered."""
    return map(Response, records)


def send_requests(topics: Topics, source: str, target: str) -> None:
    """Send every event of a topic as a request, under its key."""
    producer = Producer({"bootstrap.servers": topics.bootstrap, "linger.ms": 20, "acks": "all"})
    for record in topics.read(source):
        text = base64.b64encode(record.value()).decode()
        tensors = (
            ("event", "BYTES", text),
            ("partition", "INT32", record.partition()),
            ("offset", "INT64", record.offset()),
        )
        inputs = [
            {"name": name, "shape": [1, 1], "datatype": kind, "data": [value]}
            for name, kind, value in tensors
        ]
        producer.produce(
            target, json.dumps({"inputs": inputs}), record.key(), headers={"mlserver-model": b"flights"}
        )
        producer.poll(0)
    if producer.flush(_FLUSH_S):
        raise RuntimeError(f"{target}: not all requests arrived")
