"""A small model of our own, and events for it: a text, a number that may be null, an id that is carried."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pandas as pd
from confluent_kafka import KafkaException, Producer
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from stream.store import PackRequest, pack

__all__ = [
    "SCHEMA",
    "Event",
    "decoded",
    "estimator",
    "event",
    "framed",
    "framed_as",
    "packed",
    "send",
    "visit",
]

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Visit",
        "namespace": "tests.acceptance",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "channel", "type": "string"},
            {"name": "pages", "type": "int"},
            {"name": "seconds", "type": ["null", "double"], "default": None},
        ],
    }
)

CHANNELS = ("mail", "search", "social", "direct")

SEND_S = 60.0

PARTITION_UA = -1
"""librdkafka's "unassigned": the partitioner chooses by key."""

_AVRO = fastavro.parse_schema(json.loads(SCHEMA))

_FINGERPRINT = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(_AVRO), "CRC-64-AVRO")

PREFIX = b"\xc3\x01" + bytes.fromhex(_FINGERPRINT)
"""Source: Avro specification, "Single-object encoding"; fastavro prints the fingerprint in wire order."""


def visit(number: int) -> dict[str, Any]:
    """The event number `number`: the same number, the same event."""
    return {
        "id": number,
        "channel": CHANNELS[number * 7 % 4],
        "pages": number * 31 % 40,
        "seconds": None if number % 5 == 0 else (number * 17 % 900) / 3,
    }


@functools.cache
def estimator() -> Pipeline:
    """Will a visitor buy? Trained on 400 visits in some milliseconds."""
    frame = pd.DataFrame([visit(n) for n in range(400)])
    bought = frame["pages"] + 10 * (frame["channel"] == "mail") + np.arange(400) % 7 > 28
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["channel"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["pages", "seconds"]),
        ]
    )
    model = Pipeline([("columns", columns), ("answer", LogisticRegression())])
    model.fit(frame[["channel", "pages", "seconds"]], np.where(bought, "buys", "leaves"))
    return model


def packed(folder: Path) -> Path:
    """The model as a package; returns its folder."""
    pack(estimator(), PackRequest("visits", folder, carry=("id",)), schema=SCHEMA)
    return folder


def framed(row: dict[str, Any]) -> bytes:
    """A row as Avro's single-object encoding has it."""
    out = io.BytesIO(PREFIX)
    out.seek(len(PREFIX))
    fastavro.schemaless_writer(out, _AVRO, row)
    return out.getvalue()


def framed_as(schema: dict[str, Any], row: dict[str, Any]) -> bytes:
    """A row of another schema, in Avro's single-object encoding."""
    parsed = fastavro.parse_schema(schema)
    mark = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(parsed), "CRC-64-AVRO")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed, row)
    return b"\xc3\x01" + bytes.fromhex(mark) + out.getvalue()


def decoded(value: bytes) -> dict[str, Any]:
    """The row of a framed value."""
    row: Any = fastavro.schemaless_reader(io.BytesIO(value[len(PREFIX) :]), _AVRO, None)
    assert isinstance(row, dict)
    return row


@dataclass(frozen=True)
class Event:
    """A record to send; partition None = by key, as the Java client places it."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int | None = None


def event(number: int) -> Event:
    """The event number `number`, under a key of its own."""
    return Event(b"visit-%d" % number, framed(visit(number)), 1_700_000_000_000 + number)


def send(bootstrap: str, topic: str, events: Iterable[Event]) -> int:
    """Write events, block until all are acknowledged; how many."""
    failed: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "message.max.bytes": 64 * 1024 * 1024,
            "queue.buffering.max.messages": 1_000_000,
            "delivery.report.only.error": True,
            "on_delivery": lambda error, message: failed.append(str(error)),
            "log_level": 0,
        }
    )
    count = 0
    for each in events:
        count += 1
        place = PARTITION_UA if each.partition is None else each.partition
        try:
            producer.produce(
                topic,
                each.value,
                each.key,
                timestamp=each.timestamp_ms,
                headers=list(each.headers),
                partition=place,
            )
        except KafkaException as error:
            failed.append(str(error))
    left = producer.flush(SEND_S)
    assert ([], 0) == (failed, left)
    return count
