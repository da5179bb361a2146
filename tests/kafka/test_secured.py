"""The secured broker itself: it really admits only known users, and allows only what was granted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stream.rights import Right
from tests.kafka.secured import SecuredBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.fault, pytest.mark.timeout(400)]


def _send(bootstrap: str, client: Mapping[str, str], topic: str) -> str:
    """One record; what became of it."""
    told: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "message.timeout.ms": 10_000,
            "on_delivery": lambda error, _: told.append(error.name() if error else "written"),
            **client,
        }
    )
    producer.produce(topic, b"1")
    assert producer.flush(20) == 0
    return told[0]


@pytest.fixture
def topic(secured: SecuredBroker) -> str:
    """A topic that the administrator made."""
    return secured.topics().create("guarded")


def test_user_may_do_what_was_granted_and_only_until_it_is_revoked(
    secured: SecuredBroker, topic: str
) -> None:
    """A new user may do nothing, then what was granted, then nothing again."""
    user = secured.topics().name("user")
    client, write = secured.user(user), Right("Write", "topic", topic)

    before = _send(secured.bootstrap, client, topic)
    secured.grant(user, [write])
    granted = _send(secured.bootstrap, client, topic)
    secured.revoke(user, [write])
    after = _send(secured.bootstrap, client, topic)

    refused = "TOPIC_AUTHORIZATION_FAILED"
    assert (refused, "written", refused) == (before, granted, after)


def test_user_of_a_certificate_is_known_by_its_name(secured: SecuredBroker, topic: str) -> None:
    """Mutual TLS makes the certificate's subject the principal."""
    name = secured.topics().name("machine")
    client = secured.certificate(name)

    before = _send(secured.by_certificate, client, topic)
    secured.grant(f"CN={name}", [Right("Write", "topic", topic)])

    assert ("TOPIC_AUTHORIZATION_FAILED", "written") == (
        before,
        _send(secured.by_certificate, client, topic),
    )


def test_nobody_comes_in_without_a_certificate(secured: SecuredBroker) -> None:
    """The listener for certificates refuses a client that has only the authority's certificate."""
    ca = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority.ca)}
    admin = AdminClient({"bootstrap.servers": secured.by_certificate, "log_level": 0, **ca})

    with pytest.raises(KafkaException):
        admin.list_topics(timeout=3)


def test_topic_is_made_by_nobody_but_the_administrator(secured: SecuredBroker) -> None:
    """A right on one topic is not a right to create others."""
    user = secured.topics().name("user")
    client = secured.user(user)
    admin = AdminClient({"bootstrap.servers": secured.bootstrap, "log_level": 0, **client})

    [future] = admin.create_topics([NewTopic(secured.topics().name("own"), 1, 1)]).values()

    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        future.result(20)
