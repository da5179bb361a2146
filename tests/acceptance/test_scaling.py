"""
Workers from 0 to N and back to 0, as an autoscaler starts and stops them: upstreams are transactional, some abort.

The scaler has KEDA's arithmetic (pkg/scalers/kafka_scaler.go and prometheus_scaler.go, and Kubernetes' own for an
average value): a trigger is active while its value is above `activationLagThreshold`, the replicas wanted are its value
over `lagThreshold`, rounded up, the larger of two triggers counts, and there are none once no trigger is active.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from tests.acceptance import visits
from tests.acceptance.process import READY_S, Setup, Worker
from tests.acceptance.reader import Outputs, reading
from tests.conftest import Kafka
from tests.kafka.process import wait_for
from tests.kafka.topics import Topics

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 4
THRESHOLD = 400
AT_MOST = 2
"""Replicas; each needs a core's time to start."""
SOON_S = 90.0


class Scaler:
    """KEDA's kafka trigger beside its prometheus trigger; starts and stops workers as they say."""

    def __init__(self, setup: Setup, stack: ExitStack) -> None:
        self._setup = setup
        self._stack = stack
        self._admin = AdminClient({"bootstrap.servers": setup.bootstrap, "log_level": 0})
        self._partitions = [TopicPartition(setup.input, index) for index in range(PARTITIONS)]
        self._started = 0
        self.workers: list[Worker] = []
        self.most = 0
        """The most workers that ran at once."""
        self.ended: list[int] = []
        """Exit codes of those that were stopped."""

    def kafka_lag(self) -> int:
        """The kafka trigger's value: ends less the group's offsets; all of a partition without one (`earliest`)."""
        committed = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._setup.group, self._partitions)]
        )[self._setup.group]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        ends = self._admin.list_offsets(dict.fromkeys(self._partitions, latest))
        high = {at.partition: found.result().offset for at, found in ends.items()}
        return sum(high[at.partition] - max(0, at.offset) for at in committed.result().topic_partitions)

    def consumable_lag(self) -> float:
        """The prometheus trigger's value: `sum(stream_consumable_lag_records)`; 0 while nobody is there to ask."""
        return sum(self.metric("stream_consumable_lag_records"))

    def metric(self, name: str) -> list[float]:
        """The values of a metric, of all workers and labels."""
        pages = [worker.get("/metrics")[1].decode() for worker in self.workers]
        return [
            float(value) for page in pages for value in re.findall(rf"^{name}(?:{{.*}})? (.+)$", page, re.M)
        ]

    def wanted(self) -> int:
        """Replicas."""
        lag = self.kafka_lag()
        kafka = min(lag, PARTITIONS * THRESHOLD)  # without `allowIdleConsumers`
        value = max(kafka, self.consumable_lag())
        return min(AT_MOST, math.ceil(value / THRESHOLD))

    def poll(self) -> int:
        """One polling interval. Returns: how many workers run now."""
        wanted = self.wanted()
        while len(self.workers) < wanted:
            self._started += 1
            worker = self._stack.enter_context(Worker(self._setup, f"scorer-{self._started}"))
            self.workers.append(worker)
        while len(self.workers) > wanted:
            worker = self.workers.pop()
            worker.terminate()
            self.ended.append(worker.end())
        for worker in self.workers:
            worker.ready(READY_S)
        self.most = max(self.most, len(self.workers))
        return wanted

    def settle(self) -> None:
        """Poll until nobody is wanted."""
        wait_for(lambda: self.poll() == 0, SOON_S, "the scaler to want no worker")


class Upstream:
    """Writes events in transactions, over all partitions."""

    def __init__(self, setup: Setup, name: str) -> None:
        self._setup = setup
        self._producer = Producer(
            {"bootstrap.servers": setup.bootstrap, "transactional.id": name, "log_level": 0}
        )
        self._producer.init_transactions(SOON_S)
        self.sent = 0

    def write(self, count: int) -> None:
        """Begin a transaction and send events in it; they are there once this returns, and not to be read."""
        self._producer.begin_transaction()
        for number in range(self.sent, self.sent + count):
            event = visits.event(number)
            self._producer.produce(self._setup.input, event.value, event.key, number % PARTITIONS)
        self._producer.flush(SOON_S)
        self.sent += count

    def commit(self) -> None:
        """Let them be read."""
        self._producer.commit_transaction(SOON_S)

    def abort(self, count: int) -> None:
        """Take them back."""
        self._producer.abort_transaction(SOON_S)
        self.sent -= count


@pytest.fixture
def setup(tmp_path: Path, kafka: Kafka, topics: Topics, package: Path) -> Setup:
    """Fresh topics and a group without offsets."""
    names = (topics.create("in", PARTITIONS), topics.create("out"), topics.create("dead"))
    return Setup(tmp_path, kafka.bootstrap, topics.name("group"), *names, package)


@pytest.fixture
def outputs(setup: Setup, package: Path) -> Iterator[Outputs]:
    """What comes out."""
    with reading(setup.bootstrap, setup.output, setup.dead, package) as found:
        yield found


def test_scaler_goes_to_n_and_back_to_zero(setup: Setup, topics: Topics, outputs: Outputs) -> None:
    """Each time: for committed records, for aborted ones only, and past a transaction that is open for long."""
    upstream, slow = (Upstream(setup, topics.name(name)) for name in ("upstream", "slow"))
    with ExitStack() as stack:
        scaler = Scaler(setup, stack)
        assert 0 == scaler.poll()

        upstream.write(1_500)
        upstream.commit()
        upstream.write(300)
        upstream.abort(300)
        assert AT_MOST == scaler.poll()
        outputs.inputs(1_500)
        scaler.settle()
        assert (AT_MOST, 0) == (scaler.most, scaler.kafka_lag())

        upstream.write(20)
        upstream.abort(20)
        assert 1 == scaler.poll()  # nobody can know without reading: a worker looks, and stands past them
        scaler.settle()

        slow.sent = upstream.sent
        slow.write(100)
        assert 1 == scaler.poll()
        wait_for(
            lambda: sum(scaler.metric("stream_lag_records")) == 100, SOON_S, "the open records to be seen"
        )
        wait_for(lambda: scaler.consumable_lag() == 0, SOON_S, "nothing that can be read")
        assert 1 == scaler.poll()
        slow.commit()
        outputs.inputs(1_600)
        scaler.settle()

        assert {0} == set(scaler.ended)
    outputs.to_end()
    assert {1} == set(outputs.count.values())
    assert 1_600 == len(outputs.count)
