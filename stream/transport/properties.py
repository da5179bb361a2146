"""librdkafka configurations: what the product needs, what the user may change, what nobody may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from confluent_kafka import KafkaError

from stream.errors import SettingsError
from stream.settings import KafkaSettings, Secret
from stream.transport.client_records import Message

__all__ = [
    "RESERVED",
    "WORKER_CLIENT",
    "Client",
    "FetchMemory",
    "admin_properties",
    "consumer_properties",
    "fetch_memory",
    "is_compressed",
    "producer_properties",
    "transaction_timeout_s",
]

Client: TypeAlias = dict[str, Any]
"""A configuration as confluent-kafka takes it."""

WORKER_CLIENT = "prediction-stream."
"""A worker's consumer has the `client.id` of this and the worker's instance, unless one is configured: so a group's
members tell which of them are workers, and which."""

MESSAGE_MAX_BYTES = 64 * 1024 * 1024
"""The client's own limit. It must let through any dead letter (input + 64 KiB); the topic's limit decides."""

QUEUE_MESSAGES = 200_000
"""Records waiting in the producer at most; librdkafka's default is 100,000."""

LINGER_MS = 1
"""How long a record waits for its batch: a latency floor. librdkafka's 5 bring no more events a second, since a batch
is handed over in less than 1; with 0 it goes in many small requests, and a full load is
slower by a tenth to a third."""

TRANSACTION_LINGER_MS = 20
"""The same in a transaction, whose records nobody sees before its end, which sends at once what still waits. A full
load goes in few large requests: with 1, the client's thread takes about twice the CPU for them."""

RETRY_MS = 10
"""Before the first retry of a request, twice as long before each further one. librdkafka's 100 would hold up a
transaction that began while the broker was still busy with the one before."""

TRANSACTION_TIMEOUT_MS = 10_000
"""A transaction of a worker that died is aborted after so long, and until then `read_committed` readers of its
partitions wait, and so does whoever takes over its input. Kafka's own default is a minute."""

LOG_LEVEL = 2
"""syslog's "critical". What librdkafka logs below it goes to stderr by itself, some 40 lines a second while a
broker is away; the same errors reach `Connection.on_error`, which logs each kind twice a minute at most."""

RESERVED = {
    "enable.auto.commit": "offsets are committed after the outputs are acknowledged",
    "enable.auto.offset.store": "offsets are committed after the outputs are acknowledged",
    "auto.offset.reset": "set `[input] on_out_of_range`",
    "group.id": "set `[kafka] group`",
    "bootstrap.servers": "set `[kafka] bootstrap_servers`",
    "delivery.report.only.error": "refused records are looked for in the reports",
    "partitioner": "predictions are placed by key with the Java client's murmur2",
    "enable.idempotence": "without it a retry could write a prediction twice",
    "enable.partition.eof": "where a partition ends is committed, past the markers of transactions",
    "transactional.id": "it is `{group}.{instance}`: set `[delivery] instance`",
    "isolation.level": "aborted features must not be scored",
    "acks": "a prediction counts once every in-sync replica has it",
}
"""Properties that the guarantees rest on, and why; docs/configuration.md is written from this table."""

QUEUED_KBYTES = 16 * 1024
"""Records that wait to be polled, of all partitions together."""

ANSWER_BYTES = 16 * 1024 * 1024
"""Of an answer that is on its way, from each broker, whatever the number of partitions."""

_CLASSIC_GROUP: Mapping[str, Any] = {
    # Cooperative: a rebalance stops only the partitions that move.
    "partition.assignment.strategy": "cooperative-sticky",
    # Found dead after 6 s; librdkafka's 45 s leave partitions unread that long after a kill -9.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
}

_CONSUMER_ONLY = (
    "fetch.",
    "max.poll.",
    "session.timeout",
    "heartbeat.",
    "queued.",
    "group.",
    "isolation.",
    "partition.assignment",
)


def _common(settings: KafkaSettings, own: Mapping[str, Any], name: str) -> Client:
    chosen = {**settings.properties, **own}
    for key in chosen:
        if key in RESERVED:
            where = name if key in own else "[kafka.properties]"
            raise SettingsError(
                f"[kafka] property `{key}` is not yours to set in {where}", hint=RESERVED[key]
            )
    plain = {k: v.reveal() if isinstance(v, Secret) else v for k, v in chosen.items()}
    return {"bootstrap.servers": settings.bootstrap_servers, "log_level": LOG_LEVEL, **plain}


@dataclass(frozen=True, slots=True)
class FetchMemory:
    """
    What the consumer keeps of records that nobody has polled yet.

    Attributes:
        queued_bytes: those that wait, of all partitions together.
        answer_bytes: an answer that is on its way; each broker may send one.
    """

    queued_bytes: int
    answer_bytes: int


