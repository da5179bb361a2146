"""A real Apache Kafka (KRaft, one node) on the loopback, in a folder of its own."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.artifacts import KAFKA, find_java, kafka_jars
from tests.kafka.process import Server, ServerDied, Started, free_ports, is_listening, wait_for

__all__ = ["Broker", "Entrance", "cluster_id", "main"]

_START_S = 240
"""It takes 3-4 s alone on two cores, twice that with TLS; many times that beside a full test run."""

_FORMAT_S = 240


@dataclass(frozen=True)
class Entrance:
    """
    How clients get in, where not everybody does in plain text.

    Attributes:
        listeners: name → port; the first is `Broker.bootstrap`.
        client: librdkafka properties by which the harness itself gets in.
        scram: credentials to begin with, as `StorageTool format --add-scram` takes them.
    """

    listeners: Mapping[str, int]
    client: Mapping[str, str] = field(default_factory=dict)
    scram: Sequence[str] = ()


class Broker(Started):
    """
    One broker, startable again on the same folder and port.

    Never start a second process on a folder in use: that corrupts Kafka's metadata log.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        properties: Mapping[str, str] | None = None,
        version: str = KAFKA,
        entrance: Entrance | None = None,
        cluster: str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """
        Args:
            port: clients' port; a free one when None.
            properties: broker properties that replace or extend the ones here.
            version: of Apache Kafka.
            entrance: how clients get in; default: in plain text, at `port`.
            cluster: id of the cluster that it is one node of; a new one when None.
            options: of Java.
        Raises: Unavailable when there is no Java or no way to Kafka's jars.
        """
        self._java = find_java()
        self._options = options
        self._jars = kafka_jars(version)
        self.version = version
        self.folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        client, controller = free_ports(2)
        self._entrance = entrance or Entrance({"PLAINTEXT": port or client})
        self.port = next(iter(self._entrance.listeners.values()))
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._settings = self._write_settings(controller, properties or {})
        self._server = self._new_server()
        self._format(cluster or cluster_id())

    def start(self) -> Self:
        """Start and block until it answers clients."""
        self._server.start(self._answers, _START_S)
        return self

    def launch(self) -> None:
        """
        Start without waiting: one node of several can't answer alone. `wait` comes next.

        In the main thread: a server ends with the thread that started it.
        """
        self._server.start(lambda: True, _START_S)

    def wait(self) -> None:
        """Block until it answers clients."""

        def answers() -> bool:
            self.check()
            return self._answers()

        wait_for(answers, _START_S, f"{self.bootstrap} to answer")

    def stop(self) -> None:
        """A clean end, as an operator's; the records stay for `start`."""
        self._server.stop()

    def kill(self) -> None:
        """SIGKILL: a crash; the records stay for `start`."""
        self._server.kill()

    def restart(self) -> None:
        """Stop cleanly and start on the same folder and port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The running Java process, for signals."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._server.running

    def check(self) -> None:
        """Raises ServerDied, with the log's end, when it is no longer running."""
        self._server.check()

    def tail(self, lines: int = 30) -> str:
        """The end of the broker's log."""
        return self._server.tail(lines)

    def _write_settings(self, controller_port: int, extra: Mapping[str, str]) -> Path:
        settings = self.folder / "server.properties"
        properties = {**_properties(self._entrance.listeners, controller_port, self.folder / "data"), **extra}
        settings.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return settings

    def _new_server(self) -> Server:
        command = [*self._jvm("-Xmx512m"), "kafka.Kafka", str(self._settings)]
        return Server(f"Kafka {self.version} on {self.bootstrap}", command, self.folder / "broker.log")

    def _jvm(self, heap: str) -> list[str]:
        log = "-Dorg.apache.logging.log4j.level=INFO"
        return [self._java, heap, "-XX:+UseSerialGC", *self._options, log, "-cp", f"{self._jars}/*"]

    def _format(self, identity: str) -> None:
        # One in 64 begins with a dash, which would read as an option.
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "-c", str(self._settings)]
        tool += [part for credential in self._entrance.scram for part in ("--add-scram", credential)]
        done = subprocess.run(
            [*self._jvm("-Xmx128m"), *tool], capture_output=True, text=True, timeout=_FORMAT_S, check=False
        )
        if done.returncode:
            self.close()
            raise ServerDied(f"Kafka's storage can't be formatted: {done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        if not is_listening(self.port):
            return False
        try:
            admin = AdminClient(
                {"bootstrap.servers": self.bootstrap, "log_level": 0, **self._entrance.client}
            )
            return self.port in {node.port for node in admin.list_topics(timeout=2).brokers.values()}
        except KafkaException:
            return False


def cluster_id() -> str:
    """A new cluster's id, as Kafka spells them."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _properties(listeners: Mapping[str, int], controller_port: int, data: Path) -> dict[str, str]:
    """One node that is quick to start and to rebalance, with few internal partitions and no replicas."""
    doors = ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{doors},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": doors,
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker may not come back before this is over; 9 s by default.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        # Looked for every 10 s by default: a killed worker's transaction would block its heir that long.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    }


def main() -> None:
    """Run a broker in the foreground until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="scripts/kafka", description="A real Apache Kafka on the loopback.")
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--version", default=KAFKA)
    arguments = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    with Broker(port=arguments.port, version=arguments.version) as broker:
        sys.stdout.write(f"Kafka {broker.version} on {broker.bootstrap}, log {broker.folder}/broker.log\n")
        sys.stdout.flush()
        # Blocked only now: a child would inherit the mask, and then not heed SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        while signal.sigtimedwait(signals, 1) is None:
            broker.check()


if __name__ == "__main__":
    main()
