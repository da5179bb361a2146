"""
Every name that a collector sees, once: OpenTelemetry's semantic conventions for messaging and HTTP, and ours.

The messaging conventions are "development" still: 1.45 renamed `messaging.system` and what begins with
`messaging.kafka.`. A later version is followed here, and nowhere else; `docs/tracing.md` is written from these tables.

Source: https://opentelemetry.io/docs/specs/semconv/messaging/kafka/, …/messaging-spans/, …/messaging-metrics/,
…/http/http-spans/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = [
    "ATTRIBUTES",
    "MESSAGING_METRICS",
    "SCHEMA_URL",
    "Attribute",
    "MessagingMetric",
    "Operation",
    "own_name",
]

SCHEMA_URL = "https://opentelemetry.io/schemas/1.45.0"


class Attribute(StrEnum):
    """An attribute's name."""

    SYSTEM = "messaging.system.name"
    OPERATION = "messaging.operation.name"
    OPERATION_TYPE = "messaging.operation.type"
    DESTINATION = "messaging.destination.name"
    PARTITION = "messaging.destination.partition.id"
    GROUP = "messaging.consumer.group.name"
    COUNT = "messaging.batch.message_count"
    OFFSET = "kafka.offset"
    TOMBSTONE = "kafka.message.tombstone"
    ERROR = "error.type"
    METHOD = "http.request.method"
    ROUTE = "http.route"
    STATUS = "http.response.status_code"
    PATH = "url.path"
    SCHEME = "url.scheme"
    MODEL = "stream.model"
    OUTCOME = "stream.outcome"
    REASON = "stream.error.reason"
    STAGE = "stream.error.stage"


ATTRIBUTES: Mapping[Attribute, str] = {
    Attribute.SYSTEM: "`kafka`",
    Attribute.OPERATION: "`process`, `send` or `commit`; of metrics `poll`, too",
    Attribute.OPERATION_TYPE: "`process`, `send`, `settle` or `receive`",
    Attribute.DESTINATION: "the topic",
    Attribute.PARTITION: "of a record: its partition",
    Attribute.GROUP: "`[kafka] group`",
    Attribute.COUNT: "of a batch or a transaction: how many records",
    Attribute.OFFSET: "of a record: its offset",
    Attribute.TOMBSTONE: "of a record without a value: true",
    Attribute.ERROR: "of a dead letter: its reason; of a commit that failed: `aborted`, `moved_on` or `unknown`; "
    "of a request answered 5xx: the status",
    Attribute.METHOD: "of a request",
    Attribute.ROUTE: "of a request: the endpoint",
    Attribute.STATUS: "of a request: what it was answered",
    Attribute.PATH: "of a request: the endpoint, too; what else a client wrote into its address is not kept",
    Attribute.SCHEME: "of a request: `http` or `https`",
    Attribute.MODEL: "`name@version` of the model that answered",
    Attribute.OUTCOME: "of a record: `prediction`, `dead_letter` or `skip`",
    Attribute.REASON: "of a dead letter: its reason",
    Attribute.STAGE: "of a dead letter: where it failed",
}
"""What each attribute holds. No key, no value, no message: they may quote a record."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done with messages: the system's own name, and the conventions' type."""

    name: str
    type: Literal["receive", "process", "send", "settle"]


POLL = Operation("poll", "receive")
PROCESS = Operation("process", "process")
SEND = Operation("send", "send")
COMMIT = Operation("commit", "settle")


@dataclass(frozen=True, slots=True)
class MessagingMetric:
    """
    One of our metrics under the conventions' name.

    Attributes:
        source: its name in `stream.telemetry.TABLE`.
        name: the conventions'.
        unit: the conventions', in UCUM.
        operation: what it counts or times.
        topic: whose name is the destination's: input, output or dead letters.
        group: whether the consumer group belongs to it.
    """

    source: str
    name: str
    unit: str
    operation: Operation
    topic: Literal["input", "output", "dead_letters"]
    group: bool = False


_SENT, _TIMED = "messaging.client.sent.messages", "messaging.client.operation.duration"

MESSAGING_METRICS = (
    MessagingMetric(
        "stream_records_total", "messaging.client.consumed.messages", "{message}", POLL, "input", group=True
    ),
    MessagingMetric("stream_predictions_total", _SENT, "{message}", SEND, "output"),
    MessagingMetric("stream_dead_letters_total", _SENT, "{message}", SEND, "dead_letters"),
    MessagingMetric(
        "stream_process_seconds", "messaging.process.duration", "s", PROCESS, "input", group=True
    ),
    MessagingMetric("stream_publish_seconds", _TIMED, "s", SEND, "output"),
    MessagingMetric("stream_commit_seconds", _TIMED, "s", COMMIT, "input", group=True),
)
"""A worker's metrics that the conventions have a name for."""


_UNITS = {"_seconds": "s", "_bytes": "By"}
"""Prometheus' suffix and the unit that it stands for."""


def own_name(name: str) -> tuple[str, str]:
    """
    A metric of `stream.telemetry.TABLE` under its name for a collector.

    Args:
        name: as Prometheus shows it.
    Returns: name and unit, of which a collector's Prometheus exporter makes the name as it was.
    """
    bare = name.removesuffix("_total").replace("_", ".", 1)
    for suffix, unit in _UNITS.items():
        if bare.endswith(suffix):
            return bare.removesuffix(suffix), unit
    return bare, ""
