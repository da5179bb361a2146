"""A producer that comes to its end while it is waited for."""

from __future__ import annotations

from typing import NoReturn

import pytest
from confluent_kafka import KafkaError

from stream.errors import BrokerRefused, OutcomeUnknown
from stream.settings import KafkaSettings
from stream.transport.connection import Connection
from stream.transport.outbox import Failed, Outbox


class _Ended:
    """confluent-kafka's producer as it is after a fatal error (2.16)."""

    def flush(self, wait_s: float) -> NoReturn:
        raise SystemError("<method 'flush'> returned NULL without setting an exception")

    def poll(self, wait_s: float) -> int:
        return 0


def _ended(connection: Connection) -> Outbox:
    failed: list[Failed] = []
    outbox = Outbox(KafkaSettings("127.0.0.1:1", "g"), failed.append, connection, 1.0, "g.1")
    outbox.producer = _Ended()
    return outbox


def _fatal(code: int) -> KafkaError:
    return KafkaError(code, "the reason", fatal=True)


def test_right_that_is_revoked_while_waiting_is_a_refusal() -> None:
    """What the client said of its end decides, not that its call failed."""
    connection = Connection()
    connection.fatal = _fatal(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)

    with pytest.raises(BrokerRefused, match="TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the reason"):
        _ended(connection).serve(1.0)


def test_producer_that_is_fenced_while_waiting_is_renewed() -> None:
    """An epoch that is over asks for a new producer."""
    connection = Connection()
    connection.fatal = _fatal(KafkaError.INVALID_PRODUCER_EPOCH)

    with pytest.raises(OutcomeUnknown):
        _ended(connection).serve(1.0)


def test_failure_without_a_reason_is_not_swallowed() -> None:
    """Where the client said nothing, the call's own failure is a bug to be seen."""
    with pytest.raises(SystemError):
        _ended(Connection()).serve(1.0)
