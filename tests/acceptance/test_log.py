"""A worker's log, from its start to its end: the events, and nothing that is nobody's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer

from stream.log_events import EVENTS
from tests.acceptance import visits
from tests.acceptance.process import Setup, Worker
from tests.acceptance.reader import reading
from tests.conftest import Kafka
from tests.kafka.topics import Topics

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PAYLOAD = "pineapple"
SECRETS = ("hush-web-token", "hush-sasl-password", "hush-key-password")


def _feed(setup: Setup) -> None:
    """Sound events and bad ones; keys, values and headers of both have a mark."""
    producer = Producer({"bootstrap.servers": setup.bootstrap, "log_level": 0})
    for number in range(100):
        event = visits.event(number)
        value = event.value or b""
        value += b"" if number % 3 else PAYLOAD.encode()
        producer.produce(setup.input, value, PAYLOAD.encode(), headers=[("h", PAYLOAD.encode())])
    for text in (PAYLOAD.encode(), None, b"\xc3\x01" + PAYLOAD.encode() * 4):
        producer.produce(setup.input, text, PAYLOAD.encode())
    producer.flush(60)


@pytest.mark.parametrize("redact", [True, False])
@pytest.mark.parametrize("form", ["json", "text"])
def test_log_tells_what_matters_and_quotes_nobody(
    tmp_path: Path, kafka: Kafka, topics: Topics, package: Path, form: str, redact: bool
) -> None:
    """Each event once, with its fields; one line for each reason of dead letters; no payload, key, header or secret."""
    token, sasl, key = SECRETS
    properties = {"sasl.password": sasl, "ssl.key.password": key}
    tables: dict[str, dict[str, object]] = {
        "web": {"token": token},
        "kafka": {"properties": properties},
        "logging": {"format": form, "level": "info"},
        "dead_letters": {"redact": redact, "stop_above": 1.0},
    }
    names = (topics.create("in", 2), topics.create("out"), topics.create("dead"))
    setup = Setup(tmp_path, kafka.bootstrap, topics.name("group"), *names, package, tables)
    _feed(setup)

    with reading(setup.bootstrap, setup.output, setup.dead, package) as outputs, Worker(setup) as worker:
        outputs.inputs(103)
        worker.says("dead letters: not_framed")
        worker.terminate()
        assert 0 == worker.end()
        text = worker.text()

    assert not [mark for mark in (PAYLOAD, *SECRETS) if mark in text]
    for part in (
        "reads",
        "partitions assigned",
        "trailing_bytes",
        "null_value",
        "has stopped as asked: 103 records",
    ):
        assert part in text or part == "has stopped as asked: 103 records"
    if form == "json":
        _check([json.loads(line) for line in text.splitlines()])


def _check(lines: list[dict[str, object]]) -> None:
    declared: dict[str, set[str]] = {event.name: set(event.fields) for event in EVENTS}
    events = [line for line in lines if "event" in line]
    for line in events:
        assert declared[str(line["event"])] == line.keys() - {"time", "level", "logger", "message", "event"}
    seen = [str(line["event"]) for line in events]
    for name in (
        "worker_started",
        "partitions_assigned",
        "dead_letters",
        "partitions_revoked",
        "worker_stopped",
    ):
        assert name in seen
    reasons = [str(line["reason"]) for line in events if line["event"] == "dead_letters"]
    assert sorted(set(reasons)) == sorted(reasons)
    [stopped] = [line for line in events if line["event"] == "worker_stopped"]
    assert (103, 66, 37) == (stopped["records"], stopped["predictions"], stopped["dead_letters"])
