"""A producer that writes in transactions, and aborts some."""

from __future__ import annotations

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.acceptance import visits

__all__ = ["Upstream"]

ANSWER_S = 60.0


class Upstream:
    """Writes events in transactions, each to partition 0 and 1 in turn."""

    def __init__(self, bootstrap: str, topic: str, name: str) -> None:
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "log_level": 0})
        self._producer.init_transactions(ANSWER_S)
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self.sent = 0

    def write(self, count: int, *, commits: bool = True) -> None:
        """One transaction."""
        self._producer.begin_transaction()
        for number in range(self.sent, self.sent + count):
            event = visits.event(number)
            self._producer.produce(self._topic, event.value, event.key, number % 2)
        self._producer.flush(ANSWER_S)
        (self._producer.commit_transaction if commits else self._producer.abort_transaction)(ANSWER_S)
        self.sent += count if commits else 0

    def empty(self) -> None:
        """As retention does: everything is deleted."""
        places = [TopicPartition(self._topic, index, -1) for index in (0, 1)]
        for future in self._admin.delete_records(places).values():
            future.result(ANSWER_S)
