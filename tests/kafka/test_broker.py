"""The harness itself: a broker that is really Kafka, survives its own end, and leaves nothing behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.conftest import Kafka
from tests.kafka.broker import Broker
from tests.kafka.process import Server, ServerDied, wait_for
from tests.kafka.topics import Topics


def _send(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(60) == 0


def _read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes | None] = []

    def read() -> bool:
        found.extend(message.value() for message in consumer.consume(10, 0.2) if message.error() is None)
        return len(found) >= count

    try:
        wait_for(read, 60, f"{count} records of {topic}")
    finally:
        consumer.close()
    return found


@pytest.mark.kafka
def test_fresh_topic_keeps_what_is_sent(kafka: Kafka, topics: Topics) -> None:
    """Records sent to a fresh topic come back in order."""
    topic = topics.create("echo")

    _send(kafka.bootstrap, topic, [b"1", b"2", b"3"])

    assert [b"1", b"2", b"3"] == _read(kafka.bootstrap, topic, 3)


@pytest.mark.kafka
def test_each_test_has_topics_of_its_own(kafka: Kafka) -> None:
    """Two tests that use the same base name get different topics."""
    assert Topics(kafka.bootstrap).name("echo") != Topics(kafka.bootstrap).name("echo")


@pytest.mark.kafka
@pytest.mark.fault
@pytest.mark.fault_core
def test_killed_broker_comes_back_with_its_records(broker: Broker) -> None:
    """What was acknowledged before a SIGKILL is there after the restart, on the same port."""
    topic = Topics(broker.bootstrap).create("durable")
    _send(broker.bootstrap, topic, [b"kept"])

    broker.kill()
    broker.start()

    assert [b"kept"] == _read(broker.bootstrap, topic, 1)


def test_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    """A process that dies instead of getting ready is an error that shows what it printed."""
    server = Server("Broken", ["sh", "-c", "echo the reason; exit 3"], tmp_path / "log")

    with pytest.raises(ServerDied, match=r"Broken ended with exit code 3\n.*\nthe reason"):
        server.start(lambda: False, 10)


def test_second_start_of_a_running_server_is_refused(tmp_path: Path) -> None:
    """Two brokers on one folder would corrupt it, so the second start is an error."""
    server = Server("Once", ["sleep", "60"], tmp_path / "log")
    server.start(lambda: True, 10)

    with pytest.raises(RuntimeError, match="Once is running already"):
        server.start(lambda: True, 10)

    server.kill()


def test_server_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    """A start that runs out of time leaves no process behind."""
    server = Server("Slow", ["sh", "-c", "echo $$; exec sleep 60"], tmp_path / "log")

    with pytest.raises(ServerDied, match=r"waited 0.5 s for Slow to be ready"):
        server.start(lambda: False, 0.5)

    pid = int((tmp_path / "log").read_text())
    assert not Path(f"/proc/{pid}").exists()


def test_server_is_started_as_asked_and_stopped_by_the_signal_that_it_knows(tmp_path: Path) -> None:
    """What `Popen` is told, as the folder to be in, holds for the process; it ends by itself at that signal."""
    command = ["sh", "-c", "trap 'echo heeded; exit' USR1; pwd; while true; do sleep 0.1; done"]
    server = Server("Asked", command, tmp_path / "log", cwd=tmp_path)
    server.start(lambda: str(tmp_path) in server.tail().splitlines(), 10)
    server.stop(signal.SIGUSR1)

    assert [str(tmp_path), "heeded"] == (tmp_path / "log").read_text().splitlines()
