"""What the predictions' topic holds, as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stream.api.package_check import settings_from
from stream.api.predicted import pandas_frame
from stream.codec import Decoder, RecordSchema
from stream.errors import PackageError, Stopped
from stream.records import Batch
from stream.registry import RegistryWriters
from stream.resources import kept_versions, package_schema, trust_of, writers_of
from stream.rights import Right
from stream.settings import Settings
from stream.store import read_vouched
from stream.transport import Cluster, OffsetRange, Reader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_predictions"]

IDLE_S = 30.0
"""A broker that has sent nothing for so long, though records are left, has a fault."""

_BATCH_ROWS = 10_000
"""Records that are decoded together."""

_RECORD = pa.schema(
    [
        ("kafka_key", pa.binary()),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("kafka_timestamp", pa.timestamp("ms", "UTC")),
        ("error", pa.string()),
    ]
)
"""What a record has beside its value; the last is why its value can't be read."""


def read_predictions(
    config_or_topic: str | Path | None = None, *, config: str | Path | None = None, last: int | None = None
) -> pd.DataFrame:
    """
    Read what a topic of predictions holds, up to its end as it is now. It joins no group and commits nothing; what
    a transaction has not committed is not among it.

    Args:
        config_or_topic: a configuration (a path that ends with `.toml`), whose output topic is read; or the name of
            a topic with such predictions. None for the output topic of `config`.
        config: where a topic is named, the configuration that says how it is reached and which model has written it;
            None = `stream.toml` here if there is one.
        last: only this many offsets at the end of each partition; None for all: they must fit in memory.
    Returns: a row per record, by partition and offset: the prediction's fields, then `kafka_key`, `kafka_partition`,
        `kafka_offset`, `kafka_timestamp` and `error`: null, or why the value can't be read. A record without a value
        has nulls.
    Raises: Refused when the configuration or its package can't be read; Stopped when no broker answers, it refuses,
        or the topic is not there. Blocks until all is read.
    """
    topic = None
    if config_or_topic is not None and str(config_or_topic).endswith(".toml"):
        config = config_or_topic
    elif config_or_topic is not None:
        topic = str(config_or_topic)
    settings = settings_from(config)
    if topic is not None:
        settings = replace(settings, output=replace(settings.output, topic=topic))
    schema = package_schema(settings, "prediction.avsc")
    writers = writers_of(settings, "output")
    try:
        return _Frame(settings, schema, writers).read(last)
    finally:
        if writers is not None:
            writers.close()


class _Versions:
    """The prediction schemas of a package's versions, by fingerprint: an earlier one may have written a record."""

    def __init__(self, settings: Settings) -> None:
        self._found: dict[bytes, RecordSchema] = {}
        for folder in kept_versions(settings).values():
            try:
                content = read_vouched(folder, "prediction.avsc", trust_of(settings.model))
            except PackageError:
                continue  # not one that a worker could have served
            schema = RecordSchema(content.decode())
            self._found[schema.fingerprint] = schema

    def by_fingerprint(self, fingerprint: bytes) -> RecordSchema | None:
        """The schema with this CRC-64-AVRO."""
        return self._found.get(fingerprint)

    def by_id(self, schema_id: int) -> None:
        """No registry: none."""

    def by_guid(self, guid: bytes) -> None:
        """No registry: none."""


class _Frame:
    """Reads one topic."""

    def __init__(self, settings: Settings, schema: RecordSchema, writers: RegistryWriters | None) -> None:
        self._settings, self._topic = settings, settings.output.topic
        self._writers = writers
        self._leaves = {leaf.path: leaf for leaf in schema.leaves()}
        fields = [pa.field(path, leaf.arrow) for path, leaf in self._leaves.items()]
        # A carried field may be called like ours: it was there first.
        ours = [field.with_name(_free(field.name, self._leaves)) for field in _RECORD]
        self._schema = pa.schema([*fields, *ours])
        known = writers if writers is not None else _Versions(settings)
        self._decoder = Decoder(schema, list(self._leaves), settings.framing("output"), schema, known)

    def read(self, last: int | None) -> pd.DataFrame:
        """All records that are there now, or the last of each partition."""
        kafka = self._settings.kafka
        cluster = Cluster(kafka, [Right("Read", "topic", self._topic)])
        cluster.require(self._topic)
        parts: list[pa.RecordBatch] = []
        with cluster.naming_refusals(), closing(Reader(kafka, self._topic, ())) as reader:
            ends = reader.ends().items()
            reader.read(
                [
                    OffsetRange(i, low if last is None else max(low, high - last), high)
                    for i, (low, high) in ends
                ]
            )
            held = Batch(self._topic)
            for batch in reader.batches(IDLE_S):
                held.extend(batch)
                if len(held) >= _BATCH_ROWS:
                    parts.append(self._decoded(held))
                    held = Batch(self._topic)
            if not reader.finished:
                raise Stopped(
                    f"{self._topic}: the broker has sent nothing for {IDLE_S:g} s, and records are left",
                    hint="look at the broker's log",
                )
            parts.append(self._decoded(held))
        place = [_free("kafka_partition", self._leaves), _free("kafka_offset", self._leaves)]
        table = pa.Table.from_batches(parts, self._schema)
        table = table.sort_by([(name, "ascending") for name in place])
        return pandas_frame(table, {path: leaf.type for path, leaf in self._leaves.items()})

    def _decoded(self, batch: Batch) -> pa.RecordBatch:
        n = len(batch)
        rows = [i for i, value in enumerate(batch.values) if value is not None]
        values = [value for value in batch.values if value is not None]
        headers = [batch.headers[i] for i in rows]
        if self._writers is not None and values:
            self._writers.prepare(values, headers)
        decoded = self._decoder.decode(values, headers)
        places: list[int | None] = [None] * n
        for place, row in enumerate(decoded.rows):
            places[rows[row]] = place
        taken = pa.array(places, pa.int64())
        reasons: list[str | None] = [None] * n
        for row, fault in decoded.faults.items():
            reasons[rows[row]] = f"{fault.reason}: {fault.message}"
        ours: dict[str, Any] = {
            "kafka_key": batch.keys, "kafka_partition": batch.partitions, "kafka_offset": batch.offsets,
            "kafka_timestamp": batch.timestamps_ms, "error": reasons,
        }  # fmt: skip
        columns = [decoded.columns[path].take(taken) for path in self._leaves]
        columns += [pa.array(ours[field.name], field.type) for field in _RECORD]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _free(name: str, taken: Mapping[str, object]) -> str:
    return name if name not in taken else f"record_{name}"
