"""Properties that librdkafka refuses."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.errors import BrokerRefused, SettingsError
from stream.settings import BatchingSettings, InputSettings, KafkaSettings
from stream.transport import Cluster, Sink, Source
from stream.transport.entry import Entry
from stream.transport.properties import consumer_properties, producer_properties

BOGUS = KafkaSettings("127.0.0.1:1", properties={"bogus.property": 1})


class Deaf:
    """A listener that does nothing."""

    def assigned(self, partitions: object) -> None:
        """See Listener."""

    def revoked(self, partitions: object, *, lost: bool) -> None:
        """See Listener."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sink(BOGUS),
        lambda: Cluster(BOGUS),
        lambda: Source(BOGUS, InputSettings(), BatchingSettings(), Deaf()),
    ],
)
def test_misspelt_property_is_a_settings_error(make: object) -> None:
    """It is named, in the file's terms, whichever client meets it first."""
    assert callable(make)

    with pytest.raises(SettingsError, match="bogus.property"):
        make()


def test_misspelt_property_names_the_nearest() -> None:
    """A slip in a name that people set is told with what was probably meant, and where to correct it."""
    with pytest.raises(SettingsError, match=r"sasl\.passwrd") as caught:
        Cluster(KafkaSettings("127.0.0.1:1", properties={"sasl.passwrd": "x"}))

    assert "did you mean `sasl.password`?" in caught.value.hint
    assert "stream.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("kafka", "table"),
    [
        (KafkaSettings("127.0.0.1:1", properties={"group.id": "g"}), "[kafka.properties]"),
        (KafkaSettings("127.0.0.1:1", consumer={"group.id": "g"}), "[kafka.consumer]"),
    ],
)
def test_property_of_ours_is_named_in_its_own_table(kafka: KafkaSettings, table: str) -> None:
    """The table that it stands in, not the one of the client that met it."""
    with pytest.raises(SettingsError) as caught:
        consumer_properties(kafka, print)

    assert f"[kafka] property `group.id` is not yours to set in {table}" == caught.value.message


def test_user_for_a_listener_that_asks_for_none_is_told_so() -> None:
    """The password is not what is wrong; the protocol or the port is."""
    entry = Entry(KafkaSettings("127.0.0.1:1"))
    said = (
        "SASL handshake failed: Broker: Request not valid in current SASL state (after 3ms in state AUTH_REQ)"
    )
    entry.on_error(KafkaError(KafkaError._AUTHENTICATION, said))

    def ask(seconds: float) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    class Client:
        def poll(self, seconds: float) -> None:
            """Nothing more to tell."""

    with pytest.raises(BrokerRefused) as caught:
        entry.let_in(ask, Client().poll, 1.0)

    assert "security.protocol" in caught.value.hint
    assert "port" in caught.value.hint


@pytest.mark.parametrize(("transactional_id", "default"), [(None, 1), ("mine", 20)])
def test_records_wait_longer_for_their_batch_in_a_transaction(
    transactional_id: str | None, default: int
) -> None:
    """Nobody sees them before its end; and a configured time goes before both."""
    chosen = KafkaSettings(producer={"linger.ms": 7})

    found = [
        producer_properties(kafka, print, print, transactional_id)["linger.ms"]
        for kafka in (KafkaSettings(), chosen)
    ]

    assert [default, 7] == found
