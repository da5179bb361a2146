"""The configuration's topics, decoded for people: behind `stream watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

from stream.deadletter import Letter
from stream.errors import RecordError, SettingsError
from stream.records import Batch, Headers
from stream.resources import input_schema, package_schema, row_reader
from stream.rights import Right
from stream.settings import Settings, Side
from stream.transport import Cluster, Reader

__all__ = ["watch_topic"]


def watch_topic(
    settings: Settings, topic: str | None, start: Literal["earliest", "latest"]
) -> Iterator[dict[str, object]]:
    """
    Records of one of the configuration's topics as they arrive, without end.

    Args:
        settings: the configuration.
        topic: the input, output (default) or dead-letter topic.
        start: which end to begin at.
    Yields: per record its decoded fields; of a dead letter what its headers say, and the value where it can
        be read; a value that can't be decoded as `error` with the reason.
    Raises: SettingsError for a topic that is not of this configuration; Stopped when the broker refuses.
    """
    name = topic or settings.output.topic
    side: Side = "output" if name == settings.output.topic else "input"
    if side == "output":
        schema = package_schema(settings, "prediction.avsc")
    elif name in (settings.input.topic, settings.dead_letters.topic):
        schema = input_schema(settings)
    else:
        known = ", ".join((settings.output.topic, settings.input.topic, settings.dead_letters.topic))
        raise SettingsError(f"--topic {name}: this configuration has no such topic", hint=f"one of {known}")
    cluster = Cluster(settings.kafka, [Right("Read", "topic", name)])
    cluster.require(name)
    with (
        row_reader(settings, side, schema) as read,
        cluster.naming_refusals(),
        closing(Reader(settings.kafka, name, start)) as reader,
    ):
        for batch in reader.batches(None):
            for i in range(len(batch)):
                yield _row(batch, i, read, letters=name == settings.dead_letters.topic)


def _row(
    batch: Batch, i: int, read: Callable[[bytes, Headers | None], dict[str, object]], *, letters: bool
) -> dict[str, object]:
    key, value = batch.keys[i], batch.values[i]
    row: dict[str, object] = {"key": key.decode("utf-8", "replace") if key is not None else None}
    if letters:
        row.update(Letter.read(batch, i).described())
    try:
        row.update({"value": None} if value is None else read(value, batch.headers[i]))
    except RecordError as error:
        row["error"] = error.message
    return row
