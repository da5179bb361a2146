"""Letters of every writer: the bytes as each of them writes them, and what is read of them."""

from __future__ import annotations

import struct

import pytest

from stream.records import Headers, Place
from stream.redrive import StoredLetter, read_letter
from stream.testing import batch_of

OWN: Headers = [("mine", b"1"), ("mine", None), ("kafka_key", b"no header of Spring's")]
"""Headers of the original, which stay."""

CONNECT: Headers = [
    ("__connect.errors.topic", b"in"),
    ("__connect.errors.partition", b"3"),
    ("__connect.errors.offset", b"55"),
    ("__connect.errors.connector.name", b"sink"),
    ("__connect.errors.task.id", b"0"),
    ("__connect.errors.stage", b"VALUE_CONVERTER"),
    ("__connect.errors.class.name", b"io.confluent.connect.avro.AvroConverter"),
    ("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
    ("__connect.errors.exception.message", None),
    ("__connect.errors.exception.stacktrace", b"org.apache...\n\tat ..."),
]

STREAMS: Headers = [
    ("__streams.errors.exception", b"java.lang.IllegalStateException: no rate: EUR"),
    ("__streams.errors.message", b"no rate: EUR"),
    ("__streams.errors.stacktrace", b"java.lang.IllegalStateException: no rate: EUR\n\tat ..."),
    ("__streams.errors.topic", b"in"),
    ("__streams.errors.partition", b"3"),
    ("__streams.errors.offset", b"55"),
]

SHARE: Headers = [
    ("__dlq.errors.topic", b"in"),
    ("__dlq.errors.partition", b"3"),
    ("__dlq.errors.offset", b"55"),
    ("__dlq.errors.group", b"share"),
    ("__dlq.errors.delivery.count", b"5"),
    ("__dlq.errors.message", b"Offset delivery count exceeded the threshold."),
]

FQCN = b"org.springframework.kafka.listener.ListenerExecutionFailedException"


def spring(prefix: str) -> Headers:
    """Spring's headers: numbers as Java's ByteBuffer has them."""
    return [
        (f"{prefix}exception-fqcn", FQCN),
        (f"{prefix}exception-cause-fqcn", b"java.lang.NumberFormatException"),
        (f"{prefix}exception-message", b"Listener failed; For input string"),
        (f"{prefix}exception-stacktrace", b"org.spring...\n\tat ..."),
        (f"{prefix}original-topic", b"in"),
        (f"{prefix}original-partition", struct.pack(">i", 3)),
        (f"{prefix}original-offset", struct.pack(">q", 55)),
        (f"{prefix}original-timestamp", struct.pack(">q", 1_700_000_000_123)),
        (f"{prefix}original-timestamp-type", b"CreateTime"),
        ("kafka_dlt-original-consumer-group", b"listeners"),
    ]


OURS: Headers = [
    *CONNECT[:6],
    ("stream.error.reason", b"wrong_type"),
    ("stream.error.count", b"2"),
    ("stream.model", b"m@1"),
]


def letter(headers: Headers | None, value: bytes | None = b"value") -> StoredLetter:
    """A record at 2:41 of a dead-letter topic, written in 2023."""
    batch = batch_of([b"value"], partition=2, first_offset=41)
    batch.headers, batch.values, batch.keys = [headers], [value], [None]
    batch.timestamps_ms = [1_690_000_000_000]
    return read_letter(batch, 0)


@pytest.mark.parametrize(
    ("headers", "writer", "reason", "stage", "group"),
    [
        (OURS, "prediction-stream", "wrong_type", "VALUE_CONVERTER", "sink"),
        (
            CONNECT,
            "kafka-connect",
            "org.apache.kafka.connect.errors.DataException",
            "VALUE_CONVERTER",
            "sink",
        ),
        (STREAMS, "kafka-streams", "java.lang.IllegalStateException", "unknown", None),
        (SHARE, "share-group", "Offset delivery count exceeded the threshold.", "unknown", "share"),
        (spring("kafka_dlt-"), "spring", "java.lang.NumberFormatException", "unknown", "listeners"),
        (spring("kafka_"), "spring", "java.lang.NumberFormatException", "unknown", "listeners"),
    ],
    ids=["ours", "Connect", "Streams", "share group", "Spring", "Spring's retry topics"],
)
def test_each_writer_is_known_by_its_headers(
    headers: Headers, writer: str, reason: str, stage: str, group: str | None
) -> None:
    """Where it was, why, who read it; the original's own headers are left, in order, and no other."""
    found = letter([*OWN, *headers])

    assert (2, 41, writer) == (found.partition, found.offset, found.writer)
    assert (reason, stage, group) == (found.reason, found.stage, found.letter.connector)
    assert Place("in", 3, 55) == found.letter.place
    assert OWN == found.letter.headers


def test_timestamp_of_spring_is_the_originals() -> None:
    """Spring's record has a time of its own; the original's is in a header. Others keep the record's."""
    assert 1_700_000_000_123 == letter(spring("kafka_dlt-")).letter.timestamp_ms
    assert {1_690_000_000_000} == {
        letter(each).letter.timestamp_ms for each in (OURS, CONNECT, STREAMS, None)
    }


@pytest.mark.parametrize("stamp", [-1, 0, 2**62])
def test_timestamp_that_is_none_is_not_taken(stamp: int) -> None:
    """Java's "no timestamp", and what no calendar has, leave the record's own."""
    headers = [("kafka_dlt-original-timestamp", struct.pack(">q", stamp))]

    assert 1_690_000_000_000 == letter(headers).letter.timestamp_ms


def test_last_header_of_a_name_counts() -> None:
    """Spring appends where a record goes through several topics; Kafka's `lastHeader` is what counts."""
    again = [("kafka_dlt-original-topic", b"retry"), ("kafka_dlt-original-offset", struct.pack(">q", 7))]

    assert Place("retry", 3, 7) == letter([*spring("kafka_dlt-"), *again]).letter.place


def test_headers_of_an_earlier_writer_are_the_originals() -> None:
    """What was in the record that became a letter goes back with it."""
    found = letter([*spring("kafka_dlt-"), *OURS])

    assert "prediction-stream" == found.writer
    assert spring("kafka_dlt-") == found.letter.headers


@pytest.mark.parametrize(
    "headers",
    [
        [("__connect.errors.partition", b"-1"), ("__connect.errors.offset", b"9" * 4_000)],
        [("__streams.errors.partition", b"\xff"), ("__streams.errors.offset", None)],
        [("kafka_dlt-original-partition", b"3"), ("kafka_dlt-original-offset", b"\xff" * 8)],
        [("__dlq.errors.partition", b""), ("__dlq.errors.offset", b"1_0")],
    ],
)
def test_number_that_is_none_is_unknown(headers: Headers) -> None:
    """Anybody may have written the headers: a place is known or not, and nothing raises."""
    found = letter([("__none", b""), *headers]).letter

    assert (None, None, None) == (found.partition, found.offset, found.place)


def test_record_without_known_headers_is_a_letter_of_an_unknown_writer() -> None:
    """It is listed and may be sent back all the same, as it is."""
    found = letter(OWN)

    assert ("unknown", "unknown", OWN) == (found.writer, found.reason, found.letter.headers)
    assert [] == list(letter(None).letter.headers)


def test_pointer_of_a_share_group_is_no_copy() -> None:
    """Without `errors.deadletterqueue.copy.record.enable` there is neither key nor value."""
    assert not letter(SHARE, None).copied
    assert letter(SHARE).copied
    assert letter(OURS, None).copied
