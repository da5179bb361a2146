"""Three brokers that replicate: any one of them may be killed."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.broker import Broker, cluster_id
from tests.kafka.process import Started, free_ports, wait_for

__all__ = ["Cluster", "coordinating"]

NODES = 3

QUICK = ("-XX:TieredStopAtLevel=1",)
"""Java compiles less: three of them start on two cores."""

WHOLE_S = 90.0
"""For a node that came back to have caught up everywhere; 5-15 s alone on two cores."""


class Cluster(Started):
    """Each node is broker and controller; three replicas, of which two must have a record. Use as a context."""

    def __init__(self, small: Path | None = None) -> None:
        """
        Args:
            small: folder of the last node's records; one of its own when None.
        Raises: Unavailable as `Broker` does.
        """
        ports, controllers = free_ports(NODES), free_ports(NODES)
        voters = ",".join(f"{n + 1}@127.0.0.1:{port}" for n, port in enumerate(controllers))
        identity = cluster_id()
        self.nodes = {
            n + 1: Broker(
                port=ports[n],
                options=QUICK,
                cluster=identity,
                properties={
                    **_properties(n + 1, ports[n], controllers[n], voters),
                    **(_small(small) if small is not None and n + 1 == NODES else {}),
                },
            )
            for n in range(NODES)
        }
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes.values())
        # Kept: a dropped AdminClient fails its futures.
        self._admin: AdminClient | None = None

    def start(self) -> Self:
        """Start all nodes; block until each answers."""
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.wait()
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self

    def close(self) -> None:
        """End all nodes and remove their folders."""
        for node in self.nodes.values():
            node.close()

    def leader(self, topic: str, partition: int) -> int:
        """The node that leads a partition now; -1 for none."""
        assert self._admin is not None
        return int(self._admin.list_topics(topic, timeout=20).topics[topic].partitions[partition].leader)

    def whole(self, *topics: str) -> None:
        """Block until every replica of these topics is in sync."""
        assert self._admin is not None
        admin = self._admin

        def in_sync() -> bool:
            try:
                found = admin.list_topics(timeout=5)
            except KafkaException:
                return False
            parts = [part for topic in topics for part in found.topics[topic].partitions.values()]
            return len(found.brokers) == NODES and all(len(part.isrs) == NODES for part in parts)

        wait_for(in_sync, WHOLE_S, "all replicas to be in sync")


def coordinating(key: str, partitions: int = 4) -> int:
    """
    Which partition of `__consumer_offsets` or `__transaction_state` a group's or a transactional id's state is in;
    its leader is the coordinator.

    Source: GroupMetadataManager.partitionFor, TransactionStateManager.partitionFor: abs(String.hashCode) % n.
    """
    code = 0
    for unit in key.encode("utf-16-be")[1::2]:
        code = (31 * code + unit) & 0xFFFFFFFF
    signed = code - (1 << 32) if code >= 1 << 31 else code
    return (0 if signed == -(1 << 31) else abs(signed)) % partitions


def _small(folder: Path) -> dict[str, str]:
    """Records in a folder where there is not much room; an index is counted in full on a tmpfs."""
    return {"log.dirs": str(folder), "log.index.size.max.bytes": "65536", "log.segment.bytes": "1048576"}


def _properties(node: int, port: int, controller: int, voters: str) -> dict[str, str]:
    listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"
    return {
        "node.id": str(node),
        "controller.quorum.voters": voters,
        "listeners": listeners,
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        # On a busy machine three nodes of two seconds' patience would elect leaders all day.
        "broker.session.timeout.ms": "9000",
        "controller.quorum.fetch.timeout.ms": "8000",
        "controller.quorum.request.timeout.ms": "8000",
        "controller.quorum.election.timeout.ms": "3000",
    }
