"""The worker's engine in a thread of the test, on a real Kafka: rows in, what came out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stream.app import Parts, assemble
from stream.codec import RecordSchema, single_object_prefix
from stream.codec.dict_records import write_row
from stream.deadline import Deadline
from stream.records import Outgoing
from stream.settings import (
    DeadLetterSettings,
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    ModelSettings,
    OutputSettings,
    Settings,
)
from stream.store import open_package
from stream.transport import Sink
from tests.acceptance.reader import Outputs, reading
from tests.kafka.topics import Topics

__all__ = ["running", "scored"]


@contextmanager
def running(parts: Parts) -> Iterator[None]:
    """The worker's engine, in a thread; what ends it early fails the test."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            parts.engine.run(parts.source)
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        parts.engine.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert [] == failed


def scored(
    bootstrap: str,
    topics: Topics,
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    delivery: DeliverySettings | None = None,
) -> Outputs:
    """
    Score rows with a worker's engine on fresh topics.

    Args:
        bootstrap: the Kafka.
        topics: where they are made.
        folder: the package.
        rows: n rows as its features' schema has them; row i has the key `i`.
        delivery: the guarantee, if not the default.
    Returns: n outputs: predictions and dead letters.
    """
    settings = Settings(
        kafka=KafkaSettings(bootstrap, topics.name("group")),
        model=ModelSettings(uri=str(folder), open_timeout=None),
        input=InputSettings(topics.create("in")),
        output=OutputSettings(topics.create("out")),
        dead_letters=DeadLetterSettings(topics.create("dead")),
        delivery=delivery or DeliverySettings(),
    )
    schema = RecordSchema(open_package(folder).features)
    values = [single_object_prefix(schema) + write_row(schema, row) for row in rows]
    keys = [b"%d" % i for i in range(len(rows))]
    sink = Sink(settings.kafka)
    sink.send(Outgoing(settings.input.topic, keys, values, [0] * len(rows), [None] * len(rows)))
    assert [] == sink.flush(Deadline.after(30))
    with (
        running(assemble(settings)),
        reading(bootstrap, settings.output.topic, settings.dead_letters.topic, folder) as outputs,
    ):
        outputs.inputs(len(rows))
    return outputs
