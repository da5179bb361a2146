"""One suite, two brokers: the embedded mock cluster and a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream.transport import EmbeddedBroker
from tests.conftest import KAFKA_BOOTSTRAP
from tests.contract.cluster import Cluster, Join, joining
from tests.kafka.topics import Topics


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """The session's mock cluster."""
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture(params=["mock", pytest.param("real", marks=pytest.mark.kafka)])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Each test runs once on the mock and once on a real Kafka."""
    gap = request.node.get_closest_marker("mock_gap")
    if request.param == "mock":
        if gap is not None:
            request.applymarker(pytest.mark.xfail(strict=True, reason=f"mock cluster: {gap.args[0]}"))
        broker = request.getfixturevalue("embedded")
        yield Cluster("mock", broker.bootstrap_servers, Topics(broker.bootstrap_servers), broker)
        return
    kafka = request.getfixturevalue("kafka")
    topics = Topics(kafka.bootstrap)
    yield Cluster("real", kafka.bootstrap, topics)
    if KAFKA_BOOTSTRAP:
        topics.delete()


@pytest.fixture
def member(cluster: Cluster) -> Iterator[Join]:
    """A factory of members of the test's group: `member(topic)`; all of them leave at the end."""
    with joining(cluster.settings()) as join:
        yield join