def fetch_memory(settings: KafkaSettings) -> FetchMemory:
    """What a configuration lets the consumer keep."""
    chosen = {**settings.properties, **settings.consumer}
    queued = int(str(chosen.get("queued.max.messages.kbytes", QUEUED_KBYTES))) * 1024
    return FetchMemory(queued, int(str(chosen.get("fetch.max.bytes", ANSWER_BYTES))))


def consumer_properties(settings: KafkaSettings, on_error: Callable[[KafkaError], None]) -> Client:
    """
    The consumer's configuration.

    Args:
        settings: the cluster.
        on_error: told of errors that belong to no record, such as brokers going away.
    Raises: SettingsError for a property that the guarantees rest on.
    """
    chosen = {**settings.properties, **settings.consumer}
    # With KIP-848 the broker decides these, and the client refuses them.
    own = {} if chosen.get("group.protocol") == "consumer" else _CLASSIC_GROUP
    return {
        **own,
        # Enough that a poll finds whole batches waiting; for all partitions together, so bounded. An answer that is
        # on its way comes on top, so that its size is bounded as well, whatever the number of partitions.
        "queued.max.messages.kbytes": QUEUED_KBYTES,
        "fetch.max.bytes": ANSWER_BYTES,
        # Eight times the usual: a backlog comes in an eighth of the requests, which broker and client feel.
        "max.partition.fetch.bytes": 8 * 1024 * 1024,
        # A partition with enough records waiting is left alone for so long. librdkafka's 1,000 let a fast worker
        # run dry: it reads its 100,000 records in less, and then waits.
        "fetch.queue.backoff.ms": 10,
        "fetch.wait.max.ms": 50,
        # Partitions that are added are found after so long; librdkafka's 5 minutes leave them unread meanwhile.
        "topic.metadata.refresh.interval.ms": 10_000,
        "allow.auto.create.topics": False,
        **_common(settings, settings.consumer, "[kafka.consumer]"),
        "group.id": settings.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Expired offsets must not silently make the worker score the topic again.
        "auto.offset.reset": "error",
        # Names the offset past markers, aborted records and what was compacted away; no record does.
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "error_cb": on_error,
    }


def producer_properties(
    settings: KafkaSettings,
    on_error: Callable[[KafkaError], None],
    on_delivery: Callable[[KafkaError | None, Message], None],
    transactional_id: str | None = None,
    *,
    reports_all: bool = False,
) -> Client:
    """
    The producer's configuration.

    Args:
        settings: the cluster.
        on_error: told of errors that belong to no record.
        on_delivery: called for each record that the broker or the client gave up on, with its error.
        transactional_id: makes it a transactional producer.
        reports_all: tell of each record that was written too: then where it is can be known.
    Raises: SettingsError for a property that the guarantees rest on.
    """
    transactional = {
        "linger.ms": TRANSACTION_LINGER_MS,
        "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
        "retry.backoff.ms": RETRY_MS,
    }
    return {
        "linger.ms": LINGER_MS,
        "message.max.bytes": MESSAGE_MAX_BYTES,
        "queue.buffering.max.messages": QUEUE_MESSAGES,
        **({} if transactional_id is None else transactional),
        **_common(_without_consumer_keys(settings), settings.producer, "[kafka.producer]"),
        **({} if transactional_id is None else {"transactional.id": transactional_id}),
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "delivery.report.only.error": not reports_all,
        "on_delivery": on_delivery,
        "error_cb": on_error,
    }


def is_compressed(settings: KafkaSettings) -> bool:
    """Whether the producer compresses: a larger record may then be the smaller one on its way."""
    chosen = _of_producer(settings)
    return any(chosen.get(name, "none") != "none" for name in ("compression.type", "compression.codec"))


def transaction_timeout_s(settings: KafkaSettings) -> float:
    """After how many seconds the broker ends an open transaction by itself."""
    return float(_of_producer(settings).get("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)) / 1_000


def _of_producer(settings: KafkaSettings) -> Client:
    return {**settings.properties, **settings.producer}


def admin_properties(settings: KafkaSettings) -> Client:
    """The configuration of a client that looks and creates, but neither reads nor writes records."""
    return _common(_without_consumer_keys(settings), {}, "[kafka.properties]")


def _without_consumer_keys(settings: KafkaSettings) -> KafkaSettings:
    """`[kafka.properties]` applies to every client; a producer would warn of a consumer's own."""
    kept = {k: v for k, v in settings.properties.items() if not k.startswith(_CONSUMER_ONLY)}
    return KafkaSettings(settings.bootstrap_servers, settings.group, settings.startup_timeout, kept)
